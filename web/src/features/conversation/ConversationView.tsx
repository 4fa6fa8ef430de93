import { useCallback, useEffect, useMemo, useState } from 'react';
import { Failure, Notice } from '../../components/Notice';
import { Bone, useSlow } from '../../components/Skeleton';
import { TypingDots } from '../../components/TypingDots';
import { t } from '../../i18n';
import { useStore } from '../../state/store';
import { messagesOf } from '../../state/thread';
import { Composer } from '../composer/Composer';
import { LazyContactPanel } from '../contact/LazyContactPanel';
import { useShortcuts } from '../shell/shortcuts';
import { useInside } from '../shell/workspace-context';
import classes from './ConversationView.module.css';
import { Header } from './Header';
import { LazyViewer } from './LazyViewer';
import { Log } from './Log';
import { ThreadContext, type ThreadScope, useThread } from './thread-context';
import { usePresence } from './usePresence';
import { useSeen } from './useSeen';
import { contactName, firstName, memberName } from './words';

/** Where the card has a place beside the conversation. */
const CARD_FITS = '(min-width: 1280px)';
/** How many further pages are loaded to find where the unread messages begin. */
const UNREAD_PAGES = 4;

/** An open conversation: its log, the composer, and the card beside it. */
export function ConversationView({ id, target }: { id: number; target: number | null }) {
  const { workspace, socket } = useInside();
  const conversation = useStore(workspace.store, (state) => state.entities.conversations[id]);
  const channels = useStore(workspace.store, (state) => state.entities.channels);
  const members = useStore(workspace.store, (state) => state.entities.members);
  const held = useStore(workspace.store, (state) => state.entities.messages[id]);
  const thread = useStore(workspace.store, (state) => state.threads[id]);
  const missing = useStore(workspace.store, (state) => state.missing[id]);
  const outbox = useStore(workspace.outbox.store, (state) => state.items);
  const [wanted, setWanted] = useState(target);
  const [editing, setEditing] = useState<number | null>(null);
  const [card, setCard] = useState(() => matchMedia(CARD_FITS).matches);
  // A card that had its place becomes a drawer over the conversation when the window shrinks.
  useEffect(() => {
    const fits = matchMedia(CARD_FITS);
    const follow = () => setCard(fits.matches);
    fits.addEventListener('change', follow);
    return () => fits.removeEventListener('change', follow);
  }, []);

  useShortcuts({ card: () => setCard((open) => !open) });

  const absent = thread === undefined;
  // Asked again when a full reload has dropped it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `absent` is the reason to ask again
  useEffect(() => {
    workspace.showThread(id, target ?? undefined);
    return () => workspace.showThread(null);
  }, [workspace, id, absent]);

  const messages = useMemo(() => (thread ? messagesOf(thread, held) : []), [thread, held]);
  const echoes = useMemo(() => {
    const stored = new Set(Object.values(held ?? {}).map((message) => message.client_message_id));
    return outbox.filter((item) => item.conversationId === id && !stored.has(item.clientMessageId));
  }, [outbox, held, id]);

  const ready = thread?.status === 'ready' && conversation !== undefined;
  // Where the unread messages begin is decided once, when the conversation is opened.
  const [unreadAfter, setUnreadAfter] = useState<number | null | undefined>(undefined);
  if (ready && unreadAfter === undefined) {
    const marker = workspace.store.get().entities.readMarkers[id]?.[workspace.me.id]?.position ?? 0;
    setUnreadAfter(conversation.last_incoming_position > marker ? marker : null);
  }

  // The first unread message may lie above the first page: it is what the conversation opens at.
  const [reached, setReached] = useState(0);
  const oldest = messages[0]?.position ?? 0;
  const above =
    ready &&
    target === null &&
    typeof unreadAfter === 'number' &&
    oldest > unreadAfter &&
    thread.olderCursor !== null &&
    reached < UNREAD_PAGES;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each page that came is the reason for the next
  useEffect(() => {
    if (above) void workspace.loadOlder(id).then(() => setReached((pages) => pages + 1));
  }, [above, workspace, id, reached]);

  const seen = useSeen(workspace, id);
  const typing = usePresence(socket, workspace.company.id, id);
  const shown = useCallback(() => setWanted(null), []);

  const jumpTo = useCallback(
    (messageId: number) => {
      const here = workspace.store.get().entities.messages[id]?.[messageId];
      const loaded = workspace.store.get().threads[id];
      const inView = here && loaded && messagesOf(loaded, { [messageId]: here }).length > 0;
      setWanted(messageId);
      if (!inView) void workspace.loadThread(id, messageId);
    },
    [workspace, id],
  );
  // The address names another message of the conversation that is open already.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each address
  useEffect(() => {
    const { status } = workspace.store.get().threads[id] ?? {};
    if (target !== null && status === 'ready') jumpTo(target);
  }, [target]);

  const channel = conversation && channels[conversation.channel_id];
  const scope = useMemo<ThreadScope | null>(
    () =>
      conversation
        ? {
            workspace,
            conversation,
            channel,
            members,
            jumpTo,
            reply: (message) => {
              setEditing(null);
              workspace.drafts.change(id, { replyToMessageId: message.id });
            },
            edit: (message) => setEditing(message.id),
          }
        : null,
    [workspace, conversation, channel, members, jumpTo, id],
  );

  if (missing) {
    return (
      <div className={classes.pane}>
        <Notice title={t('thread.missing.title')} text={t('thread.missing.text')} />
      </div>
    );
  }
  if (thread?.status === 'failed' && thread.error) {
    return (
      <div className={classes.pane}>
        <Failure
          title={t('thread.failed')}
          error={thread.error}
          safe={t('thread.failed.safe')}
          onRetry={() => void workspace.loadThread(id)}
        />
      </div>
    );
  }
  if (!scope) return <LoadingPane />;
  return (
    <ThreadContext.Provider value={scope}>
      <section className={classes.chat} aria-label={t('thread.section')}>
        <Header cardOpen={card} onCard={() => setCard(!card)} />
        {ready && unreadAfter !== undefined && !above ? (
          messages.length === 0 && echoes.length === 0 ? (
            <div className={classes.empty}>
              <Notice title={t('thread.empty')} />
            </div>
          ) : (
            <Log
              thread={thread}
              messages={messages}
              echoes={echoes}
              unreadAfter={unreadAfter}
              target={wanted}
              onTargetShown={shown}
              onSeen={seen}
            />
          )
        ) : (
          <LoadingLog />
        )}
        <ClientTyping />
        <Colleagues />
        <Composer
          key={id}
          editing={editing !== null ? (held?.[editing] ?? null) : null}
          onEdited={() => setEditing(null)}
          onTyping={typing}
        />
      </section>
      {card && <LazyContactPanel onClose={() => setCard(false)} />}
      <LazyViewer />
    </ThreadContext.Provider>
  );
}

