import * as api from '../api/conversations';
import { type ApiError, asApiError } from '../api/error';
import { changePreferences } from '../api/profile';
import type { ChatOrder, Conversation, Counts, StreamPosition } from '../api/types';
import type { Batch, Entities } from '../realtime/apply';
import {
  belongs,
  cursorAt,
  cut,
  GROWN_ROWS,
  type ListQuery,
  NOTHING,
  keyOf as placeOf,
  queryKey,
  rowsFrom,
  section,
  shiftCounts,
  type Window,
  withPage,
} from './chat-list';
import { Outdated } from './outdated';
import { chose } from './session';
import { createStore, type Store } from './store';
import type { WorkspaceState } from './workspace';

/**
 * The lists of a workspace: which part of each is held, and what the sections count. However long a list
 * is, a window of it is held; the pages beyond are asked for again when somebody scrolls there.
 */

const PAGE = 40;
const COUNTS_AFTER_MS = 1_500;
/** Conversations that are held before those out of sight are let go of. */
const HELD_CONVERSATIONS = 2_000;

export interface ListState extends Window {
  status: 'loading' | 'ready' | 'failed';
  error: ApiError | null;
  /** On which side a page is being loaded. */
  loadingMore: 'above' | 'below' | null;
  /** It could not be loaded. */
  moreError: { side: 'above' | 'below'; error: ApiError } | null;
  /** Something came to the top of the list while the window had left it. */
  news: boolean;
}

/** Of one section, with what was counted. */
export type CountsState = Counts & { offset: number };

/** The plain section: what the menu and the title of the page count. */
const OPEN = section('open');
export const OPEN_KEY = queryKey(OPEN);

const loadingList: ListState = {
  ...NOTHING,
  status: 'loading',
  error: null,
  loadingMore: null,
  moreError: null,
  news: false,
};

/** What the lists need of their workspace. */
interface Host {
  store: Store<WorkspaceState>;
  fresh<T extends { position: StreamPosition }>(ask: () => Promise<T>): Promise<T>;
  absorb(batch: Batch): void;
  /** The offset through which everything is known. */
  position(): number;
  /** Answers are under way. */
  isAsking(): boolean;
  /** The chat on screen. */
  thread(): number | null;
}

