import { listChannels } from '../api/channels';
import { getCompany } from '../api/companies';
import * as api from '../api/conversations';
import { ApiError, asApiError } from '../api/error';
import { uploadFile } from '../api/files';
import { listQuickReplies } from '../api/quick-replies';
import type {
  ChatOrder,
  Company,
  Ephemeral,
  Member,
  ReadMarker,
  StreamEvent,
  StreamPosition,
} from '../api/types';
import { apply, type Batch, batchOf, type Entities, noEntities } from '../realtime/apply';
import { createCardDrafts } from './card-drafts';
import type { ListQuery } from './chat-list';
import { ChatLists, type CountsState, type ListState } from './chat-lists';
import { type Database, ownerOf } from './database';
import { Drafts } from './drafts';
import { applyEphemeral, clientWrote, createPresence, expire } from './ephemeral';
import { Outbox } from './outbox';
import { Outdated } from './outdated';
import { createStore } from './store';
import { loadingThread, type Thread, threadOfPage, withNewer, withOlder } from './thread';

/**
 * Everything a member holds of one company: entities, which parts of lists and conversations are
 * loaded, drafts and outbox. It lives outside of React and survives moves between pages.
 *
 * HTTP answers and events enter through `absorb`, which hands them to the one reducer. A generation is
 * one life of the entities: when the server cannot continue from our position, a new one begins and
 * answers asked for in the old one are dropped.
 */

const PAGE = 40;
const VISITED = 20;

export interface WorkspaceState {
  entities: Entities;
  /** Members and channels are here: names and badges can be shown. */
  basics: 'loading' | 'ready' | 'failed';
  lists: Record<string, ListState>;
  threads: Record<number, Thread>;
  /** Conversations that the server does not know, or does not show to us. */
  missing: Record<number, true>;
  /** By the key of the query; of the plain open section always. */
  counts: Record<string, CountsState>;
  /** What is on screen is being loaded anew. */
  reloading: boolean;
}

export class Workspace {
  readonly store = createStore<WorkspaceState>({
    entities: noEntities,
    basics: 'loading',
    lists: {},
    threads: {},
    missing: {},
    counts: {},
    reloading: false,
  });
  readonly chats: ChatLists;
  readonly presence = createPresence();
  /** Conversations that were open in this page, the latest first. */
  readonly visited = createStore<readonly number[]>([]);
  readonly cardDrafts = createCardDrafts();
  readonly drafts: Drafts;
  readonly outbox: Outbox;
  /** Through where everything is known; null until the first answers. */
  position: StreamPosition | null = null;
  /** Told when `position` is known for the first time, so that the stream can be watched from there. */
  onPositioned: (() => void) | null = null;

  private generation = 0;
  /** Answers under way. */
  private asking = 0;
  /** Entities of the next generation while it is being loaded. */
  private pending: Entities | null = null;
  /** From where the stream is watched. Answers older than that may miss an event. */
  private watchedFrom: StreamPosition | null = null;
  private earliest: StreamPosition | null = null;
  private thread: number | null = null;
  private readonly threadLoads: Record<number, number> = {};
  private readonly expiry: ReturnType<typeof setInterval>;

  constructor(
    readonly company: Company,
    readonly me: Member,
    order: ChatOrder,
    database: Database | null,
  ) {
    this.chats = new ChatLists(company.id, me.id, order, {
      store: this.store,
      fresh: (ask) => this.fresh(ask),
      absorb: (batch) => this.absorb(batch),
      position: () => this.position?.offset ?? 0,
      isAsking: () => this.asking > 0 || this.pending !== null,
      thread: () => this.thread,
    });
    const owner = ownerOf(me.user_id, company.id);
    this.drafts = new Drafts(owner, database, {
      list: () => api.listDrafts(company.id),
      save: (conversation, { text, note, replyToMessageId }) =>
        api.saveDraft(company.id, conversation, { text, note, reply_to_message_id: replyToMessageId }),
    });
    this.outbox = new Outbox(owner, database, {
      upload: (item, file, onProgress, signal) =>
        uploadFile(company.id, item.channelId, file, item.fileKind, onProgress, signal),
      post: (item, body) =>
        item.note
          ? api.addNote(company.id, item.conversationId, {
              client_message_id: item.clientMessageId,
              text: item.text,
            })
          : api.sendMessage(company.id, item.conversationId, body),
      absorb: (message) => this.absorb({ messages: [message] }),
      isOnline: () => navigator.onLine,
      now: () => Date.now(),
      random: () => Math.random(),
      setTimer: (run, ms) => setTimeout(run, ms),
    });
    this.expiry = setInterval(() => this.presence.update((now) => expire(now, Date.now())), 1000);
  }

  /** `list`: what will be on screen first. */
  start(list: ListQuery | null = null): void {
    void this.loadBasics();
    if (list) this.chats.show(list);
    void this.drafts.load().catch(() => undefined);
    void this.outbox.load().catch(() => undefined);
  }

