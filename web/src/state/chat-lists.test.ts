import { beforeEach, describe, expect, it, vi } from 'vitest';
import * as api from '../api/conversations';
import type { ChatOrder } from '../api/types';
import { conversation } from '../mocks/entities';
import { batchOf } from '../realtime/apply';
import { GROWN_ROWS, keyOf, rowsFrom, section, WINDOW_ROWS } from './chat-list';
import { Workspace } from './workspace';

vi.mock('../api/conversations');

/** A company with this many chats; the id of each is its place in both orders. */
const CHATS = 5_000;
const ALL = section('all');
const COMPANY = { id: 1, name: 'Точка роста', time_zone: 'Europe/Moscow', version: 0, created_at: '' };
const ME = {
  id: 7,
  user_id: 7,
  name: 'Марина',
  role: 'operator' as const,
  version: 0,
  created_at: '',
};

let position: { epoch: string; offset: number };
let workspace: Workspace;

const row = (id: number) => conversation({ id, activity: id, version: id });
const key = (cursor: string) => Number(cursor.split('.')[1]);

beforeEach(() => {
  position = { epoch: 'a', offset: CHATS };
  vi.mocked(api.listConversations).mockImplementation(async (_company, query) => {
    const limit = query.limit ?? 50;
    const from = query.above ? key(query.above) + limit : query.cursor ? key(query.cursor) - 1 : CHATS;
    const top = Math.min(CHATS, from);
    const ids = Array.from({ length: limit }, (_, index) => top - index).filter((id) => id > 0);
    const rows = query.above ? ids.filter((id) => id > key(query.above ?? '')) : ids;
    const last = rows[rows.length - 1] ?? 0;
    return {
      items: rows.map(row),
      read_markers: [],
      next_cursor: last > 1 ? `${query.order}.${last}` : null,
      previous_cursor: top < CHATS ? `${query.order}.${rows[0]}` : null,
      position,
    };
  });
  vi.mocked(api.countConversations).mockImplementation(async () => ({
    open: CHATS,
    mine: 0,
    unassigned: CHATS,
    active: 0,
    archived: 0,
    unanswered: 0,
    unanswered_mine: 0,
    position,
  }));
  workspace = new Workspace(COMPANY, ME, 'activity', null);
});

const listOf = () => {
  const list = workspace.store.get().lists[workspace.chats.keyOf(ALL)];
  if (!list) throw new Error('no list');
  return list;
};
const shown = (order: ChatOrder = 'activity') => {
  const { ceiling, horizon } = listOf();
  const { conversations } = workspace.store.get().entities;
  return rowsFrom(conversations, ALL, order, ME.id, 0, horizon)
    .map((one) => keyOf(order, one))
    .filter((place) => place <= ceiling);
};
const held = () => Object.keys(workspace.store.get().entities.conversations).length;
const from = (first: number, length: number) => Array.from({ length }, (_, index) => first - index);

async function open() {
  workspace.chats.show(ALL);
  await vi.waitFor(() => expect(listOf().status).toBe('ready'));
}

async function scroll(side: 'above' | 'below', pages: number) {
  for (let page = 0; page < pages; page += 1) {
    await workspace.chats.loadMore(ALL, side);
    workspace.chats.trim(ALL, side === 'below' ? 'above' : 'below');
  }
}

describe('a list of any length', () => {
  it('is held as a window, without a gap, down to its end and up again', async () => {
    await open();
    for (let pages = 0; pages < 124; pages += 4) {
      await scroll('below', 4);
      const places = shown();
      expect(places).toEqual(from(places[0] ?? 0, places.length));
      expect(places.length).toBeLessThanOrEqual(GROWN_ROWS);
      expect(held()).toBeLessThanOrEqual(2_000 + GROWN_ROWS);
    }
    expect(listOf().horizon).toBe(Number.NEGATIVE_INFINITY);
    expect(shown().length).toBeGreaterThanOrEqual(WINDOW_ROWS - 40);
    await scroll('above', 130);
    expect(listOf().ceiling).toBe(Number.POSITIVE_INFINITY);
    expect(shown()).toEqual(from(CHATS, shown().length));
    expect(shown().length).toBeLessThanOrEqual(GROWN_ROWS);
  });

  it('tells of what comes to the top while its window is elsewhere, and keeps its rows', async () => {
    await open();
    await scroll('below', 30);
    const before = shown();
    expect(listOf()).toMatchObject({ news: false });
    expect(listOf().ceiling).toBeLessThan(CHATS);
    const moved = { ...row(3), activity: CHATS + 1, version: CHATS + 1 };
    const event = {
      offset: CHATS + 1,
      type: 'message_received' as const,
      at: '',
      origin: { kind: 'system' as const },
      conversation: moved,
    };
    position = { epoch: 'a', offset: CHATS + 1 };
    workspace.absorbEvents(position, [event]);
    expect(listOf().news).toBe(true);
    expect(shown()).toEqual(before);
    // Looked at again, it begins at its top and has no news of old.
    workspace.chats.show(ALL);
    await vi.waitFor(() => expect(listOf().status).toBe('ready'));
    expect(listOf()).toMatchObject({ news: false, ceiling: Number.POSITIVE_INFINITY });
  });

  it('lets go of nothing while an answer is under way that could bring back what was', async () => {
    await open();
    await scroll('below', 10);
    const many = from(-1, 2_500).map((id) => conversation({ id, activity: id - 10_000, version: 1 }));
    let release: () => void = () => undefined;
    vi.mocked(api.getConversation).mockImplementation(
      () =>
        new Promise((resolve) => {
          release = () => resolve({ conversation: row(1), read_marker: null, position });
        }),
    );
    vi.mocked(api.listMessages).mockResolvedValue({
      items: [],
      older_cursor: null,
      newer_cursor: null,
      position,
    });
    workspace.showThread(1);
    const changes = many.map((one) => ({ conversation: one }));
    workspace.absorb(batchOf(changes));
    workspace.absorbEvents(position, []);
    expect(held()).toBeGreaterThan(2_500);
    release();
    await vi.waitFor(() => expect(workspace.store.get().threads[1]?.status).toBe('ready'));
    workspace.absorbEvents(position, []);
    expect(held()).toBe(shown().length + 1);
    expect(workspace.store.get().entities.conversations[1]).toBeDefined();
  });
});
