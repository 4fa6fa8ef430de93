import type { Message } from '../api/types';

/** The order of messages, as the server defines it. */

export interface MessageKey {
  position: number;
  ordinal: number;
  id: number;
}

export const compareMessages = (a: MessageKey, b: MessageKey): number =>
  a.position - b.position || a.ordinal - b.ordinal || a.id - b.id;

export const sortMessages = (messages: Iterable<Message>): Message[] => [...messages].sort(compareMessages);
