import { Button } from '@mantine/core';
import { IconArrowUp, IconX } from '@tabler/icons-react';
import { Link, useParams } from '@tanstack/react-router';
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { ArtInbox } from '../../components/Art';
import { Failure, Notice } from '../../components/Notice';
import { Bone, useSlow } from '../../components/Skeleton';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { holdOrder, listConversations } from '../../state/order';
import { useStore } from '../../state/store';
import { listKey } from '../../state/workspace';
import { connected } from '../channels/connected';
import { useInside } from '../shell/workspace-context';
import classes from './ChatList.module.css';
import { ChatRow } from './ChatRow';
import { ChannelFilter, FilterMenu } from './FilterMenu';
import { setShown } from './shown';
import { useMessagesRoute } from './useMessagesRoute';

const LOAD_WITHIN_PX = 600;

/** Conversations of a filter, live. It never moves under the pointer or under the focus. */
export function ChatList() {
  const { workspace } = useInside();
  const { params, search, query } = useMessagesRoute();
  const selected = Number(useParams({ strict: false }).conversation) || null;
  const list = useStore(workspace.store, (state) => state.lists[listKey(query)]);
  const conversations = useStore(workspace.store, (state) => state.entities.conversations);
  const counts = useStore(workspace.store, (state) => state.counts);

  const absent = list === undefined;
  // Asked again when a full reload has dropped it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `absent` is the reason to ask again
  useEffect(() => {
    workspace.showList({ filter: query.filter, channelId: query.channelId });
  }, [workspace, query.filter, query.channelId, absent]);
  const uncounted = counts === null;
  useEffect(() => {
    if (uncounted) workspace.loadCounts();
  }, [workspace, uncounted]);

  const unanswered = query.filter === 'unanswered';
  return (
    <section className={`${classes.list} ${selected ? classes.behind : ''}`} aria-label={t('inbox.label')}>
      <header className={classes.head}>
        <FilterMenu query={query} counts={counts} />
      </header>
      <div className={classes.chips}>
        <Link
          to="/c/$company/messages"
          params={params}
          search={unanswered ? { ...search, filter: undefined } : { ...search, filter: 'unanswered' }}
          className={unanswered ? classes.chipOn : classes.chip}
          aria-current={unanswered ? 'true' : undefined}
        >
          <i className={classes.dot} aria-hidden="true" />
          {t('inbox.filter.unanswered')} <b>{counts?.unanswered ?? ''}</b>
          {unanswered && <IconX size={13} aria-label={t('inbox.clear_filter')} />}
        </Link>
        <ChannelFilter query={query} />
      </div>
      {!list || list.status === 'loading' ? (
        <LoadingRows />
      ) : list.status === 'failed' && list.error ? (
        <Failure
          title={t('inbox.failed')}
          error={list.error}
          safe={t('inbox.failed.safe')}
          onRetry={() => void workspace.loadList(query)}
        />
      ) : (
        <Rows
          key={listKey(query)}
          rows={listConversations(conversations, query, workspace.me.id, list.horizon).map((row) => row.id)}
          selected={selected}
        />
      )}
    </section>
  );
}

