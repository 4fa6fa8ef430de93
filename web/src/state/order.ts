import type { Conversation, ConversationFilter, Counts, Message } from '../api/types';

/** Orders and memberships, as the server defines them. */

export interface MessageKey {
  position: number;
  ordinal: number;
  id: number;
}

export const compareMessages = (a: MessageKey, b: MessageKey): number =>
  a.position - b.position || a.ordinal - b.ordinal || a.id - b.id;

export const sortMessages = (messages: Iterable<Message>): Message[] => [...messages].sort(compareMessages);

/** Latest first. */
export const compareConversations = (a: Conversation, b: Conversation): number =>
  b.activity - a.activity || b.id - a.id;

export function belongs(conversation: Conversation, filter: ConversationFilter, me: number): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'open':
      return conversation.state === 'open';
    case 'archived':
      return conversation.state === 'archived';
    case 'mine':
      return conversation.state === 'open' && conversation.assignee_id === me;
    case 'unassigned':
      return conversation.state === 'open' && conversation.assignee_id === null;
    case 'unanswered':
      return conversation.state === 'open' && conversation.unanswered_count > 0;
  }
}

export interface ListQuery {
  filter: ConversationFilter;
  channelId: number | null;
}

/**
 * Rows of a filter among everything held. `horizon` is the activity of the last row a page brought:
 * below it there may be rows we do not hold, so nothing is shown there until the next page comes.
 */
export function listConversations(
  conversations: Record<number, Conversation>,
  query: ListQuery,
  me: number,
  horizon: number,
): Conversation[] {
  return Object.values(conversations)
    .filter(
      (conversation) =>
        conversation.activity >= horizon &&
        (query.channelId === null || conversation.channel_id === query.channelId) &&
        belongs(conversation, query.filter, me),
    )
    .sort(compareConversations);
}

/** Counts after a conversation changed. The caller makes sure that `before` was counted. */
export function shiftCounts(counts: Counts, before: Conversation, after: Conversation, me: number): Counts {
  const next = { ...counts };
  for (const filter of ['open', 'mine', 'unassigned', 'archived', 'unanswered'] as const) {
    next[filter] += Number(belongs(after, filter, me)) - Number(belongs(before, filter, me));
  }
  return next;
}

/**
 * What a list shows while it must not move under the pointer: rows stay where they are, rows that no
 * longer belong go, rows of a further page are added below. `waiting`: something wants to the top.
 */
export function holdOrder(
  shown: readonly number[],
  wanted: readonly number[],
): {
  order: number[];
  waiting: boolean;
} {
  const belonging = new Set(wanted);
  const kept = shown.filter((id) => belonging.has(id));
  const known = new Set(kept);
  const last = kept[kept.length - 1];
  const afterLast = last === undefined ? wanted : wanted.slice(wanted.indexOf(last) + 1);
  const order = [...kept, ...afterLast.filter((id) => !known.has(id))];
  const waiting = order.length !== wanted.length || order.some((id, index) => id !== wanted[index]);
  return { order, waiting };
}
