import { describe, expect, it } from 'vitest';
import { message } from '../../mocks/entities';
import type { OutboxItem } from '../../state/outbox';
import { timeline } from './timeline';

const at = (time: string) => `2026-11-23T${time}:00.000`;
const echo = (some: Partial<OutboxItem> = {}): OutboxItem => ({
  clientMessageId: 'a',
  owner: '7/1',
  conversationId: 1,
  channelId: 1,
  text: 'Да',
  file: null,
  fileKind: null,
  attachmentId: null,
  replyToMessageId: null,
  createdAt: at('10:02'),
  sequence: 1,
  refusal: null,
  ...some,
});
const shape = (rows: ReturnType<typeof timeline>) =>
  rows.map((row) =>
    'first' in row ? `${row.kind}${row.first ? ' first' : ''}${row.last ? ' last' : ''}` : row.kind,
  );

describe('timeline', () => {
  it('puts a day between messages of different days', () => {
    const rows = timeline(
      [
        message({ id: 1, sent_at: '2026-11-22T23:59:00.000' }),
        message({ id: 2, position: 2, sent_at: at('00:01') }),
      ],
      [],
      7,
      null,
    );
    expect(shape(rows)).toEqual(['day', 'bubble first last', 'day', 'bubble first last']);
  });

  it('groups bubbles of one author within five minutes', () => {
    const rows = timeline(
      [
        message({ id: 1, sent_at: at('10:00') }),
        message({ id: 2, sent_at: at('10:03') }),
        message({ id: 3, sent_at: at('10:20') }),
        message({ id: 4, direction: 'outgoing', author_member_id: 7, sent_at: at('10:20') }),
        message({ id: 5, direction: 'outgoing', author_member_id: 8, sent_at: at('10:21') }),
      ],
      [],
      7,
      null,
    );
    expect(shape(rows)).toEqual([
      'day',
      'bubble first',
      'bubble last',
      'bubble first last',
      'bubble first last',
      'bubble first last',
    ]);
  });

  it('marks where the unread messages begin, once, and only before a message of the client', () => {
    const rows = timeline(
      [
        message({ id: 1, position: 1, sent_at: at('10:00') }),
        message({ id: 2, position: 5, direction: 'outgoing', author_member_id: 7, sent_at: at('10:00') }),
        message({ id: 3, position: 6, sent_at: at('10:01') }),
        message({ id: 4, position: 7, sent_at: at('10:01') }),
      ],
      [],
      7,
      4,
    );
    expect(shape(rows)).toEqual([
      'day',
      'bubble first last',
      'bubble first last',
      'unread',
      'bubble first',
      'bubble last',
    ]);
  });

  it('makes one bubble of an album', () => {
    const rows = timeline(
      [1, 2, 3].map((id) => message({ id, album_id: 'x', sent_at: at('10:00') })),
      [],
      7,
      null,
    );
    expect(shape(rows)).toEqual(['day', 'bubble first last']);
    expect(rows[1]).toMatchObject({ messages: [{ id: 1 }, { id: 2 }, { id: 3 }] });
  });

  it('lets the outbox follow in its order, within the group of its author', () => {
    const mine = message({ direction: 'outgoing', author_member_id: 7, sent_at: at('10:01') });
    const rows = timeline([mine], [echo(), echo({ clientMessageId: 'b' })], 7, null);
    expect(shape(rows)).toEqual(['day', 'bubble first', 'echo', 'echo last']);
  });
});