  stop(): void {
    this.generation += 1;
    clearInterval(this.expiry);
    this.chats.stop();
    void this.drafts.save();
    this.outbox.stop();
  }

  /** The conversation on screen. */
  get openThread(): number | null {
    return this.thread;
  }

  /** A full load has begun and not ended. */
  get isIncomplete(): boolean {
    return this.pending !== null;
  }

  // What comes in

  absorb(batch: Batch): void {
    if (this.pending) this.pending = apply(this.pending, batch);
    else {
      const before = this.store.get();
      const entities = apply(before.entities, batch);
      if (entities === before.entities) return;
      this.store.set({
        ...before,
        entities,
        counts: this.chats.countsAfter(before, entities, batch),
      });
    }
    const echoes = (batch.messages ?? []).filter((message) => message.client_message_id !== null);
    if (echoes.length === 0) return;
    this.outbox.settle((item) =>
      echoes.some(
        (message) =>
          message.client_message_id === item.clientMessageId &&
          message.conversation_id === item.conversationId,
      ),
    );
  }

  absorbEvents(position: StreamPosition, events: readonly StreamEvent[]): void {
    this.position = position;
    const before = this.store.get();
    this.absorb(batchOf(events));
    this.chats.tell(before, batchOf(events));
    this.chats.forgetWhatIsFar();
    const written = events.flatMap(({ type, message }) =>
      type === 'message_received' && message ? [message.conversation_id] : [],
    );
    if (written.length > 0) this.presence.update((now) => clientWrote(now, written));
  }

  absorbEphemeral(event: Ephemeral): void {
    if ('member_id' in event && event.member_id === this.me.id) return;
    this.presence.update((now) => applyEphemeral(now, event, Date.now()));
  }

  /**
   * Begins anew after the server could not continue from our position. The old state stays on screen
   * until the new one is complete; drafts and outbox are not touched. Fails with the first refusal.
   */
  async reload(position: StreamPosition): Promise<void> {
    this.generation += 1;
    this.position = position;
    this.watchedFrom = position;
    this.pending = noEntities;
    this.store.update((now) => ({ ...now, reloading: true }));
    const { thread } = this;
    const list = this.chats.onScreen;
    const [company, members, channels, quickReplies, rows, opened, messages] = await Promise.all([
      this.fresh(() => getCompany(this.company.id)),
      this.fresh(() => api.listMembers(this.company.id)),
      this.fresh(() => listChannels(this.company.id)),
      this.fresh(() => listQuickReplies(this.company.id)),
      list && this.fresh(() => this.chats.fetch(list, {})),
      thread !== null && this.fresh(() => api.getConversation(this.company.id, thread)).catch(nullIfMissing),
      thread !== null &&
        this.fresh(() => api.listMessages(this.company.id, thread, { limit: PAGE })).catch(nullIfMissing),
    ]);
    this.absorb({
      companies: [company.company],
      members: members.items,
      channels: channels.items,
      quickReplies: quickReplies.items,
      conversations: [...(rows ? rows.items : []), ...(opened ? [opened.conversation] : [])],
      messages: messages ? messages.items : [],
      readMarkers: [
        ...(rows ? rows.read_markers : []),
        ...(opened === false || !opened?.read_marker ? [] : [opened.read_marker]),
      ],
    });
    const entities = this.pending ?? noEntities;
    this.pending = null;
    // Views whose part is not here ask for it themselves.
    this.store.set({
      entities,
      basics: 'ready',
      lists: list && rows ? { [this.chats.keyOf(list)]: this.chats.ofTop(rows) } : {},
      threads: thread !== null && messages ? { [thread]: threadOfPage(messages) } : {},
      missing: thread !== null && opened === null ? { [thread]: true } : {},
      counts: {},
      reloading: false,
    });
    this.chats.loadCounts();
    this.outbox.flush();
    void this.drafts.sync();
  }

  // Loading

  async loadBasics(): Promise<void> {
    this.store.update((now) => ({ ...now, basics: 'loading' }));
    try {
      const [company, members, channels, quickReplies] = await Promise.all([
        this.fresh(() => getCompany(this.company.id)),
        this.fresh(() => api.listMembers(this.company.id)),
        this.fresh(() => listChannels(this.company.id)),
        this.fresh(() => listQuickReplies(this.company.id)),
      ]);
      this.absorb({
        companies: [company.company],
        members: members.items,
        channels: channels.items,
        quickReplies: quickReplies.items,
      });
      this.store.update((now) => ({ ...now, basics: 'ready' }));
      if (this.position === null) {
        this.position = this.earliest;
        this.watchedFrom = this.earliest;
        this.onPositioned?.();
      }
    } catch (error) {
      if (!(error instanceof Outdated)) this.store.update((now) => ({ ...now, basics: 'failed' }));
    }
  }