function Rows({ rows: wanted, selected }: { rows: number[]; selected: number | null }) {
  const { workspace } = useInside();
  const { params, search, query } = useMessagesRoute();
  const list = useStore(workspace.store, (state) => state.lists[listKey(query)]);
  const stage = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useRef<VirtualizerHandle>(null);
  const [held, setHeld] = useState(false);
  const [order, setOrder] = useState(wanted);

  // Rows move only while nobody looks closely: no pointer over them, no focus in them, not scrolled.
  const signature = wanted.join();
  const next = useMemo(() => {
    const ids = signature === '' ? [] : signature.split(',').map(Number);
    return held ? holdOrder(order, ids) : { order: ids, waiting: false };
  }, [held, signature, order]);
  const shown = next.order;
  const shownSignature = shown.join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature stands for the order
  useEffect(() => {
    setOrder(shown);
    setShown(shown);
  }, [shownSignature]);

  const hold = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const focused =
      element.contains(document.activeElement) && element.querySelector(':focus-visible') !== null;
    setHeld(stage.current?.matches(':hover') === true || focused || element.scrollTop > 4);
  }, []);

  const release = () => {
    setOrder(wanted);
    setHeld(false);
    virtual.current?.scrollTo(0);
    requestAnimationFrame(hold);
  };

  const settle = () => {
    hold();
    const now = virtual.current;
    if (now && now.scrollSize - now.scrollOffset - now.viewportSize < LOAD_WITHIN_PX) {
      void workspace.loadMore(query);
    }
  };
  // A page may be shorter than the pane.
  // biome-ignore lint/correctness/useExhaustiveDependencies: after each change of the rows
  useEffect(() => {
    const frame = requestAnimationFrame(settle);
    return () => cancelAnimationFrame(frame);
  }, [shownSignature, list?.loadingMore]);

  /** Where the focus is on its way to: the next key may be faster than the row is drawn. */
  const goal = useRef<number | null>(null);
  const walk = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const ends = { Home: 0, End: shown.length - 1 }[event.key];
    if (step === undefined && ends === undefined) return;
    const now = goal.current ?? Number((document.activeElement as HTMLElement | null)?.dataset.conversation);
    const index = ends ?? Math.min(shown.length - 1, Math.max(0, shown.indexOf(now) + (step ?? 0)));
    event.preventDefault();
    virtual.current?.scrollToIndex(index, { align: 'nearest' });
    goal.current = shown[index] ?? null;
    requestAnimationFrame(() => {
      scroller.current?.querySelector<HTMLElement>(`[data-conversation="${goal.current}"]`)?.focus();
      goal.current = null;
    });
  };

  if (shown.length === 0) return <EmptyList />;
  // One row is in the tab order: the open one, else the first.
  const entry = selected !== null && shown.includes(selected) ? selected : shown[0];
  return (
    // The button above the rows belongs to them: on the way to it nothing may move either.
    <div
      ref={stage}
      className={classes.stage}
      onPointerEnter={hold}
      onPointerLeave={() => requestAnimationFrame(hold)}
    >
      {next.waiting && (
        <button type="button" className={classes.waiting} onClick={release}>
          {t('inbox.new_messages')}
          <IconArrowUp size={15} aria-hidden="true" />
        </button>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: the virtual list puts boxes of its own between */}
      <div
        ref={scroller}
        className={classes.rows}
        role="list"
        aria-label={t('inbox.label')}
        onFocus={hold}
        onBlur={() => requestAnimationFrame(hold)}
        onKeyDown={walk}
      >
        <Virtualizer ref={virtual} data={shown} onScroll={settle} bufferSize={400}>
          {(id: number, index: number) => (
            // biome-ignore lint/a11y/useSemanticElements: as above
            <div
              key={id}
              role="listitem"
              aria-setsize={list?.cursor === null ? shown.length : -1}
              aria-posinset={index + 1}
              className={classes.item}
            >
              <ChatRow
                id={id}
                params={params}
                search={search}
                selected={id === selected}
                tabIndex={id === entry ? 0 : -1}
              />
            </div>
          )}
        </Virtualizer>
        {list?.loadingMore && <p className={classes.more}>{t('state.loading')}</p>}
        {list?.moreError && (
          <div className={classes.more} role="alert">
            {sentenceOf(list.moreError)}{' '}
            <Button size="compact-xs" variant="light" onClick={() => void workspace.loadMore(query)}>
              {t('action.retry')}
            </Button>
          </div>
        )}
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
  const narrowed = query.filter !== 'open' || query.channelId !== null;
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
  const channel = query.channelId !== null ? channels[query.channelId] : undefined;
  return (
    <Notice
      art={<ArtInbox />}
      title={t('inbox.empty.title')}
      text={
        <>
          {t(`inbox.empty.${query.filter}`)} {channel && t('inbox.empty.channel', { name: channel.name })}
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
