import { expect, it, vi } from 'vitest';
import { forgetEverything, openDatabase } from './database';
import { Drafts, noDraft } from './drafts';

it('keeps a draft of each conversation over a reload, within half a second', async () => {
  const database = await openDatabase('drafts-1');
  const before = new Drafts('7/1', database);
  before.change(1, { text: 'Добрый' });
  before.change(1, { text: 'Добрый день', replyToMessageId: 5 });
  before.change(2, { text: 'Другому' });
  await vi.waitFor(async () => expect(await database.count('drafts')).toBe(2), { timeout: 500 });

  const after = new Drafts('7/1', database);
  await after.load();
  expect(after.of(1)).toEqual({ text: 'Добрый день', replyToMessageId: 5, file: null });
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
  drafts.clear(1);
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