function ClientTyping() {
  const { workspace, conversation } = useThread();
  const writing = useStore(workspace.presence, (presence) => conversation.id in presence.clientTyping);
  return (
    <p className={classes.client} role="status">
      {writing && (
        <>
          <TypingDots />
          {t('conversation.client_typing', { name: firstName(contactName(conversation)) })}
        </>
      )}
    </p>
  );
}

/** A colleague has begun an answer: two would be one too many. */
function Colleagues() {
  const { workspace, conversation, members } = useThread();
  const writing = useStore(workspace.presence, (presence) => presence.typing[conversation.id]);
  const names = Object.keys(writing ?? {}).map((member) => firstName(memberName(members, Number(member))));
  return (
    <p className={classes.colleagues} role="status">
      {names.length > 0 && t('conversation.replying', { names: names.join(', '), count: names.length })}
    </p>
  );
}

function LoadingPane() {
  return (
    <section className={classes.chat} aria-label={t('thread.section')} aria-busy="true">
      <header className={classes.head} />
      <LoadingLog />
    </section>
  );
}

const BONES: [boolean, number, number][] = [
  [false, 320, 58],
  [false, 220, 40],
  [true, 360, 76],
  [false, 280, 120],
  [true, 300, 40],
  [true, 240, 58],
];

function LoadingLog() {
  const slow = useSlow();
  return (
    <div className={classes.bones} role="status" aria-label={t('state.loading')}>
      {slow &&
        BONES.map(([out, width, height]) => (
          <span key={`${width}/${height}`} className={out ? classes.boneOut : classes.boneIn}>
            <Bone width={width} height={height} />
          </span>
        ))}
    </div>
  );
}
