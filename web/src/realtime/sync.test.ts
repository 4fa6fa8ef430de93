import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as channels from '../api/channels';
import * as companies from '../api/companies';
import * as conversations from '../api/conversations';
import { ApiError } from '../api/error';
import * as quickReplies from '../api/quick-replies';
import type { StreamEvent } from '../api/types';
import { channel, conversation, member, message } from '../mocks/entities';
import { FakeWorld } from '../mocks/fake-socket';
import { section } from '../state/chat-list';
import { OPEN_KEY } from '../state/chat-lists';
import { Workspace } from '../state/workspace';
import { Sync } from './sync';

vi.mock('../api/conversations');
vi.mock('../api/channels');
vi.mock('../api/quick-replies');
vi.mock('../api/companies');

const at = (offset: number, epoch = 'a') => ({ epoch, offset });
const QUERY = section('open');
const COMPANY = {
  id: 1,
  name: 'Точка роста',
  time_zone: 'Europe/Moscow',
  version: 0,
  created_at: '2026-11-23T11:05:00.000Z',
};

/** A server whose answers a test changes as it goes. */
let server: {
  offset: number;
  epoch: string;
  rows: ReturnType<typeof conversation>[];
  messages: ReturnType<typeof message>[];
};
let world: FakeWorld;
let workspace: Workspace;
let sync: Sync;

beforeEach(() => {
  vi.clearAllMocks();
  server = { offset: 10, epoch: 'a', rows: [conversation({ id: 1, activity: 5, version: 5 })], messages: [] };
  const position = () => at(server.offset, server.epoch);
  vi.mocked(conversations.listMembers).mockImplementation(async () => ({
    items: [member()],
    position: position(),
  }));
  vi.mocked(companies.getCompany).mockImplementation(async () => ({
    company: COMPANY,
    position: position(),
  }));
  vi.mocked(channels.listChannels).mockImplementation(async () => ({
    items: [channel()],
    position: position(),
  }));
  vi.mocked(quickReplies.listQuickReplies).mockImplementation(async () => ({
    items: [],
    position: position(),
  }));
  const drafts = new Map<number, { text: string; note: string; reply_to_message_id: number | null }>();
  vi.mocked(conversations.saveDraft).mockImplementation(async (_company, id, draft) => {
    drafts.set(id, { text: '', note: '', reply_to_message_id: null, ...draft });
  });
  vi.mocked(conversations.listDrafts).mockImplementation(async () => ({
    items: [...drafts].map(([conversation_id, draft]) => ({ ...draft, conversation_id, changed_at: '' })),
  }));
  vi.mocked(conversations.listConversations).mockImplementation(async () => ({
    items: server.rows,
    read_markers: [],
    next_cursor: null,
    previous_cursor: null,
    position: position(),
  }));
  vi.mocked(conversations.countConversations).mockImplementation(async () => ({
    open: server.rows.length,
    mine: 0,
    unassigned: server.rows.length,
    active: 0,
    archived: 0,
    unanswered: 0,
    unanswered_mine: 0,
    position: position(),
  }));
  vi.mocked(conversations.getConversation).mockImplementation(async (_company, id) => {
    const row = server.rows.find((one) => one.id === id);
    if (!row) throw new ApiError(404, 'not_found');
    return { conversation: row, read_marker: null, position: position() };
  });
  vi.mocked(conversations.listMessages).mockImplementation(async () => ({
    items: server.messages,
    older_cursor: null,
    newer_cursor: null,
    position: position(),
  }));
  world = new FakeWorld();
  workspace = new Workspace(COMPANY, member(), 'activity', null);
  sync = new Sync(workspace, world);
});

afterEach(() => {
  sync.stop();
  workspace.stop();
});

const hello = () => world.last.say({ type: 'hello', protocol: 1, heartbeat_seconds: 25 });
const watching = (recovered: boolean, position: { epoch: string; offset: number }, end = position.offset) =>
  world.last.say({ type: 'watching', company_id: 1, recovered, position, end });
