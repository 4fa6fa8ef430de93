import { describe, expect, it } from 'vitest';
import { neighbourOf, nextOf, setShown, stepFrom } from './shown';

describe('the rows on screen', () => {
  it('are gone through one by one, and stop at the ends', () => {
    setShown([3, 2, 1]);
    expect([stepFrom(null, 1), stepFrom(3, 1), stepFrom(1, 1), stepFrom(3, -1), stepFrom(1, -1)]).toEqual([
      3,
      2,
      null,
      null,
      2,
    ]);
    expect(stepFrom(99, -1)).toBe(3);
    expect([neighbourOf(3), neighbourOf(1), neighbourOf(99)]).toEqual([2, 2, null]);
  });

  it('are searched below, then from the top', () => {
    setShown([5, 4, 3, 2, 1]);
    expect(nextOf(3, (id) => id === 4 || id === 1)).toBe(1);
    expect(nextOf(3, (id) => id > 3)).toBe(5);
    expect(nextOf(3, (id) => id === 3)).toBeNull();
    expect(nextOf(null, () => true)).toBe(5);
  });
});
