import { IconArrowDown } from '@tabler/icons-react';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import type { Message } from '../../api/types';
import { Spoken } from '../../components/Spoken';
import { t } from '../../i18n';
import { clock, dayName } from '../../i18n/format';
import type { OutboxItem } from '../../state/outbox';
import type { Thread } from '../../state/thread';
import { Bubble } from './Bubble';
import { Echo } from './Echo';
import classes from './Log.module.css';
import { NoteCard } from './NoteCard';
import { useThread } from './thread-context';
import { type Row, timeline } from './timeline';
import { memberName, systemText } from './words';

/** How near to the end still counts as being there. */
const BOTTOM_PX = 40;
const LOAD_WITHIN_PX = 800;
const HIGHLIGHT_MS = 2_000;

/** Where each conversation was left, for as long as the page lives. */
const places = new Map<number, string>();

/**
 * The messages of a conversation, in both directions. What is being read never moves: pages load above
 * and below it, new messages wait behind a button unless the end is in view.
 */
export function Log({
  thread,
  messages,
  echoes,
  unreadAfter,
  target,
  onTargetShown,
  onSeen,
}: {
  thread: Thread;
  messages: readonly Message[];
  echoes: readonly OutboxItem[];
  unreadAfter: number | null;
  /** A message to be shown, from a quote or from the address. */
  target: number | null;
  onTargetShown: () => void;
  onSeen: (position: number) => void;
}) {
  const { workspace, conversation, members } = useThread();
  const rows = useMemo(
    () => timeline(messages, echoes, workspace.me.id, unreadAfter),
    [messages, echoes, workspace.me.id, unreadAfter],
  );
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const [away, setAway] = useState(false);
  const [highlight, setHighlight] = useState<number | null>(null);
  const [topDay, setTopDay] = useState<string | null>(null);
  /** Position of the last message that was in view at the end. */
  const [seenEnd, setSeenEnd] = useState(() => messages[messages.length - 1]?.position ?? 0);
  const id = conversation.id;
  const live = thread.to === null;

  // Older messages were put before what is shown: keep the place from the end.
  const firstMessage = messages[0]?.id;
  const before = useRef(firstMessage);
  const shift =
    before.current !== undefined &&
    firstMessage !== before.current &&
    messages.some((message) => message.id === before.current);
  useLayoutEffect(() => {
    before.current = firstMessage;
  }, [firstMessage]);

  const toEnd = useCallback(() => {
    atEnd.current = true;
    list.current?.scrollToIndex(Math.max(0, rows.length - 1), { align: 'end' });
    // The last rows are measured only now; what they turned out to be longer is scrolled as well.
    requestAnimationFrame(() => {
      const element = scroller.current;
      if (element && atEnd.current) element.scrollTop = element.scrollHeight;
    });
  }, [rows.length]);

  // The first view: a wanted message, the unread line, the place it was left at, or the end.
  const placed = useRef(false);
  useLayoutEffect(() => {
    if (placed.current || rows.length === 0) return;
    placed.current = true;
    const kept = places.get(id);
    const unread = rows.findIndex((row) => row.kind === 'unread');
    const left = rows.findIndex((row) => row.key === kept);
    if (target !== null) return;
    if (unread > 0) {
      atEnd.current = false;
      list.current?.scrollToIndex(unread, { align: 'start', offset: -72 });
    } else if (left >= 0) {
      atEnd.current = false;
      list.current?.scrollToIndex(left, { align: 'start' });
    } else toEnd();
  }, [rows, id, target, toEnd]);

  // A wanted message: loaded around when it is not here.
  useEffect(() => {
    if (target === null || thread.status !== 'ready') return;
    const index = rows.findIndex(
      (row) => row.kind === 'bubble' && row.messages.some((message) => message.id === target),
    );
    if (index < 0) {
      onTargetShown();
      return;
    }
    atEnd.current = false;
    list.current?.scrollToIndex(index, { align: 'center' });
    setHighlight(target);
    onTargetShown();
  }, [target, rows, thread.status, onTargetShown]);
  useEffect(() => {
    if (highlight === null) return;
    const timer = setTimeout(() => setHighlight(null), HIGHLIGHT_MS);
    return () => clearTimeout(timer);
  }, [highlight]);

  const settle = useCallback(() => {
    const now = list.current;
    // Before the first measurement nothing is in view.
    if (!now || rows.length === 0 || now.viewportSize === 0) return;
    const end = now.scrollOffset + now.viewportSize;
    atEnd.current = live && now.scrollSize - end <= BOTTOM_PX;
    setAway(!atEnd.current);
    const top = rows[now.findItemIndex(now.scrollOffset + 8)];
    setTopDay(top ? dayOf(top) : null);
    if (atEnd.current) places.delete(id);
    else if (top) places.set(id, top.key);
    if (now.scrollOffset < LOAD_WITHIN_PX) void workspace.loadOlder(id);
    if (now.scrollSize - end < LOAD_WITHIN_PX) void workspace.loadNewer(id);
    if (document.visibilityState !== 'visible') return;
    const bottom = lastPosition(rows, now.findItemIndex(end - 8));
    if (bottom > 0) onSeen(bottom);
    if (atEnd.current) setSeenEnd((seen) => Math.max(seen, bottom));
  }, [rows, live, id, workspace, onSeen]);

  // New rows: stay at the end when there, or when the last one is our own.
  const lastEcho = echoes[echoes.length - 1]?.clientMessageId;
  const lastMessage = messages[messages.length - 1]?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new last row moves the view
  useLayoutEffect(() => {
    if (placed.current && atEnd.current && target === null) toEnd();
    const frame = requestAnimationFrame(settle);
    return () => cancelAnimationFrame(frame);
  }, [lastEcho, lastMessage]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what we send is always shown
  useLayoutEffect(() => {
    if (lastEcho !== undefined) toEnd();
  }, [lastEcho]);
  useEffect(() => {
    const shown = () => settle();
    document.addEventListener('visibilitychange', shown);
    window.addEventListener('focus', shown);
    return () => {
      document.removeEventListener('visibilitychange', shown);
      window.removeEventListener('focus', shown);
    };
  }, [settle]);

  const fresh = messages.filter(
    (message) => message.direction === 'incoming' && message.position > seenEnd,
  ).length;
  return (
    <div className={classes.wrap}>
      <div
        ref={scroller}
        className={classes.log}
        role="log"
        aria-label={t('thread.label')}
        // Rows come and go while scrolling; what is new is spoken by `Announcer` alone.
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        onKeyDown={(event) => {
          if (event.code === 'End' && event.target === event.currentTarget) toEnd();
        }}
      >
        <div className={classes.spring} />
        {thread.loadingOlder && <p className={classes.loading}>{t('state.loading')}</p>}
        <Virtualizer
          ref={list}
          scrollRef={scroller}
          data={rows}
          shift={shift}
          bufferSize={600}
          onScroll={settle}
          onResize={() => {
            if (placed.current && atEnd.current) toEnd();
            // What fits the pane never scrolls: it is seen once it is measured.
            requestAnimationFrame(settle);
          }}
        >
          {(row: Row, index: number) => (
            <div key={row.key} className={`${classes.row} ${index === rows.length - 1 ? classes.end : ''}`}>
              <RowView row={row} highlight={highlight} members={members} />
            </div>
          )}
        </Virtualizer>
      </div>
      {away && topDay && (
        <div className={classes.float} aria-hidden="true">
          <span>{topDay}</span>
        </div>
      )}
      {away && (
        <button
          type="button"
          className={classes.jump}
          onClick={() => {
            if (live) toEnd();
            else {
              places.delete(id);
              placed.current = false;
              void workspace.loadThread(id);
            }
          }}
        >
          <IconArrowDown size={16} aria-hidden="true" />
          {fresh > 0 ? t('thread.new', { count: fresh }) : t('thread.to_end')}
        </button>
      )}
      <Announcer messages={messages} />
    </div>
  );
}

function RowView({
  row,
  highlight,
  members,
}: {
  row: Row;
  highlight: number | null;
  members: Parameters<typeof systemText>[1];
}) {
  switch (row.kind) {
    case 'day':
      return (
        <div className={classes.day}>
          <span>{dayName(row.at)}</span>
        </div>
      );
    case 'unread':
      return (
        <div className={classes.unread}>
          <span>{t('thread.unread')}</span>
        </div>
      );
    case 'system':
      return (
        <p className={classes.system}>
          {systemText(row.message.content, members)} · {clock(row.message.sent_at)}
        </p>
      );
    case 'echo':
      return <Echo item={row.item} first={row.first} last={row.last} />;
    case 'bubble': {
      const [head] = row.messages;
      if (head.direction === 'note') {
        return (
          <NoteCard
            id={head.id}
            author={memberName(members, head.author_member_id)}
            at={head.sent_at}
            text={head.content.kind === 'text' ? head.content.text : ''}
            highlighted={head.id === highlight}
          />
        );
      }
      return (
        <Bubble
          messages={row.messages}
          first={row.first}
          last={row.last}
          highlighted={row.messages.some((message) => message.id === highlight)}
        />
      );
    }
  }
}

/** Says what a client has just written; what was loaded before is not repeated. */
function Announcer({ messages }: { messages: readonly Message[] }) {
  const { conversation } = useThread();
  const last = messages[messages.length - 1];
  const start = useRef(last?.id);
  if (!last || last.id === start.current || last.direction !== 'incoming') {
    return <Spoken live="polite" />;
  }
  const text = last.content.kind === 'text' ? last.content.text : '';
  return (
    <Spoken live="polite">
      {t('thread.announce', { name: conversation.contact.name || t('contact.unknown'), text })}
    </Spoken>
  );
}

function dayOf(row: Row): string | null {
  switch (row.kind) {
    case 'day':
      return dayName(row.at);
    case 'system':
      return dayName(row.message.sent_at);
    case 'bubble':
      return dayName(row.messages[0].sent_at);
    case 'echo':
      return dayName(row.item.createdAt);
    case 'unread':
      return null;
  }
}

function lastPosition(rows: readonly Row[], from: number): number {
  for (let index = Math.min(from, rows.length - 1); index >= 0; index -= 1) {
    const row = rows[index];
    if (row?.kind === 'bubble') return Math.max(...row.messages.map((message) => message.position));
    if (row?.kind === 'system') return row.message.position;
  }
  return 0;
}
