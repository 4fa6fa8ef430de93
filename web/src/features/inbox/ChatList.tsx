import { Button } from '@mantine/core';
import { IconArrowUp } from '@tabler/icons-react';
import { Link, useParams } from '@tanstack/react-router';
import {
  type KeyboardEvent,
  type MouseEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { ArtInbox } from '../../components/Art';
import { Failure, Notice } from '../../components/Notice';
import { Bone, useSlow } from '../../components/Skeleton';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { holdOrder, isNarrowed, keyOf, queryKey, rowsFrom, type Shown } from '../../state/chat-list';
import type { ListState } from '../../state/chat-lists';
import { useStore, useValue } from '../../state/store';
import { connected } from '../channels/connected';
import { useInside } from '../shell/workspace-context';
import { BulkBar } from './BulkBar';
import classes from './ChatList.module.css';
import { ChatRow } from './ChatRow';
import { Chips } from './Chips';
import { FilterMenu } from './FilterMenu';
import { InboxKeys } from './InboxKeys';
import { ListMenu } from './ListMenu';
import { dropSelection, everything, extended, remaining, selection, toggled } from './selection';
import { setShown } from './shown';
import { useMessagesRoute } from './useMessagesRoute';
import { useMinute } from './useMinute';

const LOAD_WITHIN_PX = 600;
/** Scrolled farther than this, a way back to the top is offered. */
const FAR_PX = 1500;

/** Conversations of a list, live. It never moves under the pointer or under the focus. */
export function ChatList() {
  const { workspace } = useInside();
  const { query } = useMessagesRoute();
  const order = useValue(workspace.chats.order);
  const selected = Number(useParams({ strict: false }).conversation) || null;
  const key = `${queryKey(query)}/${order}`;
  const list = useStore(workspace.store, (state) => state.lists[key]);
  const counted = useStore(workspace.store, (state) => state.counts[queryKey(query)]);

  const absent = list === undefined;
  const uncounted = counted === undefined;
  // Asked again when a full reload has dropped them.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is absent is the reason to ask again
  useEffect(() => {
    workspace.chats.show(query);
  }, [workspace, query, order, absent]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    if (uncounted) workspace.chats.loadCounts();
  }, [workspace, query, uncounted]);
  // The numbers on screen stay until those of the next list have come.
  const counts = useRef(counted);
  if (counted) counts.current = counted;
  const bulk = useStore(selection, (now) => now.choosing || now.ids.length > 0);

  return (
    <section className={`${classes.list} ${selected ? classes.behind : ''}`} aria-label={t('inbox.label')}>
      <header className={classes.head}>
        {bulk ? (
          <BulkBar />
        ) : (
          <>
            <FilterMenu counts={counts.current} />
            <span className={classes.grow} />
            <ListMenu />
          </>
        )}
      </header>
      <Chips unanswered={counts.current?.unanswered} />
      <InboxKeys opened={selected} />
      {!list || list.status === 'loading' ? (
        <LoadingRows />
      ) : list.status === 'failed' && list.error ? (
        <Failure
          title={t('inbox.failed')}
          error={list.error}
          safe={t('inbox.failed.safe')}
          onRetry={() => void workspace.chats.load(query)}
        />
      ) : (
        <Rows key={key} list={list} selected={selected} />
      )}
    </section>
  );
}

