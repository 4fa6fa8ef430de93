import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamEvent } from '../api/types';
import { channel, conversation, member, message, readMarker } from '../mocks/entities';
import { apply, applyEvents, noEntities } from './apply';

const event = (offset: number, changes: Partial<StreamEvent>): StreamEvent => ({
  offset,
  type: 'message_received',
  at: '2026-11-23T11:05:00.000Z',
  origin: { kind: 'system' },
  ...changes,
});

/** A log: every event carries new states whose version is its offset. */
const log = fc
  .array(
    fc.record({
      what: fc.constantFrom('message', 'conversation', 'marker', 'channel', 'member'),
      id: fc.integer({ min: 1, max: 4 }),
      other: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((entries) =>
    entries.map(({ what, id, other }, index) => {
      const version = index + 1;
      switch (what) {
        case 'message':
          // A message never moves to another conversation.
          return event(version, {
            message: message({ id, conversation_id: (id % 2) + 1, version }),
            conversation: conversation({ id: (id % 2) + 1, version, activity: version }),
          });
        case 'conversation':
          return event(version, { conversation: conversation({ id, version, unanswered_count: other }) });
        case 'marker':
          return event(version, {
            read_marker: readMarker({ conversation_id: id, member_id: other, version, position: version }),
          });
        case 'channel':
          return event(version, { channel: channel({ id, version }) });
        default:
          return event(version, { member: member({ id, version }) });
      }
    }),
  );

describe('apply', () => {
  it('gives the same state for any order of the same events', () => {
    fc.assert(
      fc.property(log, fc.infiniteStream(fc.nat()), (events, chance) => {
        const expected = applyEvents(noEntities, events);
        const shuffled = [...events];
        for (let index = shuffled.length - 1; index > 0; index -= 1) {
          const other = (chance.next().value as number) % (index + 1);
          [shuffled[index], shuffled[other]] = [
            shuffled[other] as StreamEvent,
            shuffled[index] as StreamEvent,
          ];
        }
        expect(shuffled.reduce((state, next) => applyEvents(state, [next]), noEntities)).toEqual(expected);
      }),
    );
  });

  it('changes nothing when events come twice or after a later snapshot', () => {
    fc.assert(
      fc.property(log, fc.nat(), (events, cut) => {
        const after = applyEvents(noEntities, events);
        expect(applyEvents(after, events)).toBe(after);
        expect(applyEvents(after, events.slice(0, cut % events.length))).toBe(after);
      }),
    );
  });

  it('keeps the newer state, whether an answer or an event brought it', () => {
    const answer = apply(noEntities, { messages: [message({ version: 5, edited_at: 'later' })] });
    const late = applyEvents(answer, [event(3, { message: message({ version: 3 }) })]);
    expect(late).toBe(answer);
    const newer = applyEvents(answer, [event(9, { message: message({ version: 9 }) })]);
    expect(newer.messages[1]?.[1]?.version).toBe(9);
  });

  it('leaves what did not change the very same', () => {
    const before = apply(noEntities, {
      messages: [message({ id: 1, conversation_id: 1 }), message({ id: 2, conversation_id: 2 })],
      members: [member()],
    });
    const after = apply(before, { messages: [message({ id: 3, conversation_id: 2, version: 4 })] });
    expect(after.messages[1]).toBe(before.messages[1]);
    expect(after.messages[2]).not.toBe(before.messages[2]);
    expect(after.members).toBe(before.members);
    expect(before.messages[2]).not.toHaveProperty('3');
  });
});
