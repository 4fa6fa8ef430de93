import type { Ephemeral } from '../api/types';
import { createStore } from './store';

/** Who writes and who looks at what, as long as it holds. Never stored, never replayed. */

export interface Presence {
  /** Until when a member is writing, by conversation and member. */
  typing: Record<number, Record<number, number>>;
  /** Until when the client is writing, by conversation. */
  clientTyping: Record<number, number>;
  /** What a member looks at, and until when. */
  looking: Record<number, { conversationId: number; until: number }>;
}

export const TYPING_HOLDS_MS = 6_000;
export const LOOKING_HOLDS_MS = 60_000;

export function applyEphemeral(presence: Presence, event: Ephemeral, now: number): Presence {
  if (event.kind === 'typing') {
    const writing = { ...presence.typing[event.conversation_id], [event.member_id]: now + TYPING_HOLDS_MS };
    return { ...presence, typing: { ...presence.typing, [event.conversation_id]: writing } };
  }
  if (event.kind === 'client_typing') {
    const clientTyping = { ...presence.clientTyping, [event.conversation_id]: now + TYPING_HOLDS_MS };
    return { ...presence, clientTyping };
  }
  // A kind that a later server knows.
  if (event.kind !== 'looking_at') return presence;
  const { [event.member_id]: _, ...looking } = presence.looking;
  if (event.conversation_id) {
    looking[event.member_id] = { conversationId: event.conversation_id, until: now + LOOKING_HOLDS_MS };
  }
  return { ...presence, looking };
}

/** Without what no longer holds; the same reference when everything still does. */
export function expire(presence: Presence, now: number): Presence {
  const typing: Presence['typing'] = {};
  let changed = false;
  for (const [conversation, members] of Object.entries(presence.typing)) {
    const live = Object.entries(members).filter(([, until]) => until > now);
    changed ||= live.length !== Object.keys(members).length;
    if (live.length > 0) typing[Number(conversation)] = Object.fromEntries(live);
  }
  const looking = Object.fromEntries(Object.entries(presence.looking).filter(([, { until }]) => until > now));
  changed ||= Object.keys(looking).length !== Object.keys(presence.looking).length;
  const clientTyping = Object.fromEntries(
    Object.entries(presence.clientTyping).filter(([, until]) => until > now),
  );
  changed ||= Object.keys(clientTyping).length !== Object.keys(presence.clientTyping).length;
  return changed ? { typing, clientTyping, looking } : presence;
}

/** The client has sent what was being written. */
export function clientWrote(presence: Presence, conversationIds: Iterable<number>): Presence {
  const clientTyping = { ...presence.clientTyping };
  let changed = false;
  for (const id of conversationIds) {
    changed ||= id in clientTyping;
    delete clientTyping[id];
  }
  return changed ? { ...presence, clientTyping } : presence;
}

export const createPresence = () => createStore<Presence>({ typing: {}, clientTyping: {}, looking: {} });
