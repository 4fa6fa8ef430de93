import { describe, expect, it } from 'vitest';
import { compareMessages, sortMessages } from './order';

describe('order of messages', () => {
  it('is position, then ordinal, then id', () => {
    const key = (position: number, ordinal: number, id: number) => ({ position, ordinal, id });
    const keys = [key(2, 1, 1), key(1, 5, 9), key(1, 5, 3), key(1, 2, 7)];
    expect([...keys].sort(compareMessages)).toEqual([key(1, 2, 7), key(1, 5, 3), key(1, 5, 9), key(2, 1, 1)]);
    expect(sortMessages([])).toEqual([]);
  });
});
