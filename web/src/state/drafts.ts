import type { Draft as KeptDraft } from '../api/types';
import type { Database } from './database';
import { createStore } from './store';

/**
 * Drafts: one for each conversation of a user; in memory at once, in the browser's database within half
 * a second, and on the server soon after, for the member's other devices. A draft never leaks into
 * another conversation: its key is the conversation.
 *
 * What was changed here and not yet handed over is *unsent*: it wins over what the server has. All else
 * is replaced by what the server has. Files stay on the device they were picked on.
 */

export interface Draft {
  text: string;
  /** The internal comment that was begun. */
  note: string;
  replyToMessageId: number | null;
  files: File[];
}

export const noDraft: Draft = { text: '', note: '', replyToMessageId: null, files: [] };

/** As it lies in the browser's database. Fields are missing in what earlier versions wrote. */
export interface StoredDraft extends Partial<Draft> {
  owner: string;
  conversationId: number;
  /** The server does not have it yet. */
  unsent?: boolean;
  /** Of earlier versions. */
  file?: File | null;
}

/** What keeps drafts for other devices. */
export interface DraftsOnServer {
  list(): Promise<{ items: KeptDraft[] }>;
  save(conversationId: number, draft: Draft): Promise<unknown>;
}

const SAVE_AFTER_MS = 300;
const HAND_OVER_AFTER_MS = 1_000;

const isEmpty = (draft: Draft) =>
  draft.text === '' && draft.note === '' && draft.replyToMessageId === null && draft.files.length === 0;

export class Drafts {
  readonly store = createStore<Record<number, Draft>>({});
  /** Changed and not written to the browser's database. */
  private readonly unsaved = new Set<number>();
  /** Changed and not handed to the server. */
  private readonly unsent = new Set<number>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private handOverTimer: ReturnType<typeof setTimeout> | null = null;
  /** Grows with every change; says what happened after an answer was asked for. */
  private clock = 0;
  private readonly changedAt = new Map<number, number>();

  constructor(
    private readonly owner: string,
    private readonly database: Database | null,
    private readonly server: DraftsOnServer | null = null,
  ) {}

  async load(): Promise<void> {
    const kept = (await this.database?.getAllFromIndex('drafts', 'owner', this.owner)) ?? [];
    const loaded: Record<number, Draft> = {};
    for (const { conversationId, unsent = true, file, ...draft } of kept) {
      // What was typed while loading is newer.
      if (this.changedAt.has(conversationId)) continue;
      const { text = '', note = '', replyToMessageId = null, files = file ? [file] : [] } = draft;
      const found = { text, note, replyToMessageId, files };
      if (unsent) this.unsent.add(conversationId);
      if (!isEmpty(found)) loaded[conversationId] = found;
    }
    this.store.update((now) => ({ ...loaded, ...now }));
    await this.sync();
  }

  of(conversationId: number): Draft {
    return this.store.get()[conversationId] ?? noDraft;
  }

  change(conversationId: number, change: Partial<Draft>): void {
    this.put(conversationId, { ...this.of(conversationId), ...change });
    this.clock += 1;
    this.changedAt.set(conversationId, this.clock);
    this.unsent.add(conversationId);
    if (!this.server) return;
    // Another device must not offer what has just been sent.
    if (isEmpty(this.of(conversationId))) void this.handOver();
    else this.handOverTimer ??= setTimeout(() => void this.handOver(), HAND_OVER_AFTER_MS);
  }

  /** Gives what is new to the server and takes what other devices wrote. */
  async sync(): Promise<void> {
    await this.handOver();
    if (!this.server) return;
    const askedAt = this.clock;
    let items: KeptDraft[];
    try {
      ({ items } = await this.server.list());
    } catch {
      return;
    }
    const theirs = new Map(items.map((draft) => [draft.conversation_id, draft]));
    const known = Object.keys(this.store.get()).map(Number);
    for (const id of new Set([...known, ...theirs.keys()])) {
      if (this.unsent.has(id) || (this.changedAt.get(id) ?? 0) > askedAt) continue;
      const { text = '', note = '', reply_to_message_id = null } = theirs.get(id) ?? {};
      const mine = this.of(id);
      if (mine.text === text && mine.note === note && mine.replyToMessageId === reply_to_message_id) continue;
      this.put(id, { ...mine, text, note, replyToMessageId: reply_to_message_id });
    }
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
          const unsent = this.server !== null && this.unsent.has(conversationId);
          // That it was emptied has to be told as well.
          return draft || unsent
            ? database.put('drafts', { ...noDraft, ...draft, unsent, owner, conversationId }, key)
            : database.delete('drafts', key);
        }),
      );
    } catch {
      // The disk is full or closed to us: the drafts stay in memory, the next change tries again.
      for (const conversationId of conversations) this.unsaved.add(conversationId);
    }
  }

  /** Hands over what the server does not have. What fails is tried again at the next occasion. */
  async handOver(): Promise<void> {
    if (this.handOverTimer) clearTimeout(this.handOverTimer);
    this.handOverTimer = null;
    const { server } = this;
    if (!server) return;
    await Promise.all(
      [...this.unsent].map(async (id) => {
        const changedAt = this.changedAt.get(id);
        try {
          await server.save(id, this.of(id));
        } catch {
          return;
        }
        if (this.changedAt.get(id) !== changedAt) return;
        this.unsent.delete(id);
        this.saveSoon(id);
      }),
    );
  }

  private put(conversationId: number, draft: Draft): void {
    this.store.update((now) => {
      const next = { ...now };
      if (isEmpty(draft)) delete next[conversationId];
      else next[conversationId] = draft;
      return next;
    });
    this.saveSoon(conversationId);
  }

  private saveSoon(conversationId: number): void {
    this.unsaved.add(conversationId);
    this.timer ??= setTimeout(() => void this.save(), SAVE_AFTER_MS);
  }
}
