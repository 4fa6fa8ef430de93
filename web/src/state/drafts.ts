import type { Database } from './database';
import { createStore } from './store';

/**
 * Drafts: one for each conversation of a user, in memory at once and in the browser's database within
 * half a second. A draft never leaks into another conversation: its key is the conversation.
 */

export interface Draft {
  text: string;
  replyToMessageId: number | null;
  file: File | null;
}

export const noDraft: Draft = { text: '', replyToMessageId: null, file: null };

const SAVE_AFTER_MS = 300;

const isEmpty = (draft: Draft) => draft.text === '' && draft.replyToMessageId === null && draft.file === null;

export class Drafts {
  readonly store = createStore<Record<number, Draft>>({});
  private readonly unsaved = new Set<number>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly owner: string,
    private readonly database: Database | null,
  ) {}

  async load(): Promise<void> {
    const kept = await this.database?.getAllFromIndex('drafts', 'owner', this.owner);
    const loaded = Object.fromEntries(
      (kept ?? []).map(({ conversationId, text, replyToMessageId, file }) => [
        conversationId,
        { text, replyToMessageId, file },
      ]),
    );
    // What was typed while loading is newer.
    this.store.update((now) => ({ ...loaded, ...now }));
  }

  of(conversationId: number): Draft {
    return this.store.get()[conversationId] ?? noDraft;
  }

  change(conversationId: number, change: Partial<Draft>): void {
    const draft = { ...this.of(conversationId), ...change };
    this.store.update((now) => {
      const next = { ...now };
      if (isEmpty(draft)) delete next[conversationId];
      else next[conversationId] = draft;
      return next;
    });
    this.unsaved.add(conversationId);
    this.timer ??= setTimeout(() => void this.save(), SAVE_AFTER_MS);
  }

  clear(conversationId: number): void {
    this.change(conversationId, noDraft);
  }

  /** Writes what is not written yet; also called when the page is about to go. */
  async save(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const conversations = [...this.unsaved];
    this.unsaved.clear();
    if (!this.database) return;
    const { database, owner } = this;
    try {
      await Promise.all(
        conversations.map((conversationId) => {
          const key = `${owner}/${conversationId}`;
          const draft = this.store.get()[conversationId];
          return draft
            ? database.put('drafts', { ...draft, owner, conversationId }, key)
            : database.delete('drafts', key);
        }),
      );
    } catch {
      // The disk is full or closed to us: the drafts stay in memory, the next change tries again.
      for (const conversationId of conversations) this.unsaved.add(conversationId);
    }
  }
}
