import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AssigneeFilter, Conversation, ConversationFilter, Counts } from '../api/types';
import { conversation } from '../mocks/entities';
import {
  cut,
  holdOrder,
  keyOf,
  NOTHING,
  rowsFrom,
  section,
  shiftCounts,
  WINDOW_ROWS,
  withPage,
} from './chat-list';

/** What the server's tests found in their database, for every section narrowed in every way. */
const CASES = join(process.cwd(), '../tests/chat-list/cases.json');

interface Cases {
  now: string;
  me: number;
  conversations: Conversation[];
  cases: {
    filter: ConversationFilter;
    assignee: string | null;
    unanswered: boolean;
    channels: number[];
    by_activity: number[];
    by_created: number[];
    counts: Counts;
  }[];
}

describe('a list shows and counts what the server does', () => {
  const { now, me, conversations, cases } = JSON.parse(readFileSync(CASES, 'utf8')) as Cases;
  const held = Object.fromEntries(conversations.map((row) => [row.id, row]));
  const at = Date.parse(now);
  const none: Counts = {
    open: 0,
    mine: 0,
    unassigned: 0,
    active: 0,
    archived: 0,
    unanswered: 0,
    unanswered_mine: 0,
  };

  it.each(cases.map((one) => [JSON.stringify(Object.values(one).slice(0, 4)), one] as const))(
    '%s',
    (_, one) => {
      const assignee = (Number(one.assignee) || one.assignee) as AssigneeFilter | null;
      const query = {
        filter: one.filter,
        channelIds: one.channels,
        assignee,
        unanswered: one.unanswered,
      };
      for (const order of ['activity', 'created'] as const) {
        const rows = rowsFrom(held, query, order, me, at, Number.NEGATIVE_INFINITY);
        expect(rows.map((row) => row.id)).toEqual(order === 'activity' ? one.by_activity : one.by_created);
      }
      // Counted one by one, as events would tell of each.
      const uncounted = { ...conversation(), state: 'not yet' as never };
      const counted = conversations.reduce(
        (counts, row) => shiftCounts(counts, uncounted, row, query, me, at),
        none,
      );
      expect(counted).toEqual(one.counts);
    },
  );
});

describe('a window of a list', () => {
  const rows = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => index + 1).map((id) => [
      id,
      conversation({ id, activity: id }),
    ]),
  );
  const keys = (horizon: number, ceiling: number) =>
    rowsFrom(rows, section('all'), 'activity', 7, 0, horizon)
      .map((row) => keyOf('activity', row))
      .filter((key) => key <= ceiling);
  const page = (from: number) => Array.from({ length: 40 }, (_, index) => from - index);

  it('shows nothing beyond what pages have brought', () => {
    const window = withPage(NOTHING, 'below', page(1000), false);
    expect(window).toEqual({ ceiling: Number.POSITIVE_INFINITY, horizon: 961 });
    expect(keys(window.horizon, window.ceiling)).toEqual(page(1000));
    expect(withPage(window, 'below', [], true).horizon).toBe(Number.NEGATIVE_INFINITY);
  });

  it('stays as long however far somebody scrolls, there and back', () => {
    let window = NOTHING;
    for (let from = 1000; from > 0; from -= 40) {
      window = withPage(window, 'below', page(from), from === 40);
      window = cut(window, keys(window.horizon, window.ceiling), 'above');
      expect(keys(window.horizon, window.ceiling).length).toBeLessThanOrEqual(WINDOW_ROWS);
    }
    expect(window).toEqual({ ceiling: WINDOW_ROWS, horizon: Number.NEGATIVE_INFINITY });
    for (let first = WINDOW_ROWS + 40; first <= 1000; first += 40) {
      window = withPage(window, 'above', page(first), first === 1000);
      window = cut(window, keys(window.horizon, window.ceiling), 'below');
      expect(keys(window.horizon, window.ceiling).length).toBeLessThanOrEqual(WINDOW_ROWS);
    }
    expect(window).toEqual({ ceiling: Number.POSITIVE_INFINITY, horizon: 1000 - WINDOW_ROWS + 1 });
  });
});

describe('a list under the pointer', () => {
  const TOP = Number.POSITIVE_INFINITY;
  /** Rows in the order given, as a list at its top shows them. */
  const rowsOf = (ids: readonly number[]) => ids.map((id, index) => ({ id, key: ids.length - index }));
  const hold = (order: number[], wanted: number[]) => holdOrder({ order, ceiling: TOP }, rowsOf(wanted), TOP);

  it('does not move, drops what left, and says that something waits', () => {
    expect(hold([1, 2, 3], [3, 1, 2])).toEqual({ order: [1, 2, 3], waiting: true });
    expect(hold([1, 2, 3], [9, 1, 2, 3])).toEqual({ order: [1, 2, 3], waiting: true });
    expect(hold([1, 2, 3], [3, 1, 9, 2])).toEqual({ order: [1, 2, 3], waiting: true });
    expect(hold([1, 2, 3], [1, 3])).toEqual({ order: [1, 3], waiting: false });
    expect(hold([1, 2], [1, 2, 3, 4])).toEqual({ order: [1, 2, 3, 4], waiting: false });
    expect(hold([], [1, 2])).toEqual({ order: [1, 2], waiting: false });
  });

  it('keeps a row that moved above the window, and takes rows of a page from above', () => {
    const rows = [
      { id: 5, key: 90 },
      { id: 1, key: 30 },
      { id: 2, key: 20 },
    ];
    expect(holdOrder({ order: [1, 5, 2], ceiling: 30 }, rows, 30).order).toEqual([1, 5, 2]);
    const loaded = [{ id: 8, key: 50 }, { id: 7, key: 40 }, ...rows.slice(1)];
    expect(holdOrder({ order: [1, 2], ceiling: 30 }, loaded, 50)).toEqual({
      order: [8, 7, 1, 2],
      waiting: false,
    });
  });

  it('lets go of what stood above when the window was cut', () => {
    const rows = [40, 30, 20, 10].map((key) => ({ id: key, key }));
    expect(holdOrder({ order: [40, 30, 20, 10], ceiling: TOP }, rows, 20).order).toEqual([20, 10]);
  });

  it('never repeats a row and never moves one that stays', () => {
    const list = fc.uniqueArray(fc.integer({ min: 1, max: 12 }));
    fc.assert(
      fc.property(list, list, (shown, wanted) => {
        const { order } = hold(shown, wanted);
        expect(new Set(order).size).toBe(order.length);
        const stayed = shown.filter((id) => wanted.includes(id));
        expect(order.slice(0, stayed.length)).toEqual(stayed);
      }),
    );
  });
});