export class ChatLists {
  /** How the member has them sorted. */
  readonly order: Store<ChatOrder>;
  /** The list that is looked at. */
  onScreen: ListQuery | null = null;
  private countsTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly company: number,
    private readonly me: number,
    order: ChatOrder,
    private readonly host: Host,
  ) {
    this.order = createStore(order);
  }

  stop(): void {
    if (this.countsTimer) clearTimeout(this.countsTimer);
  }

  /** A query's list in the order that is chosen now. */
  keyOf(query: ListQuery): string {
    return `${queryKey(query)}/${this.order.get()}`;
  }

  /** The list on screen. Loaded when its top is not here. */
  show(query: ListQuery): void {
    this.onScreen = query;
    const list = this.host.store.get().lists[this.keyOf(query)];
    if (list?.ceiling !== Number.POSITIVE_INFINITY) void this.load(query);
  }

  /** Has the lists sorted otherwise, here and wherever the member looks next. */
  async sort(order: ChatOrder): Promise<void> {
    const preferences = await changePreferences(this.company, { chat_order: order });
    chose(this.company, preferences);
    this.order.set(preferences.chat_order);
  }

  /** From the top. */
  async load(query: ListQuery): Promise<void> {
    const key = this.keyOf(query);
    this.setList(key, loadingList);
    try {
      const page = await this.host.fresh(() => this.fetch(query, {}));
      this.host.absorb({ conversations: page.items, readMarkers: page.read_markers });
      this.setList(key, this.ofTop(page));
    } catch (error) {
      if (!(error instanceof Outdated)) {
        this.setList(key, { ...loadingList, status: 'failed', error: asApiError(error) });
      }
    }
  }

  /** A further page. */
  async loadMore(query: ListQuery, side: 'above' | 'below'): Promise<void> {
    const key = this.keyOf(query);
    const order = this.order.get();
    const now = this.host.store.get().lists[key];
    if (now?.status !== 'ready' || now.loadingMore) return;
    const edgeOf = (window: Window) => (side === 'above' ? window.ceiling : window.horizon);
    const edge = edgeOf(now);
    if (!Number.isFinite(edge)) return;
    this.setList(key, { ...now, loadingMore: side, moreError: null });
    const settle = (change: Partial<ListState>) => {
      const held = this.host.store.get().lists[key];
      // Loaded anew from the top meanwhile.
      if (held?.loadingMore !== side || edgeOf(held) !== edge) return;
      this.setList(key, { ...held, ...change, loadingMore: null });
    };
    try {
      const cursor = cursorAt(order, edge);
      const page = await this.host.fresh(() =>
        this.fetch(query, side === 'above' ? { above: cursor } : { cursor }),
      );
      this.host.absorb({ conversations: page.items, readMarkers: page.read_markers });
      const end = side === 'above' ? page.previous_cursor === null : page.next_cursor === null;
      const keys = page.items.map((row) => placeOf(order, row));
      const held = this.host.store.get().lists[key] ?? now;
      const window = withPage(held, side, keys, end);
      settle({ ...window, news: window.ceiling === Number.POSITIVE_INFINITY ? false : held.news });
    } catch (error) {
      if (!(error instanceof Outdated)) settle({ moreError: { side, error: asApiError(error) } });
    }
  }

  /**
   * Cuts a list that has grown too long at the side that is far from what is looked at. A step of its own
   * after rows were added on the other side: whoever draws the list sees one end move at a time.
   */
  trim(query: ListQuery, far: 'above' | 'below'): void {
    const key = this.keyOf(query);
    const list = this.host.store.get().lists[key];
    if (list?.status !== 'ready' || list.loadingMore) return;
    const keys = this.keysIn(query, list);
    if (keys.length <= GROWN_ROWS) return;
    this.setList(key, { ...list, ...cut(list, keys, far) });
    this.forgetWhatIsFar();
  }

  /** Asks for the counts once, however many reasons there are. */
  loadCounts(afterMs = 0): void {
    // What is asked for at once does not wait for what was to come later.
    if (this.countsTimer && afterMs > 0) return;
    if (this.countsTimer) clearTimeout(this.countsTimer);
    this.countsTimer = setTimeout(() => {
      this.countsTimer = null;
      const asked = new Map([[OPEN_KEY, OPEN]]);
      if (this.onScreen) asked.set(queryKey(this.onScreen), this.onScreen);
      void Promise.all(
        [...asked].map(async ([key, query]) => {
          const { position, ...counts } = await this.host.fresh(() =>
            api.countConversations(this.company, paramsOf(query)),
          );
          return [key, { ...counts, offset: position.offset }] as const;
        }),
      ).then(
        // Those of other lists were counted for a look that is over.
        (counted) => this.host.store.update((now) => ({ ...now, counts: Object.fromEntries(counted) })),
        // The next change asks again; the numbers on screen stay.
        () => undefined,
      );
    }, afterMs);
  }

  fetch(query: ListQuery, at: { cursor?: string; above?: string }) {
    return api.listConversations(this.company, {
      ...paramsOf(query),
      ...at,
      order: this.order.get(),
      limit: PAGE,
    });
  }

  /** A list of which the first page has come. */
  ofTop(page: api.ConversationPage): ListState {
    const keys = page.items.map((row) => placeOf(this.order.get(), row));
    return {
      ...loadingList,
      status: 'ready',
      ...withPage(NOTHING, 'below', keys, page.next_cursor === null),
    };
  }

  /** Keys of the rows that stand in the window, in the order of the list. */
  private keysIn(query: ListQuery, { ceiling, horizon }: Window): number[] {
    const order = this.order.get();
    const { conversations } = this.host.store.get().entities;
    return rowsFrom(conversations, query, order, this.me, Date.now(), horizon)
      .map((row) => placeOf(order, row))
      .filter((key) => key <= ceiling);
  }

  countsAfter(before: WorkspaceState, entities: Entities, batch: Batch): WorkspaceState['counts'] {
    let { counts } = before;
    let uncertain = false;
    const now = Date.now();
    const queries = new Map([[OPEN_KEY, OPEN]]);
    if (this.onScreen) queries.set(queryKey(this.onScreen), this.onScreen);
    for (const id of changedIds(batch)) {
      const was = before.entities.conversations[id];
      const is = entities.conversations[id];
      if (!is || is === was) continue;
      for (const [key, query] of queries) {
        const held = counts[key];
        if (!held) uncertain = true;
        else if (is.version > held.offset) {
          if (was) {
            const shifted = shiftCounts(held, was, is, query, this.me, now);
            counts = { ...counts, [key]: { ...shifted, offset: held.offset } };
          }
          // What was counted is known only if we had caught up with the moment of counting.
          if (!was || this.host.position() < held.offset) uncertain = true;
        }
      }
    }
    if (uncertain) this.loadCounts(COUNTS_AFTER_MS);
    return counts;
  }

  /** Says of the list on screen, while its window is not at the top, that something came there. */
  tell(before: WorkspaceState, batch: Batch): void {
    const query = this.onScreen;
    if (!query) return;
    const key = this.keyOf(query);
    const { lists, entities } = this.host.store.get();
    const list = lists[key];
    if (!list || list.news || list.ceiling === Number.POSITIVE_INFINITY) return;
    const order = this.order.get();
    const came = changedIds(batch).some((id) => {
      const was = before.entities.conversations[id];
      const is = entities.conversations[id];
      if (!is || is === was || placeOf(order, is) <= list.ceiling) return false;
      const stood = was !== undefined && placeOf(order, was) === placeOf(order, is);
      return !stood && belongs(is, query, this.me, Date.now());
    });
    if (came) this.setList(key, { ...list, news: true });
  }

  /**
   * Lets go of conversations that are in no window and in no open chat, once there are many. Not while
   * an answer is under way: it may be older than what would be forgotten, and bring that back.
   */
  forgetWhatIsFar(): void {
    const { entities, lists, threads } = this.host.store.get();
    const ids = Object.keys(entities.conversations);
    if (ids.length <= HELD_CONVERSATIONS || this.host.isAsking()) return;
    const query = this.onScreen;
    const key = query && this.keyOf(query);
    const list = key === null ? undefined : lists[key];
    const order = this.order.get();
    const thread = this.host.thread();
    const stays = (row: Conversation) =>
      row.id in threads ||
      row.id === thread ||
      (query !== null &&
        list !== undefined &&
        placeOf(order, row) >= list.horizon &&
        placeOf(order, row) <= list.ceiling &&
        belongs(row, query, this.me, Date.now()));
    const conversations: Entities['conversations'] = {};
    const readMarkers: Entities['readMarkers'] = {};
    for (const row of Object.values(entities.conversations)) {
      if (!stays(row)) continue;
      conversations[row.id] = row;
      const markers = entities.readMarkers[row.id];
      if (markers) readMarkers[row.id] = markers;
    }
    // Other lists have lost their rows: they are loaded anew when they are looked at.
    this.host.store.update((now) => ({
      ...now,
      entities: { ...entities, conversations, readMarkers },
      lists: key !== null && list ? { [key]: list } : {},
    }));
  }

  private setList(key: string, list: ListState): void {
    this.host.store.update((now) => ({ ...now, lists: { ...now.lists, [key]: list } }));
  }
}

const changedIds = (batch: Batch): number[] => [...new Set((batch.conversations ?? []).map(({ id }) => id))];

const paramsOf = (query: ListQuery): api.ListParams => ({
  filter: query.filter,
  channel_id: query.channelIds.length > 0 ? query.channelIds.join() : undefined,
  assignee: query.assignee === null ? undefined : String(query.assignee),
  unanswered: query.unanswered || undefined,
});