function Rows({ list, selected }: { list: ListState; selected: number | null }) {
  const { workspace } = useInside();
  const { params, search, query } = useMessagesRoute();
  const sortedBy = workspace.chats.order.get();
  const conversations = useStore(workspace.store, (state) => state.entities.conversations);
  const minute = useMinute();
  const { ceiling, horizon } = list;
  const rows = useMemo(
    () =>
      rowsFrom(conversations, query, sortedBy, workspace.me.id, minute, horizon).map((row) => ({
        id: row.id,
        key: keyOf(sortedBy, row),
      })),
    [conversations, query, sortedBy, workspace, minute, horizon],
  );
  const stage = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useRef<VirtualizerHandle>(null);
  const [held, setHeld] = useState(false);
  const [before, setBefore] = useState<Shown>({ order: [], ceiling });

  // Rows move only while nobody looks closely: no pointer over them, no focus in them, not scrolled.
  const signature = rows.map(({ id, key }) => `${id}.${key}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature stands for the rows
  const next = useMemo(() => {
    const atTop = ceiling === Number.POSITIVE_INFINITY;
    return held || !atTop || before.ceiling !== Number.POSITIVE_INFINITY
      ? holdOrder(before, rows, ceiling)
      : { order: rows.map(({ id }) => id), waiting: false };
  }, [held, signature, before, ceiling]);
  const shown = next.order;
  const shownSignature = shown.join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature stands for the order
  useEffect(() => {
    setBefore({ order: shown, ceiling });
    setShown(shown);
  }, [shownSignature, ceiling]);
  // What came or went above must not move what is looked at.
  const shift = ceiling !== before.ceiling;

  const hold = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const focused =
      element.contains(document.activeElement) && element.querySelector(':focus-visible') !== null;
    const picking = selection.get().ids.length > 0;
    setHeld(picking || stage.current?.matches(':hover') === true || focused || element.scrollTop > 4);
  }, []);

  // Another list has other rows; what left this one is no longer selected.
  const picked = useValue(selection).ids;
  useEffect(() => dropSelection, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature stands for the order
  useEffect(() => {
    selection.update((now) => remaining(now, shown));
  }, [shownSignature]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whether anything is selected is the reason
  useEffect(hold, [picked.length > 0]);
  const order = useRef(shown);
  order.current = shown;
  const pick = useCallback((id: number, event: MouseEvent): boolean => {
    const now = selection.get();
    if (event.shiftKey) selection.set(extended(now, order.current, id));
    else if (event.ctrlKey || event.metaKey || now.choosing) selection.set(toggled(now, id));
    else {
      if (now.ids.length > 0) dropSelection();
      return false;
    }
    return true;
  }, []);

  const away = ceiling !== Number.POSITIVE_INFINITY;
  const [scrolled, setScrolled] = useState(false);
  const toTop = () => {
    if (away) {
      // Its rows are not here: the list begins anew.
      void workspace.chats.load(query);
      return;
    }
    setBefore({ order: rows.map(({ id }) => id), ceiling });
    setHeld(false);
    virtual.current?.scrollTo(0);
    requestAnimationFrame(hold);
  };

  const settle = () => {
    hold();
    const now = virtual.current;
    if (!now) return;
    setScrolled(now.scrollOffset > FAR_PX);
    const left = now.scrollSize - now.scrollOffset - now.viewportSize;
    workspace.chats.trim(query, now.scrollOffset > left ? 'above' : 'below');
    if (left < LOAD_WITHIN_PX) void workspace.chats.loadMore(query, 'below');
    if (now.scrollOffset < LOAD_WITHIN_PX) void workspace.chats.loadMore(query, 'above');
  };
  // A page may be shorter than the pane.
  // biome-ignore lint/correctness/useExhaustiveDependencies: after each change of the rows
  useEffect(() => {
    const frame = requestAnimationFrame(settle);
    return () => cancelAnimationFrame(frame);
  }, [shownSignature, list.loadingMore]);

  // A row that leaves hands the focus to the next one.
  const focused = useRef<number | null>(null);
  const follow = () => {
    const id = Number((document.activeElement as HTMLElement | null)?.dataset.conversation);
    focused.current = shown.includes(id) ? id : null;
    hold();
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature stands for the order
  useEffect(() => {
    const was = focused.current;
    if (was === null || shown.includes(was) || document.activeElement !== document.body) return;
    const there = new Set(shown);
    const place = before.order.indexOf(was);
    const below = before.order.slice(place + 1).find((id) => there.has(id));
    const next = below ?? shown[shown.length - 1];
    scroller.current?.querySelector<HTMLElement>(`[data-conversation="${next}"]`)?.focus();
  }, [shownSignature]);

  // The open chat is in sight, by whatever way it was opened.
  useEffect(() => {
    const index = selected === null ? -1 : order.current.indexOf(selected);
    if (index >= 0) virtual.current?.scrollToIndex(index, { align: 'nearest' });
  }, [selected]);

  /** Where the focus is on its way to: the next key may be faster than the row is drawn. */
  const goal = useRef<number | null>(null);
  const walk = (event: KeyboardEvent) => {
    const now = goal.current ?? Number((document.activeElement as HTMLElement | null)?.dataset.conversation);
    const choice = selection.get();
    // By place on the keyboard, so that it works in the Russian layout.
    if ((event.ctrlKey || event.metaKey) && event.code === 'KeyA') {
      event.preventDefault();
      selection.set(everything(choice, shown));
      return;
    }
    if (event.key === ' ' && shown.includes(now)) {
      event.preventDefault();
      selection.set(toggled(choice, now));
      return;
    }
    if (event.key === 'Escape' && (choice.ids.length > 0 || choice.choosing)) {
      dropSelection();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const ends = { Home: 0, End: shown.length - 1 }[event.key];
    if (step === undefined && ends === undefined) return;
    const index = ends ?? Math.min(shown.length - 1, Math.max(0, shown.indexOf(now) + (step ?? 0)));
    event.preventDefault();
    const target = shown[index];
    if (event.shiftKey && target !== undefined) {
      // A range begins at the row where the focus was.
      const from = choice.anchor === null && shown.includes(now) ? toggled(choice, now) : choice;
      selection.set(extended(from, shown, target));
    }
    virtual.current?.scrollToIndex(index, { align: 'nearest' });
    goal.current = target ?? null;
    requestAnimationFrame(() => {
      scroller.current?.querySelector<HTMLElement>(`[data-conversation="${goal.current}"]`)?.focus();
      goal.current = null;
    });
  };

  if (shown.length === 0 && !away) return <EmptyList />;
  const whole = !away && horizon === Number.NEGATIVE_INFINITY;
  const news = list.news || (!away && next.waiting);
  // One row is in the tab order: the open one, else the first.
  const entry = selected !== null && shown.includes(selected) ? selected : shown[0];
  const chosen = new Set(picked);
  const more = (side: 'above' | 'below') => (
    <>
      {list.loadingMore === side && side === 'below' && <p className={classes.more}>{t('state.loading')}</p>}
      {list.moreError?.side === side && (
        <div className={classes.more} role="alert">
          {sentenceOf(list.moreError.error)}{' '}
          <Button
            size="compact-xs"
            variant="light"
            onClick={() => void workspace.chats.loadMore(query, side)}
          >
            {t('action.retry')}
          </Button>
        </div>
      )}
    </>
  );
  return (
    // The button above the rows belongs to them: on the way to it nothing may move either.
    <div
      ref={stage}
      className={classes.stage}
      onPointerEnter={hold}
      onPointerLeave={() => requestAnimationFrame(hold)}
    >
      {(news || away || scrolled) && (
        <button
          type="button"
          className={classes.waiting}
          onClick={toTop}
          aria-label={news ? undefined : t('inbox.to_top')}
          title={news ? undefined : t('inbox.to_top')}
        >
          {news && t('inbox.new_messages')}
          <IconArrowUp size={15} aria-hidden="true" />
        </button>
      )}
      {more('above')}
      {/* biome-ignore lint/a11y/useSemanticElements: the virtual list puts boxes of its own between */}
      <div
        ref={scroller}
        className={classes.rows}
        role="list"
        aria-label={t('inbox.label')}
        onFocus={follow}
        onBlur={(event) => {
          if (event.relatedTarget) focused.current = null;
          requestAnimationFrame(hold);
        }}
        onKeyDown={walk}
      >
        <Virtualizer ref={virtual} data={shown} shift={shift} onScroll={settle} bufferSize={400}>
          {(id: number, index: number) => (
            // biome-ignore lint/a11y/useSemanticElements: as above
            <div
              key={id}
              role="listitem"
              aria-setsize={whole ? shown.length : -1}
              aria-posinset={away ? undefined : index + 1}
              className={classes.item}
            >
              <ChatRow
                id={id}
                params={params}
                search={search}
                selected={id === selected}
                picked={chosen.has(id)}
                onPick={pick}
                tabIndex={id === entry ? 0 : -1}
              />
            </div>
          )}
        </Virtualizer>
        {more('below')}
      </div>
    </div>
  );
}

function EmptyList() {
  const { workspace } = useInside();
  const { params, query } = useMessagesRoute();
  const channels = useStore(workspace.store, (state) => state.entities.channels);
  const basics = useStore(workspace.store, (state) => state.basics);
  const none = basics === 'ready' && connected(channels).length === 0;
  const narrowed = query.filter !== 'open' || isNarrowed(query);
  if (none) {
    return (
      <Notice art={<ArtInbox />} title={t('inbox.no_channels.title')} text={t('inbox.no_channels.text')}>
        {workspace.me.role === 'administrator' && (
          <Button
            size="compact-sm"
            renderRoot={(props) => <Link to="/c/$company/settings/channels" params={params} {...props} />}
          >
            {t('channels.connect')}
          </Button>
        )}
      </Notice>
    );
  }
  const names = query.channelIds.map((id) => channels[id]?.name).filter((name) => name !== undefined);
  const what = query.unanswered ? 'unanswered' : isNarrowed(query) ? 'narrowed' : query.filter;
  return (
    <Notice
      art={<ArtInbox />}
      title={t('inbox.empty.title')}
      text={
        <>
          {t(`inbox.empty.${what}`)}{' '}
          {names.length > 0 && t('inbox.empty.channel', { name: names.join(', ') })}
        </>
      }
    >
      {narrowed && (
        <Button
          variant="light"
          size="compact-sm"
          renderRoot={(props) => <Link to="/c/$company/messages" params={params} search={{}} {...props} />}
        >
          {t('inbox.clear_filters')}
        </Button>
      )}
    </Notice>
  );
}

function LoadingRows() {
  const slow = useSlow();
  return (
    <div className={classes.rows} role="status" aria-label={t('state.loading')}>
      {slow &&
        Array.from({ length: 11 }, (_, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: grey rows have no identity
          <div key={row} className={classes.bone}>
            <Bone width={44} height={44} round />
            <span>
              <Bone width={`${52 - ((row * 7) % 24)}%`} height={11} />
              <Bone width={`${88 - ((row * 13) % 30)}%`} height={10} />
            </span>
          </div>
        ))}
    </div>
  );
}
