import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { StoredDraft } from './drafts';
import type { OutboxItem } from './outbox';

/** What the browser keeps between visits: drafts and messages that wait to be sent. */

interface Schema extends DBSchema {
  /** By `owner/conversation`. */
  drafts: {
    key: string;
    value: StoredDraft;
    indexes: { owner: string };
  };
  /** By `client_message_id`. */
  outbox: { key: string; value: OutboxItem; indexes: { owner: string } };
}

export type Database = IDBPDatabase<Schema>;

/** Whose data: a user in a company. */
export const ownerOf = (userId: number, companyId: number) => `${userId}/${companyId}`;

export const openDatabase = (name = 'uzel'): Promise<Database> =>
  openDB<Schema>(name, 1, {
    upgrade(database) {
      database.createObjectStore('drafts').createIndex('owner', 'owner');
      database.createObjectStore('outbox', { keyPath: 'clientMessageId' }).createIndex('owner', 'owner');
    },
  });

/** Removes everything of all users: another person may sit down next. */
export async function forgetEverything(database: Database): Promise<void> {
  await Promise.all([database.clear('drafts'), database.clear('outbox')]);
}
