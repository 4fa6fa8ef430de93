import type {
  Changes,
  Channel,
  Company,
  Conversation,
  Member,
  Message,
  QuickReply,
  ReadMarker,
  StreamEvent,
} from '../api/types';

/**
 * The one reducer: HTTP answers and events alike become a new state here, and nowhere else.
 *
 * Every entity carries the offset of the event that last changed it. Newer wins, whatever arrives first;
 * applying anything twice, late or out of order changes nothing. What did not change keeps its reference.
 */
export interface Entities {
  companies: Record<number, Company>;
  members: Record<number, Member>;
  channels: Record<number, Channel>;
  conversations: Record<number, Conversation>;
  /** By conversation, then by id. */
  messages: Record<number, Record<number, Message>>;
  /** By conversation, then by member. */
  readMarkers: Record<number, Record<number, ReadMarker>>;
  /** With marks of deleted ones, so that nothing late brings them back. */
  quickReplies: Record<number, QuickReply>;
}

export const noEntities: Entities = {
  companies: {},
  members: {},
  channels: {},
  conversations: {},
  messages: {},
  readMarkers: {},
  quickReplies: {},
};

/** What an HTTP answer hands over. */
export interface Batch {
  companies?: readonly Company[];
  members?: readonly Member[];
  channels?: readonly Channel[];
  conversations?: readonly Conversation[];
  messages?: readonly Message[];
  readMarkers?: readonly ReadMarker[];
  quickReplies?: readonly QuickReply[];
}

export function apply(state: Entities, batch: Batch): Entities {
  const companies = upsert(state.companies, batch.companies);
  const members = upsert(state.members, batch.members);
  const channels = upsert(state.channels, batch.channels);
  const conversations = upsert(state.conversations, batch.conversations);
  const messages = upsertNested(state.messages, batch.messages, (message) => message.id);
  const readMarkers = upsertNested(state.readMarkers, batch.readMarkers, (marker) => marker.member_id);
  const quickReplies = upsert(state.quickReplies, batch.quickReplies);
  const unchanged =
    companies === state.companies &&
    members === state.members &&
    channels === state.channels &&
    conversations === state.conversations &&
    messages === state.messages &&
    readMarkers === state.readMarkers &&
    quickReplies === state.quickReplies;
  return unchanged
    ? state
    : { companies, members, channels, conversations, messages, readMarkers, quickReplies };
}

export const applyEvents = (state: Entities, events: readonly StreamEvent[]): Entities =>
  apply(state, batchOf(events));

export function batchOf(changes: readonly Changes[]): Batch {
  return {
    companies: present(changes, 'company'),
    members: present(changes, 'member'),
    channels: present(changes, 'channel'),
    conversations: present(changes, 'conversation'),
    messages: present(changes, 'message'),
    readMarkers: present(changes, 'read_marker'),
    quickReplies: present(changes, 'quick_reply'),
  };
}

function present<K extends keyof Changes>(changes: readonly Changes[], key: K): NonNullable<Changes[K]>[] {
  return changes.flatMap((change) => {
    const entity = change[key];
    return entity ? [entity as NonNullable<Changes[K]>] : [];
  });
}

interface Versioned {
  version: number;
}

function upsert<T extends Versioned & { id: number }>(
  held: Record<number, T>,
  incoming: readonly T[] = [],
): Record<number, T> {
  let next = held;
  for (const entity of incoming) {
    const known = next[entity.id];
    if (known && known.version >= entity.version) continue;
    if (next === held) next = { ...held };
    next[entity.id] = entity;
  }
  return next;
}

function upsertNested<T extends Versioned & { conversation_id: number }>(
  held: Record<number, Record<number, T>>,
  incoming: readonly T[] = [],
  keyOf: (entity: T) => number,
): Record<number, Record<number, T>> {
  let next = held;
  for (const entity of incoming) {
    const outer = entity.conversation_id;
    const known = next[outer]?.[keyOf(entity)];
    if (known && known.version >= entity.version) continue;
    if (next === held) next = { ...held };
    // Copied once per call: afterwards the inner record is ours.
    if (next[outer] === held[outer]) next[outer] = { ...held[outer] };
    (next[outer] as Record<number, T>)[keyOf(entity)] = entity;
  }
  return next;
}