  /** The conversation on screen, or none. Loaded when it is not here yet. */
  showThread(conversationId: number | null, around?: number): void {
    this.thread = conversationId;
    if (conversationId === null) return;
    this.visited.update((ids) =>
      [conversationId, ...ids.filter((id) => id !== conversationId)].slice(0, VISITED),
    );
    const { threads } = this.store.get();
    const held = threads[conversationId];
    if (!held || held.status === 'failed') void this.loadThread(conversationId, around);
  }

  /** From the end, or around a message. */
  async loadThread(conversationId: number, around?: number): Promise<void> {
    this.setThread(conversationId, loadingThread);
    const run = (this.threadLoads[conversationId] ?? 0) + 1;
    this.threadLoads[conversationId] = run;
    // Another part of the conversation was asked for meanwhile.
    const superseded = () => this.threadLoads[conversationId] !== run;
    try {
      const known = this.store.get().entities.conversations[conversationId];
      const [page, opened] = await Promise.all([
        this.fresh(() => api.listMessages(this.company.id, conversationId, { around, limit: PAGE })),
        known ? null : this.fresh(() => api.getConversation(this.company.id, conversationId)),
      ]);
      const markers: ReadMarker[] = opened?.read_marker ? [opened.read_marker] : [];
      this.absorb({
        conversations: opened ? [opened.conversation] : [],
        messages: page.items,
        readMarkers: markers,
      });
      if (!superseded()) this.setThread(conversationId, threadOfPage(page));
    } catch (cause) {
      if (cause instanceof Outdated || superseded()) return;
      const error = asApiError(cause);
      if (error.status === 404) {
        this.store.update((now) => ({ ...now, missing: { ...now.missing, [conversationId]: true } }));
      }
      this.setThread(conversationId, { ...loadingThread, status: 'failed', error });
    }
  }

  async loadOlder(conversationId: number): Promise<void> {
    const now = this.store.get().threads[conversationId];
    if (!now || now.olderCursor === null || now.loadingOlder) return;
    const { olderCursor } = now;
    this.changeThread(conversationId, (thread) => ({ ...thread, loadingOlder: true }));
    try {
      const page = await this.fresh(() =>
        api.listMessages(this.company.id, conversationId, { before: olderCursor, limit: PAGE }),
      );
      this.absorb({ messages: page.items });
      this.changeThread(conversationId, (thread) => withOlder(thread, page));
    } catch (error) {
      if (error instanceof Outdated) return;
      this.changeThread(conversationId, (thread) => ({ ...thread, loadingOlder: false }));
    }
  }

  async loadNewer(conversationId: number): Promise<void> {
    const now = this.store.get().threads[conversationId];
    if (!now || now.newerCursor === null || now.loadingNewer) return;
    const { newerCursor } = now;
    this.changeThread(conversationId, (thread) => ({ ...thread, loadingNewer: true }));
    try {
      const page = await this.fresh(() =>
        api.listMessages(this.company.id, conversationId, { after: newerCursor, limit: PAGE }),
      );
      this.absorb({ messages: page.items });
      this.changeThread(conversationId, (thread) => withNewer(thread, page));
    } catch (error) {
      if (error instanceof Outdated) return;
      this.changeThread(conversationId, (thread) => ({ ...thread, loadingNewer: false }));
    }
  }

  /** An answer of this generation, no older than the point from which the stream is watched. */
  private async fresh<T extends { position: StreamPosition }>(ask: () => Promise<T>): Promise<T> {
    this.asking += 1;
    try {
      return await this.askUntilFresh(ask);
    } finally {
      this.asking -= 1;
    }
  }

  private async askUntilFresh<T extends { position: StreamPosition }>(ask: () => Promise<T>): Promise<T> {
    const { generation } = this;
    for (let tries = 0; ; tries += 1) {
      const answer = await ask();
      if (generation !== this.generation) throw new Outdated();
      const { position } = answer;
      const from = this.watchedFrom;
      if (!from) {
        if (!this.earliest || position.offset < this.earliest.offset) this.earliest = position;
        return answer;
      }
      if (position.epoch !== from.epoch) throw new ApiError(0, 'network', { detail: 'the log was replaced' });
      if (position.offset >= from.offset) return answer;
      if (tries === 2) throw new ApiError(0, 'network', { detail: 'the server answers from the past' });
    }
  }

  private setThread(id: number, thread: Thread): void {
    this.store.update((now) => ({ ...now, threads: { ...now.threads, [id]: thread } }));
  }

  private changeThread(id: number, change: (thread: Thread) => Thread): void {
    const thread = this.store.get().threads[id];
    if (thread) this.setThread(id, change(thread));
  }
}

function nullIfMissing(cause: unknown): null {
  if (cause instanceof ApiError && cause.status === 404) return null;
  throw cause;
}
