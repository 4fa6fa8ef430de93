import type { AssigneeFilter, ChatOrder, Conversation, ConversationFilter, Counts } from '../api/types';

/**
 * Which conversations a list shows and in which order, by the same rule as the server's
 * (`hub/store/src/queries/chat_list.rs`): what an event changes finds its place without asking.
 */

export interface ListQuery {
  filter: ConversationFilter;
  /** None named: of all. */
  channelIds: readonly number[];
  assignee: AssigneeFilter | null;
  /** Only those whose client waits for an answer. */
  unanswered: boolean;
}

/** A section, not narrowed. */
export const section = (filter: ConversationFilter): ListQuery => ({
  filter,
  channelIds: [],
  assignee: null,
  unanswered: false,
});

export const isNarrowed = (query: ListQuery): boolean =>
  query.channelIds.length > 0 || query.assignee !== null || query.unanswered;

/** Two queries with one key show the same. */
export const queryKey = (query: ListQuery): string =>
  [query.filter, query.channelIds.join('-'), query.assignee ?? '', query.unanswered ? 'unanswered' : ''].join(
    '/',
  );

const ACTIVE_MS = 7 * 24 * 60 * 60 * 1000;

function inSection(conversation: Conversation, filter: ConversationFilter, me: number, now: number): boolean {
  const open = conversation.state === 'open';
  switch (filter) {
    case 'all':
      return true;
    case 'open':
      return open;
    case 'archived':
      return conversation.state === 'archived';
    case 'mine':
      return open && conversation.assignee_id === me;
    case 'unassigned':
      return open && conversation.assignee_id === null;
    case 'active': {
      const last = conversation.last_message;
      return last !== null && Date.parse(last.sent_at) >= now - ACTIVE_MS;
    }
  }
}

function hasAssignee(conversation: Conversation, assignee: AssigneeFilter | null, me: number): boolean {
  switch (assignee) {
    case null:
      return true;
    case 'me':
      return conversation.assignee_id === me;
    case 'nobody':
      return conversation.assignee_id === null;
    case 'somebody':
      return conversation.assignee_id !== null;
    default:
      return conversation.assignee_id === assignee;
  }
}

export const belongs = (conversation: Conversation, query: ListQuery, me: number, now: number): boolean =>
  inSection(conversation, query.filter, me, now) &&
  hasAssignee(conversation, query.assignee, me) &&
  (!query.unanswered || conversation.unanswered_count > 0) &&
  (query.channelIds.length === 0 || query.channelIds.includes(conversation.channel_id));

/** Where a conversation stands; the highest first. */
export const keyOf = (order: ChatOrder, conversation: Conversation): number =>
  order === 'created' ? conversation.id : conversation.activity;

/**
 * A part of a list of which we hold everything: keys from `ceiling` down to `horizon`. Above and below
 * there may be rows we do not hold, so nothing is shown there until a page brings them.
 */
export interface Window {
  /** Infinity: the window begins at the top of the list, and is live there. */
  ceiling: number;
  /** -Infinity: the window reaches the end of the list. */
  horizon: number;
}

export const NOTHING: Window = {
  ceiling: Number.POSITIVE_INFINITY,
  horizon: Number.POSITIVE_INFINITY,
};

/** What stays of a window when it is cut, and from how many rows on it is. */
export const WINDOW_ROWS = 400;
export const GROWN_ROWS = 520;

/** A place in a list, as the server knows it. */
export const cursorAt = (order: ChatOrder, key: number): string => `${order}.${key}`;

/** Everything of a list that stands at the horizon or above it, in the order of the list. */
export function rowsFrom(
  conversations: Record<number, Conversation>,
  query: ListQuery,
  order: ChatOrder,
  me: number,
  now: number,
  horizon: number,
): Conversation[] {
  return Object.values(conversations)
    .filter((row) => keyOf(order, row) >= horizon && belongs(row, query, me, now))
    .sort((a, b) => keyOf(order, b) - keyOf(order, a) || b.id - a.id);
}

/** Where rows that a page brought leave the window. `end`: there is nothing further on that side. */
export function withPage(
  window: Window,
  side: 'above' | 'below',
  keys: readonly number[],
  end: boolean,
): Window {
  if (side === 'below') {
    const last = keys[keys.length - 1] ?? window.horizon;
    return { ...window, horizon: end ? Number.NEGATIVE_INFINITY : Math.min(window.horizon, last) };
  }
  const first = keys[0] ?? window.ceiling;
  return { ...window, ceiling: end ? Number.POSITIVE_INFINITY : Math.max(window.ceiling, first) };
}

/** Cuts the window to `WINDOW_ROWS` at the side that is farther away. `keys` are those of its rows. */
export function cut(window: Window, keys: readonly number[], far: 'above' | 'below'): Window {
  if (keys.length <= WINDOW_ROWS) return window;
  return far === 'above'
    ? { ...window, ceiling: keys[keys.length - WINDOW_ROWS] ?? window.ceiling }
    : { ...window, horizon: keys[WINDOW_ROWS - 1] ?? window.horizon };
}

const SECTIONS = ['open', 'mine', 'unassigned', 'active', 'archived'] as const;

/** Counts after a conversation changed. The caller makes sure that `before` was counted. */
export function shiftCounts(
  counts: Counts,
  before: Conversation,
  after: Conversation,
  query: ListQuery,
  me: number,
  now: number,
): Counts {
  const change = (of: ListQuery) =>
    Number(belongs(after, of, me, now)) - Number(belongs(before, of, me, now));
  const next = { ...counts };
  for (const filter of SECTIONS) next[filter] += change({ ...query, filter });
  next.unanswered += change({ ...query, unanswered: true });
  next.unanswered_mine += change({ ...query, filter: 'mine', unanswered: true });
  return next;
}

export interface Shown {
  order: readonly number[];
  /** Of the window by which `order` was made. */
  ceiling: number;
}

/**
 * What a list shows while it must not move under the pointer: rows stay where they are, rows that no
 * longer belong go, rows of further pages are added at their side, rows of pages that were dropped go.
 * `rows` is everything from the horizon up, the window's own part of it begins at `ceiling`.
 * `waiting`: something wants to the top.
 */
export function holdOrder(
  shown: Shown,
  rows: readonly { id: number; key: number }[],
  ceiling: number,
): { order: number[]; waiting: boolean } {
  const wanted = rows.filter(({ key }) => key <= ceiling).map(({ id }) => id);
  const inWindow = new Set(wanted);
  const belonging = new Set(rows.map(({ id }) => id));
  let kept = shown.order.filter((id) => belonging.has(id));
  // The window was cut at its top: what stood above its first row went with the pages.
  if (ceiling < shown.ceiling) {
    const first = kept.findIndex((id) => inWindow.has(id));
    kept = first < 0 ? [] : kept.slice(first);
  }
  const known = new Set(kept);
  const places = kept.filter((id) => inWindow.has(id));
  const lowest = places.length === 0 ? -1 : Math.max(...places.map((id) => wanted.indexOf(id)));
  const highest = places.length === 0 ? 0 : Math.min(...places.map((id) => wanted.indexOf(id)));
  const below = wanted.slice(lowest + 1).filter((id) => !known.has(id));
  // A page came from above: its rows are not news.
  const above = ceiling > shown.ceiling ? wanted.slice(0, highest).filter((id) => !known.has(id)) : [];
  const order = [...above, ...kept, ...below];
  const waiting = order.length !== wanted.length || order.some((id, index) => id !== wanted[index]);
  return { order, waiting };
}
