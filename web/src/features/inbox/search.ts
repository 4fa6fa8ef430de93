import type { AssigneeFilter, ConversationFilter } from '../../api/types';
import type { ListQuery } from '../../state/chat-list';

/** What the address of the messages says: which list, and which message of the chat. */
export interface MessagesSearch {
  filter?: ConversationFilter;
  /** One channel, or several parted by `-`. */
  channel?: number | string;
  assignee?: AssigneeFilter;
  unanswered?: true;
  message?: number;
}

/** In the order of the menu. */
export const FILTERS: readonly ConversationFilter[] = [
  'all',
  'open',
  'mine',
  'unassigned',
  'active',
  'archived',
];

const idOf = (given: unknown): number | undefined => {
  const id = Number(given);
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
};

const idsOf = (given: unknown): number[] => [
  ...new Set(
    String(given ?? '')
      .split('-')
      .flatMap((text) => idOf(text) ?? []),
  ),
];

const assigneeOf = (given: unknown): AssigneeFilter | undefined =>
  given === 'me' || given === 'nobody' || given === 'somebody' ? given : idOf(given);

const channelOf = (ids: readonly number[]): number | string | undefined =>
  ids.length > 1 ? ids.join('-') : ids[0];

/** Reads an address as anybody may have written it; what makes no sense is left out. */
export function messagesSearch(search: Record<string, unknown>): MessagesSearch {
  const filter = FILTERS.find((known) => known === search.filter && known !== 'open');
  const channel = channelOf(idsOf(search.channel));
  const assignee = assigneeOf(search.assignee);
  const message = idOf(search.message);
  // Once a filter of its own; links of that time still lead there.
  const unanswered = search.unanswered === true || search.filter === 'unanswered';
  return {
    ...(filter && { filter }),
    ...(channel && { channel }),
    ...(assignee && { assignee }),
    ...(unanswered && { unanswered }),
    ...(message && { message }),
  };
}

export const queryOf = (search: MessagesSearch): ListQuery => ({
  filter: search.filter ?? 'open',
  channelIds: idsOf(search.channel).sort((a, b) => a - b),
  assignee: search.assignee ?? null,
  unanswered: search.unanswered ?? false,
});

/** The address of a list. */
export const searchOf = (query: ListQuery): MessagesSearch => {
  const channel = channelOf(query.channelIds);
  return {
    ...(query.filter !== 'open' && { filter: query.filter }),
    ...(channel && { channel }),
    ...(query.assignee !== null && { assignee: query.assignee }),
    ...(query.unanswered && { unanswered: true }),
  };
};
