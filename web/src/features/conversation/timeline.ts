import type { Message } from '../../api/types';
import { dayKey } from '../../i18n/format';
import type { OutboxItem } from '../../state/outbox';

/** What stands one below the other in a conversation: days, the unread line, bubbles in groups. */
export type Row =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'unread'; key: string }
  | { kind: 'system'; key: string; message: Message }
  | {
      kind: 'bubble';
      key: string;
      /** More than one: an album. */
      messages: [Message, ...Message[]];
      first: boolean;
      last: boolean;
    }
  | { kind: 'echo'; key: string; item: OutboxItem; first: boolean; last: boolean };

const GROUP_MS = 5 * 60_000;

/** Bubbles of one author within five minutes share the name and the avatar. */
interface Author {
  who: string;
  at: number;
}

const authorOf = (message: Message): Author => ({
  who: message.direction === 'incoming' ? 'client' : `${message.direction}/${message.author_member_id}`,
  at: Date.parse(message.sent_at),
});

const sameGroup = (a: Author | null, b: Author | null) =>
  a !== null && b !== null && a.who === b.who && Math.abs(b.at - a.at) <= GROUP_MS;

/**
 * @param unreadAfter position of the last message seen when the conversation was opened; null: no line.
 */
export function timeline(
  messages: readonly Message[],
  echoes: readonly OutboxItem[],
  me: number,
  unreadAfter: number | null,
): Row[] {
  const rows: Row[] = [];
  let day = '';
  let unreadShown = unreadAfter === null;
  let author = null as Author | null;
  /** The last row, as long as another bubble may join its group. */
  let open = null as Extract<Row, { kind: 'bubble' | 'echo' }> | null;

  const separate = () => {
    author = null;
    open = null;
  };
  const dayOf = (at: string) => {
    const key = dayKey(at);
    if (key === day) return;
    day = key;
    rows.push({ kind: 'day', key: `day/${key}`, at });
    separate();
  };
  const add = (row: Extract<Row, { kind: 'bubble' | 'echo' }>, by: Author) => {
    if (open && sameGroup(author, by)) {
      open.last = false;
      row.first = false;
    }
    rows.push(row);
    author = by;
    open = row;
  };

  for (const message of messages) {
    dayOf(message.sent_at);
    if (!unreadShown && message.direction === 'incoming' && message.position > (unreadAfter ?? 0)) {
      unreadShown = true;
      rows.push({ kind: 'unread', key: 'unread' });
      separate();
    }
    if (message.direction === 'system') {
      rows.push({ kind: 'system', key: `m/${message.id}`, message });
      separate();
      continue;
    }
    if (message.album_id !== null && open?.kind === 'bubble' && isSameAlbum(open.messages[0], message)) {
      open.messages.push(message);
      continue;
    }
    add(
      { kind: 'bubble', key: `m/${message.id}`, messages: [message], first: true, last: true },
      authorOf(message),
    );
  }
  for (const item of echoes) {
    dayOf(item.createdAt);
    add(
      { kind: 'echo', key: `echo/${item.clientMessageId}`, item, first: true, last: true },
      { who: `${item.note ? 'note' : 'outgoing'}/${me}`, at: Date.parse(item.createdAt) },
    );
  }
  return rows;
}

const isSameAlbum = (first: Message, next: Message) =>
  first.album_id === next.album_id &&
  first.direction === next.direction &&
  first.deleted_at === null &&
  next.deleted_at === null;
