import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type {
  Channel,
  Company,
  Conversation,
  Member,
  Message,
  QuickReply,
  ReadMarker,
  StreamEvent,
} from '../api/types';
import { apply, applyEvents, noEntities } from './apply';

/**
 * The server's tests write, for every action, the state before, the events it emitted and the state
 * after. Applying the events to the first must give the second: two languages, one truth.
 */
const FOLDER = join(process.cwd(), '../tests/replay');

interface Snapshot {
  conversations: Record<string, Conversation>;
  messages: Record<string, Message>;
  channels: Record<string, Channel>;
  companies: Record<string, Company>;
  members: Record<string, Member>;
  read_markers: Record<string, ReadMarker>;
  quick_replies: Record<string, QuickReply>;
}

interface Triple {
  before: Snapshot;
  events: StreamEvent[];
  after: Snapshot;
}

const load = (snapshot: Snapshot) =>
  apply(noEntities, {
    conversations: Object.values(snapshot.conversations),
    messages: Object.values(snapshot.messages),
    channels: Object.values(snapshot.channels),
    companies: Object.values(snapshot.companies),
    members: Object.values(snapshot.members),
    readMarkers: Object.values(snapshot.read_markers),
    quickReplies: Object.values(snapshot.quick_replies),
  });

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

describe('state before + events = state after', () => {
  it('has triples to prove it with', () => {
    expect(files.length, `no triples in ${FOLDER}; run the tests of the server`).toBeGreaterThan(0);
  });

  it.each(files)('%s', (name) => {
    const triple = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Triple;
    const before = load(triple.before);
    const after = load(triple.after);
    expect(applyEvents(before, triple.events)).toEqual(after);
    // One by one, as frames may bring them.
    expect(triple.events.reduce((state, event) => applyEvents(state, [event]), before)).toEqual(after);
    // Again, after a newer snapshot, and in reverse: nothing changes.
    expect(applyEvents(after, triple.events)).toBe(after);
    expect(applyEvents(before, [...triple.events].reverse())).toEqual(after);
  });
});
