import { listChannels } from '../api/channels';
import { getCompany } from '../api/companies';
import * as api from '../api/conversations';
import { ApiError, asApiError } from '../api/error';
import { uploadFile } from '../api/files';
import { listQuickReplies } from '../api/quick-replies';
import type {
  Company,
  Counts,
  Ephemeral,
  Member,
  ReadMarker,
  StreamEvent,
  StreamPosition,
} from '../api/types';
import { apply, type Batch, batchOf, type Entities, noEntities } from '../realtime/apply';
import { createCardDrafts } from './card-drafts';
import { type Database, ownerOf } from './database';
import { Drafts } from './drafts';
import { applyEphemeral, clientWrote, createPresence, expire } from './ephemeral';
import { type ListQuery, shiftCounts } from './order';
import { Outbox } from './outbox';
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
const COUNTS_AFTER_MS = 1_500;
const VISITED = 20;

export interface ListState {
  status: 'loading' | 'ready' | 'failed';
  error: ApiError | null;
  /** Activity of the last row a page brought; below it rows may be missing. */
  horizon: number;
  cursor: string | null;
  loadingMore: boolean;
  /** The next page could not be loaded. */
  moreError: ApiError | null;
}

export interface WorkspaceState {
  entities: Entities;
  /** Members and channels are here: names and badges can be shown. */
  basics: 'loading' | 'ready' | 'failed';
  lists: Record<string, ListState>;
  threads: Record<number, Thread>;
  /** Conversations that the server does not know, or does not show to us. */
  missing: Record<number, true>;
  counts: (Counts & { offset: number }) | null;
  /** What is on screen is being loaded anew. */
  reloading: boolean;
}

export const listKey = (query: ListQuery) => `${query.filter}/${query.channelId ?? ''}`;

const loadingList: ListState = {
  status: 'loading',
  error: null,
  horizon: Number.POSITIVE_INFINITY,
  cursor: null,
  loadingMore: false,
  moreError: null,
};

const listOfPage = (page: api.ConversationPage): ListState => ({
  ...loadingList,
  status: 'ready',
  horizon:
    page.next_cursor === null
      ? Number.NEGATIVE_INFINITY
      : (page.items[page.items.length - 1]?.activity ?? Number.NEGATIVE_INFINITY),
  cursor: page.next_cursor,
});

/** The answer belongs to a life of the entities that is over. */
class Outdated extends Error {}

export class Workspace {
  readonly store = createStore<WorkspaceState>({
    entities: noEntities,
    basics: 'loading',
    lists: {},
    threads: {},
    missing: {},
    counts: null,
    reloading: false,
  });
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
  /** Entities of the next generation while it is being loaded. */
  private pending: Entities | null = null;
  /** From where the stream is watched. Answers older than that may miss an event. */
  private watchedFrom: StreamPosition | null = null;
  private earliest: StreamPosition | null = null;
  private list: ListQuery | null = null;
  private thread: number | null = null;
  private readonly threadLoads: Record<number, number> = {};
  private countsTimer: ReturnType<typeof setTimeout> | null = null;
  private readonly expiry: ReturnType<typeof setInterval>;

  constructor(
    readonly company: Company,
    readonly me: Member,
    database: Database | null,
  ) {
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
    if (list) this.showList(list);
    void this.drafts.load().catch(() => undefined);
    void this.outbox.load().catch(() => undefined);
  }

