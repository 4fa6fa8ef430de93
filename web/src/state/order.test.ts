import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conversation } from '../mocks/entities';
import { compareMessages, holdOrder, listConversations, shiftCounts, sortMessages } from './order';

describe('order of messages', () => {
  it('is position, then ordinal, then id', () => {
    const key = (position: number, ordinal: number, id: number) => ({ position, ordinal, id });
    const keys = [key(2, 1, 1), key(1, 5, 9), key(1, 5, 3), key(1, 2, 7)];
    expect([...keys].sort(compareMessages)).toEqual([key(1, 2, 7), key(1, 5, 3), key(1, 5, 9), key(2, 1, 1)]);
    expect(sortMessages([])).toEqual([]);
  });
});

describe('list of conversations', () => {
  const rows = Object.fromEntries(
    [
      conversation({ id: 1, activity: 10, assignee_id: 7 }),
      conversation({ id: 2, activity: 30, unanswered_count: 2, channel_id: 5 }),
      conversation({ id: 3, activity: 20, state: 'archived' }),
    ].map((row) => [row.id, row]),
  );
  const ids = (
    filter: Parameters<typeof listConversations>[1]['filter'],
    horizon = 0,
    channelId: number | null = null,
  ) => listConversations(rows, { filter, channelId }, 7, horizon).map((row) => row.id);

  it('has the latest first and keeps to its filter', () => {
    expect(ids('all')).toEqual([2, 3, 1]);
    expect(ids('open')).toEqual([2, 1]);
    expect(ids('mine')).toEqual([1]);
    expect(ids('unassigned')).toEqual([2]);
    expect(ids('unanswered')).toEqual([2]);
    expect(ids('archived')).toEqual([3]);
    expect(ids('all', 0, 5)).toEqual([2]);
  });

  it('shows nothing below the horizon, where rows may be missing', () => {
    expect(ids('all', 15)).toEqual([2, 3]);
  });
});

describe('counts', () => {
  it('follow a conversation from filter to filter', () => {
    const before = conversation({ id: 1, unanswered_count: 1 });
    const counts = { open: 5, mine: 1, unassigned: 2, archived: 0, unanswered: 1 };
    const mine = { ...before, assignee_id: 7 };
    expect(shiftCounts(counts, before, mine, 7)).toEqual({ ...counts, mine: 2, unassigned: 1 });
    const archived = { ...mine, state: 'archived' as const };
    expect(shiftCounts(counts, before, archived, 7)).toEqual({
      open: 4,
      mine: 1,
      unassigned: 1,
      archived: 1,
      unanswered: 0,
    });
  });
});

describe('a list under the pointer', () => {
  it('does not move, drops what left, and says that something waits', () => {
    expect(holdOrder([1, 2, 3], [3, 1, 2])).toEqual({ order: [1, 2, 3], waiting: true });
    expect(holdOrder([1, 2, 3], [9, 1, 2, 3])).toEqual({ order: [1, 2, 3], waiting: true });
    expect(holdOrder([1, 2, 3], [1, 3])).toEqual({ order: [1, 3], waiting: false });
    expect(holdOrder([1, 2], [1, 2, 3, 4])).toEqual({ order: [1, 2, 3, 4], waiting: false });
    expect(holdOrder([], [1, 2])).toEqual({ order: [1, 2], waiting: false });
  });

  it('never repeats a row and never moves one that stays', () => {
    const list = fc.uniqueArray(fc.integer({ min: 1, max: 12 }));
    fc.assert(
      fc.property(list, list, (shown, wanted) => {
        const { order } = holdOrder(shown, wanted);
        expect(new Set(order).size).toBe(order.length);
        const stayed = shown.filter((id) => wanted.includes(id));
        expect(order.slice(0, stayed.length)).toEqual(stayed);
      }),
    );
  });
});
