import type { Conversation, QuickReply } from '../../api/types';
import { phone } from '../../i18n/format';

/** What a quick reply becomes, and where in a text one is asked for. Nothing of the screen. */

/** The part of the text that asks for a quick reply: from its slash to the caret. */
export interface Asked {
  /** Where the slash stands. */
  from: number;
  words: string;
}

const ASKS = /(?:^|\s)\/((?:[^\s/][^\n/]{0,40})?)$/;

/** `/` at the start of a line or after a space, and what was typed since. */
export function askedAt(text: string, caret: number): Asked | null {
  const [, words] = ASKS.exec(text.slice(0, caret)) ?? [];
  return words === undefined ? null : { from: caret - words.length - 1, words };
}

/** `//` where one slash would ask for a quick reply is a plain slash. */
export function plainSlash(text: string, caret: number): string | null {
  if (!/(?:^|\s)\/\/$/.test(text.slice(0, caret))) return null;
  return text.slice(0, caret - 1) + text.slice(caret);
}

const plain = (text: string) => text.toLocaleLowerCase().replaceAll('ё', 'е');

/** Those that have every word in their name or text; by name first. */
export function matching(quickReplies: readonly QuickReply[], words: string): QuickReply[] {
  const wanted = plain(words).split(/\s+/).filter(Boolean);
  const inName = (one: QuickReply) => wanted.every((word) => plain(one.name).includes(word));
  return quickReplies
    .filter((one) => wanted.every((word) => plain(`${one.name}\n${one.text}`).includes(word)))
    .sort((a, b) => Number(inName(b)) - Number(inName(a)) || a.name.localeCompare(b.name) || a.id - b.id);
}

export const offered = (held: Record<number, QuickReply>): QuickReply[] =>
  Object.values(held).filter((one) => one.deleted_at === null);

/** `@name@` is the client's name, or the phone when no name is known. */
export function fill(text: string, { contact }: Conversation): string {
  const name = contact.name.trim() || (contact.phone ? phone(contact.phone) : (contact.username ?? ''));
  return text.replaceAll('@name@', name);
}

/** Names by which the field says what its keys walk. */
export const LIST_ID = 'quick-replies';
export const optionId = (id: number) => `quick-reply-${id}`;
