import type { NewMessage } from '../api/conversations';
import { ApiError, asApiError } from '../api/error';
import type { Attachment, AttachmentKind, Message } from '../api/types';
import type { Database } from './database';
import { createStore } from './store';

/**
 * The outbox: what the operator sent and the server has not acknowledged. An item lives from the press
 * of "send" until the message with its `client_message_id` is among the entities; it survives a reload,
 * keeps its order within the conversation, and is posted again under the same id as often as needed,
 * which is safe because the server answers a known id with the first message.
 */

export interface Refusal {
  code: string;
  params: Record<string, unknown>;
  requestId: string | null;
}

export interface OutboxItem {
  clientMessageId: string;
  owner: string;
  conversationId: number;
  channelId: number;
  text: string;
  file: File | null;
  /** How the file is to be sent; null: as the server sees fit. */
  fileKind: AttachmentKind | null;
  /** Known once the file is uploaded, so that a retry does not upload it again. */
  attachmentId: number | null;
  replyToMessageId: number | null;
  /** An internal comment: kept by the server and never sent on. Missing in what earlier versions wrote. */
  note?: boolean;
  createdAt: string;
  /** Grows with every item: the order of sending. */
  sequence: number;
  /** Why the server refused it; nothing happens until a person decides. */
  refusal: Refusal | null;
}

export interface OutboxState {
  items: OutboxItem[];
  /** Bytes sent of the file under way, by `client_message_id`. */
  progress: Record<string, number>;
}

export interface OutboxWorld {
  upload(
    item: OutboxItem,
    file: File,
    onProgress: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<Attachment>;
  post(item: OutboxItem, body: NewMessage): Promise<Message>;
  /** The message goes through the same reducer as everything else. */
  absorb(message: Message): void;
  isOnline(): boolean;
  now(): number;
  random(): number;
  setTimer(run: () => void, ms: number): unknown;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

export class Outbox {
  readonly store = createStore<OutboxState>({ items: [], progress: {} });
  /** Conversations that are being worked off right now. */
  private readonly busy = new Set<number>();
  private readonly uploads = new Map<string, AbortController>();
  private attempts = 0;
  private stopped = false;

  constructor(
    private readonly owner: string,
    private readonly database: Database | null,
    private readonly world: OutboxWorld,
  ) {}

  async load(): Promise<void> {
    const kept = (await this.database?.getAllFromIndex('outbox', 'owner', this.owner)) ?? [];
    this.store.update((now) => ({
      ...now,
      items: [...kept, ...now.items].sort((a, b) => a.sequence - b.sequence),
    }));
    this.flush();
  }

  stop(): void {
    this.stopped = true;
    for (const upload of this.uploads.values()) upload.abort();
  }

  add(
    entry: Pick<
      OutboxItem,
      'conversationId' | 'channelId' | 'text' | 'file' | 'fileKind' | 'replyToMessageId' | 'note'
    >,
  ): OutboxItem {
    const items = this.store.get().items;
    const item: OutboxItem = {
      ...entry,
      clientMessageId: newClientMessageId(),
      owner: this.owner,
      attachmentId: null,
      createdAt: new Date(this.world.now()).toISOString(),
      sequence: Math.max(this.world.now(), (items[items.length - 1]?.sequence ?? 0) + 1),
      refusal: null,
    };
    this.store.update((now) => ({ ...now, items: [...now.items, item] }));
    this.keep(item);
    this.flush();
    return item;
  }

  /** A refused item again, as it is: the reason may be gone. */
  retry(clientMessageId: string): void {
    this.change(clientMessageId, { refusal: null });
    this.flush();
  }

  remove(clientMessageId: string): void {
    this.uploads.get(clientMessageId)?.abort();
    this.store.update((now) => {
      const { [clientMessageId]: _, ...progress } = now.progress;
      return { items: now.items.filter((item) => item.clientMessageId !== clientMessageId), progress };
    });
    this.database?.delete('outbox', clientMessageId).catch(() => undefined);
  }

  /** Drops every item whose message has arrived, by whatever way. */
  settle(isStored: (item: OutboxItem) => boolean): void {
    for (const item of this.store.get().items) {
      if (isStored(item)) this.remove(item.clientMessageId);
    }
  }

  /** Sends what can be sent: one at a time within a conversation, conversations side by side. */
  flush(): void {
    if (this.stopped || !this.world.isOnline()) return;
    const waiting = new Set(
      this.store
        .get()
        .items.filter((item) => !item.refusal)
        .map((item) => item.conversationId),
    );
    for (const conversationId of waiting) {
      if (!this.busy.has(conversationId)) void this.workOff(conversationId);
    }
  }

  private async workOff(conversationId: number): Promise<void> {
    this.busy.add(conversationId);
    try {
      for (;;) {
        const item = this.store
          .get()
          .items.find((candidate) => candidate.conversationId === conversationId && !candidate.refusal);
        if (!item || this.stopped) return;
        try {
          await this.send(item);
          this.attempts = 0;
        } catch (cause) {
          const error = asApiError(cause);
          if (error.code === 'cancelled') continue;
          if (error.isTemporary || error.status === 401 || error.code === 'csrf') {
            this.later(error);
            return;
          }
          this.change(item.clientMessageId, {
            refusal: { code: error.code, params: error.params, requestId: error.requestId },
          });
        }
      }
    } finally {
      this.busy.delete(conversationId);
    }
  }

  private async send(item: OutboxItem): Promise<void> {
    let attachmentId = item.attachmentId;
    if (item.file && attachmentId === null) {
      const aborter = new AbortController();
      this.uploads.set(item.clientMessageId, aborter);
      try {
        const attachment = await this.world.upload(
          item,
          item.file,
          (bytes) => this.progress(item.clientMessageId, bytes),
          aborter.signal,
        );
        attachmentId = attachment.id;
        this.change(item.clientMessageId, { attachmentId });
      } finally {
        this.uploads.delete(item.clientMessageId);
      }
    }
    if (!this.has(item.clientMessageId)) throw new ApiError(0, 'cancelled');
    const message = await this.world.post(item, {
      client_message_id: item.clientMessageId,
      ...(item.text !== '' && { text: item.text }),
      ...(attachmentId !== null && { attachment_ids: [attachmentId] }),
      ...(item.replyToMessageId !== null && { reply_to_message_id: item.replyToMessageId }),
    });
    this.world.absorb(message);
    this.remove(item.clientMessageId);
  }

  private later(error: ApiError): void {
    const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempts);
    const backoff = ceiling * (0.5 + this.world.random() / 2);
    this.attempts += 1;
    this.world.setTimer(() => this.flush(), Math.max(backoff, (error.retryAfterSeconds ?? 0) * 1000));
  }

  private has(clientMessageId: string): boolean {
    return this.store.get().items.some((item) => item.clientMessageId === clientMessageId);
  }

  private change(clientMessageId: string, change: Partial<OutboxItem>): void {
    this.store.update((now) => ({
      ...now,
      items: now.items.map((item) => {
        if (item.clientMessageId !== clientMessageId) return item;
        const changed = { ...item, ...change };
        this.keep(changed);
        return changed;
      }),
    }));
  }

  private progress(clientMessageId: string, bytes: number): void {
    this.store.update((now) => ({ ...now, progress: { ...now.progress, [clientMessageId]: bytes } }));
  }

  private keep(item: OutboxItem): void {
    // A full disk must not stop the message: it is then sent from memory.
    this.database?.put('outbox', item).catch(() => undefined);
  }
}

/** `crypto.randomUUID` is missing before Chrome 92 and Safari 15.4, and outside secure contexts. */
export function newClientMessageId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