const events = (position: { epoch: string; offset: number }, list: StreamEvent[]) =>
  world.last.say({ type: 'events', company_id: 1, position, events: list });
const changed = (offset: number, more: Partial<ReturnType<typeof conversation>>): StreamEvent => ({
  offset,
  type: 'message_received',
  at: '2026-11-23T11:05:00.000Z',
  origin: { kind: 'system' },
  conversation: conversation({ version: offset, activity: offset, ...more }),
});
const phase = () => sync.socket.state.get().phase;
const held = () => workspace.store.get().entities.conversations;
const watches = () => world.last.sent.filter((frame) => frame.type === 'watch');

async function goLive() {
  workspace.start();
  workspace.chats.show(QUERY);
  sync.start();
  await vi.waitFor(() => expect(workspace.position).not.toBeNull());
  hello();
  watching(true, at(10));
  await vi.waitFor(() => expect(held()[1]).toBeDefined());
  expect(phase()).toBe('live');
}

describe('in step with the log', () => {
  it('watches from the oldest of its first answers, so that no event falls between', async () => {
    vi.mocked(channels.listChannels).mockResolvedValue({ items: [], position: at(8) });
    workspace.start();
    sync.start();
    hello();
    expect(watches()).toEqual([]);
    await vi.waitFor(() => expect(watches()).toEqual([{ type: 'watch', company_id: 1, position: at(8) }]));
  });

  it('asks again when an answer is older than the point from which it watches', async () => {
    await goLive();
    vi.mocked(conversations.listConversations).mockResolvedValueOnce({
      items: [conversation({ id: 2, version: 4 })],
      read_markers: [],
      next_cursor: null,
      previous_cursor: null,
      position: at(9),
    });
    const before = vi.mocked(conversations.listConversations).mock.calls.length;
    await workspace.chats.load(section('all'));
    expect(vi.mocked(conversations.listConversations).mock.calls.length).toBe(before + 2);
    expect(held()[2]).toBeUndefined();
  });

  it('is live only when everything missed has arrived', async () => {
    workspace.start();
    sync.start();
    await vi.waitFor(() => expect(workspace.position).not.toBeNull());
    hello();
    watching(true, at(10), 12);
    expect(phase()).toBe('recovering');
    events(at(11), [changed(11, { id: 1 })]);
    expect(phase()).toBe('recovering');
    events(at(12), [changed(12, { id: 2 })]);
    expect(phase()).toBe('live');
    expect(Object.keys(held())).toEqual(['1', '2']);
  });

  it('continues from where it was, also when hidden events moved the position', async () => {
    await goLive();
    events(at(15), []);
    world.last.shut(1006);
    sync.socket.retryNow();
    hello();
    expect(watches()).toEqual([{ type: 'watch', company_id: 1, position: at(15) }]);
  });

  it('loads what is on screen anew when the server cannot continue, and forgets the rest', async () => {
    await goLive();
    workspace.drafts.change(1, { text: 'Черновик' });
    events(at(11), [changed(11, { id: 3 })]);
    world.last.shut(4000);
    sync.socket.retryNow();
    hello();
    server = { ...server, epoch: 'b', offset: 3, rows: [conversation({ id: 1, activity: 2, version: 2 })] };
    watching(false, at(3, 'b'));
    // The old state stays on screen meanwhile.
    expect(Object.keys(held())).toEqual(['1', '3']);
    expect(workspace.store.get().reloading).toBe(true);
    await vi.waitFor(() => expect(phase()).toBe('live'));
    // A smaller version of a new epoch is the truth.
    expect(held()).toEqual({ 1: expect.objectContaining({ version: 2 }) });
    expect(workspace.drafts.of(1).text).toBe('Черновик');
    expect(workspace.store.get().lists['open////activity']?.status).toBe('ready');
  });

  it('keeps events that arrive while it loads anew', async () => {
    await goLive();
    server.offset = 20;
    let release: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      release = resolve;
    });
    vi.mocked(conversations.listConversations).mockImplementation(async () => {
      await late;
      return {
        items: [conversation({ id: 1, version: 20 })],
        read_markers: [],
        next_cursor: null,
        previous_cursor: null,
        position: at(20),
      };
    });
    watching(false, at(20));
    events(at(21), [changed(21, { id: 1, unanswered_count: 9 })]);
    expect(held()[1]?.unanswered_count).toBe(0);
    release();
    await vi.waitFor(() => expect(phase()).toBe('live'));
    expect(held()[1]).toMatchObject({ version: 21, unanswered_count: 9 });
    expect(workspace.position).toEqual(at(21));
  });

  it('does not take an unfinished load for a recovered state', async () => {
    await goLive();
    vi.mocked(conversations.listMembers).mockRejectedValueOnce(new ApiError(503, 'unavailable'));
    world.last.shut(1006);
    sync.socket.retryNow();
    hello();
    server = { ...server, offset: 30, rows: [conversation({ id: 1, version: 30 })] };
    watching(false, at(30));
    await vi.waitFor(() => expect(vi.mocked(conversations.listMembers).mock.calls.length).toBe(2));
    await Promise.resolve();
    // The line breaks before the second try; the server could now continue from 30.
    world.last.shut(1006);
    sync.socket.retryNow();
    hello();
    expect(watches()).toEqual([{ type: 'watch', company_id: 1, position: at(30) }]);
    watching(true, at(30));
    expect(phase()).toBe('recovering');
    await vi.waitFor(() => expect(phase()).toBe('live'));
    expect(held()[1]?.version).toBe(30);
  });

  it('tries again by itself when loading anew fails', async () => {
    await goLive();
    vi.mocked(conversations.listMembers).mockRejectedValueOnce(new ApiError(0, 'network'));
    server = { ...server, offset: 30 };
    watching(false, at(30));
    await vi.waitFor(() => expect(vi.mocked(conversations.listMembers).mock.calls.length).toBe(2));
    await vi.waitFor(() => {
      world.pass(3_000);
      expect(phase()).toBe('live');
    });
  });

  it('shows a conversation that is gone after the reload as gone', async () => {
    server.messages = [message({ version: 6 })];
    await goLive();
    workspace.showThread(1);
    await vi.waitFor(() => expect(workspace.store.get().threads[1]?.status).toBe('ready'));
    server = { ...server, offset: 40, rows: [], messages: [] };
    vi.mocked(conversations.listMessages).mockRejectedValue(new ApiError(404, 'not_found'));
    watching(false, at(40));
    await vi.waitFor(() => expect(workspace.store.get().missing[1]).toBe(true));
  });
});

describe('counts', () => {
  it('follow the events without asking, and ask when a conversation was not known', async () => {
    await goLive();
    workspace.chats.loadCounts();
    await vi.waitFor(() =>
      expect(workspace.store.get().counts[OPEN_KEY]).toMatchObject({ open: 1, unassigned: 1 }),
    );
    const asked = vi.mocked(conversations.countConversations).mock.calls.length;
    events(at(11), [changed(11, { id: 1, assignee_id: 7 })]);
    expect(workspace.store.get().counts[OPEN_KEY]).toMatchObject({ open: 1, mine: 1, unassigned: 0 });
    expect(vi.mocked(conversations.countConversations).mock.calls.length).toBe(asked);
    server = { ...server, offset: 12, rows: [...server.rows, conversation({ id: 2, version: 12 })] };
    events(at(12), [changed(12, { id: 2 })]);
    await vi.waitFor(
      () => expect(vi.mocked(conversations.countConversations).mock.calls.length).toBe(asked + 1),
      { timeout: 3000 },
    );
  });
});