  stop(): void {
    this.generation += 1;
    clearInterval(this.expiry);
    if (this.countsTimer) clearTimeout(this.countsTimer);
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
      this.store.set({ ...before, entities, counts: this.countsAfter(before, entities, batch) });
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
    this.absorb(batchOf(events));
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
    const { list, thread } = this;
    const [company, members, channels, quickReplies, rows, opened, messages] = await Promise.all([
      this.fresh(() => getCompany(this.company.id)),
      this.fresh(() => api.listMembers(this.company.id)),
      this.fresh(() => listChannels(this.company.id)),
      this.fresh(() => listQuickReplies(this.company.id)),
      list && this.fresh(() => this.fetchList(list, null)),
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
      lists: list && rows ? { [listKey(list)]: listOfPage(rows) } : {},
      threads: thread !== null && messages ? { [thread]: threadOfPage(messages) } : {},
      missing: thread !== null && opened === null ? { [thread]: true } : {},
      counts: null,
      reloading: false,
    });
    this.loadCounts();
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

  /** The list on screen. Loaded when it is not here yet. */
  showList(query: ListQuery): void {
    this.list = query;
    if (!this.store.get().lists[listKey(query)]) void this.loadList(query);
  }

  async loadList(query: ListQuery): Promise<void> {
    const key = listKey(query);
    this.setList(key, loadingList);
    try {
      const page = await this.fresh(() => this.fetchList(query, null));
      this.absorb({ conversations: page.items, readMarkers: page.read_markers });
      this.setList(key, listOfPage(page));
    } catch (error) {
      if (!(error instanceof Outdated)) {
        this.setList(key, { ...loadingList, status: 'failed', error: asApiError(error) });
      }
    }
  }

  async loadMore(query: ListQuery): Promise<void> {
    const key = listKey(query);
    const now = this.store.get().lists[key];
    if (now?.status !== 'ready' || now.cursor === null || now.loadingMore) return;
    this.setList(key, { ...now, loadingMore: true, moreError: null });
    try {
      const page = await this.fresh(() => this.fetchList(query, now.cursor));
      this.absorb({ conversations: page.items, readMarkers: page.read_markers });
      this.setList(key, listOfPage(page));
    } catch (error) {
      if (!(error instanceof Outdated)) {
        this.setList(key, { ...now, loadingMore: false, moreError: asApiError(error) });
      }
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

  /** Asks for the counts once, however many reasons there are. */
  loadCounts(afterMs = 0): void {
    // What is asked for at once does not wait for what was to come later.
    if (this.countsTimer && afterMs > 0) return;
    if (this.countsTimer) clearTimeout(this.countsTimer);
    this.countsTimer = setTimeout(() => {
      this.countsTimer = null;
      this.fresh(() => api.countConversations(this.company.id)).then(
        ({ position, ...counts }) =>
          this.store.update((now) => ({ ...now, counts: { ...counts, offset: position.offset } })),
        // The next change asks again; the numbers on screen stay.
        () => undefined,
      );
    }, afterMs);
  }

  private fetchList(query: ListQuery, cursor: string | null) {
    return api.listConversations(this.company.id, {
      filter: query.filter,
      channel_id: query.channelId ?? undefined,
      cursor: cursor ?? undefined,
      limit: PAGE,
    });
  }

  /** An answer of this generation, no older than the point from which the stream is watched. */
  private async fresh<T extends { position: StreamPosition }>(ask: () => Promise<T>): Promise<T> {
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

  private countsAfter(before: WorkspaceState, entities: Entities, batch: Batch): WorkspaceState['counts'] {
    let { counts } = before;
    let uncertain = false;
    for (const id of new Set((batch.conversations ?? []).map((conversation) => conversation.id))) {
      const was = before.entities.conversations[id];
      const is = entities.conversations[id];
      if (!is || is === was) continue;
      if (!counts) uncertain = true;
      else if (is.version > counts.offset) {
        if (was) counts = { ...shiftCounts(counts, was, is, this.me.id), offset: counts.offset };
        // What was counted is known only if we had caught up with the moment of counting.
        if (!was || (this.position?.offset ?? 0) < counts.offset) uncertain = true;
      }
    }
    if (uncertain) this.loadCounts(COUNTS_AFTER_MS);
    return counts;
  }

  private setList(key: string, list: ListState): void {
    this.store.update((now) => ({ ...now, lists: { ...now.lists, [key]: list } }));
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
