import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { NewMessage } from '../api/conversations';
import { ApiError } from '../api/error';
import type { Message } from '../api/types';
import { attachment, message } from '../mocks/entities';
import { openDatabase } from './database';
import { newClientMessageId, Outbox, type OutboxItem, type OutboxWorld } from './outbox';

const OWNER = '7/1';
let posted: NewMessage[];
let absorbed: Message[];
let answers: (() => Promise<void>)[];
let timers: (() => void)[];
let world: OutboxWorld & { online: boolean };
let name = 0;

beforeEach(() => {
  posted = [];
  absorbed = [];
  answers = [];
  timers = [];
  world = {
    online: true,
    upload: async () => attachment({ id: 55 }),
    post: async (item, body) => {
      posted.push(body);
      await answers.shift()?.();
      return message({ id: 100 + posted.length, client_message_id: item.clientMessageId });
    },
    absorb: (arrived) => absorbed.push(arrived),
    isOnline: () => world.online,
    now: () => 1_000,
    random: () => 0,
    setTimer: (run) => timers.push(run),
  };
});

const entry = (text: string, conversationId = 1, file: File | null = null) => ({
  conversationId,
  channelId: 1,
  text,
  file,
  fileKind: null,
  replyToMessageId: null,
});
const fail = (error: ApiError) => async () => {
  throw error;
};
const texts = () => posted.map((body) => body.text);
const waiting = (outbox: Outbox) => outbox.store.get().items.map((item) => item.text);
const quiet = (outbox: Outbox) => vi.waitFor(() => expect(waiting(outbox)).toEqual([]));

describe('the outbox', () => {
  it('sends one at a time within a conversation, in the order of writing', async () => {
    const outbox = new Outbox(OWNER, null, world);
    let release: () => void = () => undefined;
    answers = [() => new Promise((resolve) => (release = resolve))];
    for (const text of ['1', '2', '3']) outbox.add(entry(text));
    expect(texts()).toEqual(['1']);
    release();
    await quiet(outbox);
    expect(texts()).toEqual(['1', '2', '3']);
    expect(absorbed).toHaveLength(3);
  });

  it('does not let one conversation wait for another', async () => {
    const outbox = new Outbox(OWNER, null, world);
    answers = [() => new Promise(() => undefined)];
    outbox.add(entry('stuck', 1));
    outbox.add(entry('free', 2));
    await vi.waitFor(() => expect(texts()).toEqual(['stuck', 'free']));
  });

  it('posts again under the same id after a lost answer, and keeps the order', async () => {
    const outbox = new Outbox(OWNER, null, world);
    answers = [fail(new ApiError(0, 'network')), fail(new ApiError(503, 'unavailable'))];
    outbox.add(entry('1'));
    outbox.add(entry('2'));
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await vi.waitFor(() => expect(timers).toHaveLength(attempt));
      expect(waiting(outbox)).toEqual(['1', '2']);
      timers[attempt - 1]?.();
    }
    await quiet(outbox);
    expect(texts()).toEqual(['1', '1', '1', '2']);
    expect(new Set(posted.slice(0, 3).map((body) => body.client_message_id)).size).toBe(1);
  });

  it('keeps what the server refuses with its reason, goes on, and sends again on request', async () => {
    const outbox = new Outbox(OWNER, null, world);
    answers = [fail(new ApiError(422, 'text_too_long', { params: { limit: 10 } }))];
    outbox.add(entry('bad'));
    outbox.add(entry('good'));
    await vi.waitFor(() => expect(texts()).toEqual(['bad', 'good']));
    const [item] = outbox.store.get().items as [OutboxItem];
    expect(item.refusal).toEqual({ code: 'text_too_long', params: { limit: 10 }, requestId: null });
    outbox.retry(item.clientMessageId);
    await quiet(outbox);
  });

  it('waits for the network', async () => {
    const outbox = new Outbox(OWNER, null, world);
    world.online = false;
    outbox.add(entry('later'));
    expect(texts()).toEqual([]);
    world.online = true;
    outbox.flush();
    await quiet(outbox);
  });

  it('survives a reload of the page, in order, for its owner only', async () => {
    name += 1;
    const database = await openDatabase(`outbox-${name}`);
    world.online = false;
    const before = new Outbox(OWNER, database, world);
    before.add(entry('1'));
    before.add(entry('2'));
    await vi.waitFor(async () => expect(await database.count('outbox')).toBe(2));
    before.stop();

    const stranger = new Outbox('8/1', database, world);
    await stranger.load();
    expect(waiting(stranger)).toEqual([]);

    world.online = true;
    const after = new Outbox(OWNER, database, world);
    await after.load();
    await quiet(after);
    expect(texts()).toEqual(['1', '2']);
    await vi.waitFor(async () => expect(await database.count('outbox')).toBe(0));
  });

  it('uploads a file once, however often the message is posted', async () => {
    const upload = vi.fn(world.upload);
    const outbox = new Outbox(OWNER, null, { ...world, upload });
    answers = [fail(new ApiError(0, 'network'))];
    outbox.add(entry('', 1, new File(['x'], 'a.pdf')));
    await vi.waitFor(() => expect(timers).toHaveLength(1));
    timers[0]?.();
    await quiet(outbox);
    expect(upload).toHaveBeenCalledTimes(1);
    expect(posted.map((body) => body.attachment_ids)).toEqual([[55], [55]]);
  });

  it('does not post what was thrown away while its file was under way', async () => {
    let abort: () => void = () => undefined;
    const upload: OutboxWorld['upload'] = (_item, _file, _progress, signal) =>
      new Promise((_resolve, reject) => {
        abort = () => reject(new ApiError(0, 'cancelled'));
        signal.addEventListener('abort', abort);
      });
    const outbox = new Outbox(OWNER, null, { ...world, upload });
    const item = outbox.add(entry('', 1, new File(['x'], 'a.pdf')));
    outbox.remove(item.clientMessageId);
    outbox.add(entry('next'));
    await quiet(outbox);
    expect(texts()).toEqual(['next']);
  });

  it('drops an item as soon as its message is known, by whatever way', () => {
    const outbox = new Outbox(OWNER, null, world);
    world.online = false;
    const item = outbox.add(entry('1'));
    outbox.settle((candidate) => candidate.clientMessageId === item.clientMessageId);
    expect(waiting(outbox)).toEqual([]);
  });

  it('makes ids of at most 64 characters, also where the browser has no randomUUID', () => {
    const withUuid = newClientMessageId();
    const original = crypto.randomUUID;
    Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
    const without = newClientMessageId();
    Object.defineProperty(crypto, 'randomUUID', { value: original, configurable: true });
    for (const id of [withUuid, without]) expect(id).toMatch(/^[\w-]{32,64}$/);
    expect(without).not.toBe(withUuid);
  });
});
