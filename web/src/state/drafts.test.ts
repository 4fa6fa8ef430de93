import { expect, it, vi } from 'vitest';
import { forgetEverything, openDatabase } from './database';
import { type Draft, Drafts, noDraft } from './drafts';

it('keeps a draft of each conversation over a reload, within half a second', async () => {
  const database = await openDatabase('drafts-1');
  const before = new Drafts('7/1', database);
  before.change(1, { text: 'Добрый' });
  before.change(1, { text: 'Добрый день', replyToMessageId: 5 });
  before.change(2, { text: 'Другому' });
  await vi.waitFor(async () => expect(await database.count('drafts')).toBe(2), { timeout: 500 });

  const after = new Drafts('7/1', database);
  await after.load();
  expect(after.of(1)).toEqual({ ...noDraft, text: 'Добрый день', replyToMessageId: 5 });
  expect(after.of(2).text).toBe('Другому');
  expect(after.of(3)).toEqual(noDraft);
});

it('does not show drafts to another user or in another company', async () => {
  const database = await openDatabase('drafts-2');
  const mine = new Drafts('7/1', database);
  mine.change(1, { text: 'Моё' });
  await mine.save();
  for (const owner of ['8/1', '7/2']) {
    const other = new Drafts(owner, database);
    await other.load();
    expect(other.of(1)).toEqual(noDraft);
  }
});

it('forgets a draft that was sent, and everything when the user leaves', async () => {
  const database = await openDatabase('drafts-3');
  const drafts = new Drafts('7/1', database);
  drafts.change(1, { text: 'a' });
  drafts.change(2, { text: 'b' });
  await drafts.save();
  drafts.change(1, noDraft);
  await drafts.save();
  expect(await database.count('drafts')).toBe(1);
  await forgetEverything(database);
  expect(await database.count('drafts')).toBe(0);
});

it('does not let what is loaded overwrite what was typed meanwhile', async () => {
  const database = await openDatabase('drafts-4');
  const before = new Drafts('7/1', database);
  before.change(1, { text: 'старое' });
  await before.save();
  const after = new Drafts('7/1', database);
  const loading = after.load();
  after.change(1, { text: 'новое' });
  await loading;
  expect(after.of(1).text).toBe('новое');
});

/** The server's side of drafts, shared by the devices of a member. */
function keeper() {
  const kept = new Map<number, { text: string; note: string; reply_to_message_id: number | null }>();
  let online = true;
  return {
    kept,
    goes: (next: boolean) => {
      online = next;
    },
    list: async () => {
      if (!online) throw new Error('offline');
      return {
        items: [...kept].map(([conversation_id, draft]) => ({
          ...draft,
          conversation_id,
          changed_at: '2026-11-23T11:05:00.000Z',
        })),
      };
    },
    save: async (id: number, { text, note, replyToMessageId }: Draft) => {
      if (!online) throw new Error('offline');
      if (text === '' && note === '' && replyToMessageId === null) kept.delete(id);
      else kept.set(id, { text, note, reply_to_message_id: replyToMessageId });
    },
  };
}

it('is found on another device, and gone there once it was sent', async () => {
  const server = keeper();
  const desk = new Drafts('7/1', null, server);
  const phone = new Drafts('7/1', null, server);
  desk.change(1, { text: 'Добрый', note: 'про себя' });
  await desk.sync();
  await phone.sync();
  expect(phone.of(1)).toEqual({ ...noDraft, text: 'Добрый', note: 'про себя' });
  desk.change(1, noDraft);
  await desk.sync();
  await phone.sync();
  expect(phone.of(1)).toEqual(noDraft);
});

it('wins over what the server has while it was not handed over, also after a reload', async () => {
  const database = await openDatabase('drafts-5');
  const server = keeper();
  server.kept.set(1, { text: 'с другого устройства', note: '', reply_to_message_id: null });
  server.goes(false);
  const before = new Drafts('7/1', database, server);
  await before.load();
  before.change(1, { text: 'написано без связи' });
  await before.sync();
  await before.save();
  server.goes(true);
  const after = new Drafts('7/1', database, server);
  await after.load();
  expect(after.of(1).text).toBe('написано без связи');
  expect(server.kept.get(1)?.text).toBe('написано без связи');
});

it('keeps what is typed while the answer of the server is on its way', async () => {
  const server = keeper();
  server.kept.set(1, { text: 'старое', note: '', reply_to_message_id: null });
  const drafts = new Drafts('7/1', null, server);
  const syncing = drafts.sync();
  drafts.change(1, { text: 'новое' });
  await syncing;
  expect(drafts.of(1).text).toBe('новое');
});

it('reads what an earlier version kept', async () => {
  const database = await openDatabase('drafts-6');
  const file = new File(['a'], 'a.txt');
  const old = { owner: '7/1', conversationId: 1, text: 'было', replyToMessageId: null, file };
  await database.put('drafts', old, '7/1/1');
  const drafts = new Drafts('7/1', database);
  await drafts.load();
  expect(drafts.of(1).text).toBe('было');
  expect(drafts.of(1).files).toHaveLength(1);
});
