import type { MessagePage } from '../api/conversations';
import type { ApiError } from '../api/error';
import type { Message } from '../api/types';
import { compareMessages, type MessageKey, sortMessages } from './order';

/**
 * The loaded part of a conversation. Between `from` and `to` nothing is missing; outside of it there may
 * be messages we hold by chance, and they are not shown until a page closes the gap.
 */
export interface Thread {
  status: 'loading' | 'ready' | 'failed';
  error: ApiError | null;
  /** First shown message; null: from the very beginning. */
  from: MessageKey | null;
  /** Last shown message; null: to the end, new ones included. */
  to: MessageKey | null;
  olderCursor: string | null;
  newerCursor: string | null;
  loadingOlder: boolean;
  loadingNewer: boolean;
}

export const loadingThread: Thread = {
  status: 'loading',
  error: null,
  from: null,
  to: null,
  olderCursor: null,
  newerCursor: null,
  loadingOlder: false,
  loadingNewer: false,
};

export const threadOfPage = (page: MessagePage): Thread => ({
  ...loadingThread,
  status: 'ready',
  from: page.older_cursor === null ? null : keyOf(page.items[0]),
  to: page.newer_cursor === null ? null : keyOf(page.items[page.items.length - 1]),
  olderCursor: page.older_cursor,
  newerCursor: page.newer_cursor,
});

export const withOlder = (thread: Thread, page: MessagePage): Thread => ({
  ...thread,
  loadingOlder: false,
  from: page.older_cursor === null ? null : (keyOf(page.items[0]) ?? thread.from),
  olderCursor: page.older_cursor,
});

export const withNewer = (thread: Thread, page: MessagePage): Thread => ({
  ...thread,
  loadingNewer: false,
  to: page.newer_cursor === null ? null : (keyOf(page.items[page.items.length - 1]) ?? thread.to),
  newerCursor: page.newer_cursor,
});

export function messagesOf(thread: Thread, held: Record<number, Message> | undefined): Message[] {
  if (!held || thread.status !== 'ready') return [];
  return sortMessages(
    Object.values(held).filter(
      (message) =>
        (thread.from === null || compareMessages(message, thread.from) >= 0) &&
        (thread.to === null || compareMessages(message, thread.to) <= 0) &&
        !isHidden(message),
    ),
  );
}

/** A message that never reached anybody and was thrown away leaves no trace. */
const isHidden = (message: Message) =>
  message.deleted_at !== null && (message.status === 'failed' || message.status === 'unknown');

const keyOf = (message: Message | undefined): MessageKey | null =>
  message ? { position: message.position, ordinal: message.ordinal, id: message.id } : null;
