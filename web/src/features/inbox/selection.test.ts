import { describe, expect, it } from 'vitest';
import { everything, extended, remaining, SELECTION_LIMIT, type Selection, toggled } from './selection';

const NONE: Selection = { ids: [], anchor: null, choosing: false };
const ORDER = [5, 4, 3, 2, 1];

describe('a selection', () => {
  it('takes and leaves one', () => {
    const one = toggled(NONE, 4);
    expect(one).toEqual({ ids: [4], anchor: 4, choosing: false });
    expect(toggled(toggled(one, 2), 4).ids).toEqual([2]);
  });

  it('is drawn from its anchor, in both directions and back', () => {
    const begun = toggled(NONE, 3);
    expect(extended(begun, ORDER, 1).ids).toEqual([3, 2, 1]);
    expect(extended(extended(begun, ORDER, 1), ORDER, 4).ids).toEqual([3, 4]);
    expect(extended(begun, ORDER, 3).ids).toEqual([3]);
    expect(extended(NONE, ORDER, 2)).toEqual({ ids: [2], anchor: 2, choosing: false });
    // The anchor has left the list.
    expect(extended({ ...begun, anchor: 99 }, ORDER, 2)).toEqual({ ids: [2], anchor: 2, choosing: false });
  });

  it('is never longer than one request takes, and loses what leaves the list', () => {
    const many = Array.from({ length: 300 }, (_, index) => index);
    expect(everything(NONE, many).ids.length).toBe(SELECTION_LIMIT);
    const full = everything(NONE, many);
    expect(toggled(full, 299).ids).toEqual(full.ids);
    expect(extended({ ...NONE, anchor: 299 }, many, 0).ids[0]).toBe(299);
    expect(remaining({ ...NONE, ids: [5, 9, 1] }, ORDER).ids).toEqual([5, 1]);
    const same = { ...NONE, ids: [5] };
    expect(remaining(same, ORDER)).toBe(same);
  });
});
