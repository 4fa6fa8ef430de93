import {
  IconCheck,
  IconClick,
  IconClock,
  IconFile,
  IconMapPin,
  IconMicrophone,
  IconMusic,
  IconPhoto,
  IconSticker,
  IconUser,
  IconVideo,
} from '@tabler/icons-react';
import { type MouseEvent, memo } from 'react';
import type { MessagePreview } from '../../api/types';
import { Avatar } from '../../components/Avatar';
import { ChannelBadge } from '../../components/ChannelBadge';
import { Spoken } from '../../components/Spoken';
import { Ticks } from '../../components/Ticks';
import { t } from '../../i18n';
import { dateTime, duration, rowTime } from '../../i18n/format';
import { useStore } from '../../state/store';
import { isDeleted } from '../channels/words';
import { contactName, firstName, memberName, previewText } from '../conversation/words';
import { useInside } from '../shell/workspace-context';
import { ChatLink } from './ChatLink';
import classes from './ChatRow.module.css';
import type { MessagesSearch } from './search';
import { useMinute } from './useMinute';

/** A client who waits longer than this is told by the time. */
const LONG_WAIT_SECONDS = 15 * 60;

const ICONS: Record<string, typeof IconFile> = {
  photo: IconPhoto,
  video: IconVideo,
  video_note: IconVideo,
  animation: IconVideo,
  voice: IconMicrophone,
  audio: IconMusic,
  sticker: IconSticker,
  document: IconFile,
  location: IconMapPin,
  contact: IconUser,
  button: IconClick,
};

export const ChatRow = memo(function ChatRow({
  id,
  params,
  search,
  selected,
  picked,
  onPick,
  tabIndex,
}: {
  id: number;
  params: { company: string };
  search: MessagesSearch;
  selected: boolean;
  /** Among those that something is to be done to. */
  picked: boolean;
  /** Whether a click selected the row instead of opening it. */
  onPick: (id: number, event: MouseEvent) => boolean;
  tabIndex: number;
}) {
  const { workspace } = useInside();
  const conversation = useStore(workspace.store, (state) => state.entities.conversations[id]);
  const members = useStore(workspace.store, (state) => state.entities.members);
  const channel = useStore(workspace.store, (state) =>
    conversation ? state.entities.channels[conversation.channel_id] : undefined,
  );
  const marker = useStore(
    workspace.store,
    (state) => state.entities.readMarkers[id]?.[workspace.me.id]?.position ?? 0,
  );
  const draft = useStore(workspace.drafts.store, (drafts) => drafts[id]);
  const typing = useStore(workspace.presence, (presence) => presence.typing[id]);
  const clientTyping = useStore(workspace.presence, (presence) => id in presence.clientTyping);
  const stuck = useStore(workspace.outbox.store, (state) =>
    state.items.some((item) => item.conversationId === id && item.refusal !== null),
  );
  const now = useMinute();
  if (!conversation) return null;

  const last = conversation.last_message;
  const unread = conversation.last_incoming_position > marker;
  const count = conversation.unanswered_count;
  const waited = conversation.waiting_since ? (now - Date.parse(conversation.waiting_since)) / 1000 : 0;
  const late = count > 0 && waited >= LONG_WAIT_SECONDS;
  const failed = stuck || last?.status === 'failed' || last?.status === 'unknown';
  const assignee = conversation.assignee_id === null ? null : memberName(members, conversation.assignee_id);
  const writers = Object.keys(typing ?? {}).map((member) => firstName(memberName(members, Number(member))));

  return (
    <ChatLink
      company={params.company}
      conversation={id}
      search={search}
      className={[
        classes.row,
        selected && classes.selected,
        unread && classes.unread,
        picked && classes.picked,
      ]
        .filter(Boolean)
        .join(' ')}
      aria-current={selected ? 'true' : undefined}
      onClick={(event) => {
        if (onPick(id, event)) event.preventDefault();
      }}
      data-conversation={id}
      tabIndex={tabIndex}
      draggable={false}
    >
      {picked ? (
        <span className={classes.pick}>
          <IconCheck size={22} stroke={2.4} aria-hidden="true" />
          <Spoken>{t('bulk.picked')}</Spoken>
        </span>
      ) : (
        <Avatar
          name={conversation.contact.name}
          size={44}
          badge={channel && <ChannelBadge kind={channel.kind} ring deleted={isDeleted(channel)} />}
        />
      )}
      <span className={classes.body}>
        <span className={classes.line}>
          <b dir="auto">{contactName(conversation)}</b>
          {isDeleted(channel) && <Spoken>{t('channel.deleted')}</Spoken>}
          {late && conversation.waiting_since ? (
            <time
              className={classes.late}
              dateTime={conversation.waiting_since}
              title={t('inbox.waits_since', { time: dateTime(conversation.waiting_since) })}
            >
              <IconClock size={13} stroke={2} aria-hidden="true" />
              {duration(waited)}
            </time>
          ) : (
            last && (
              <time dateTime={last.sent_at} title={dateTime(last.sent_at)}>
                {last.direction === 'outgoing' && last.status && !failed && <Ticks status={last.status} />}
                {rowTime(last.sent_at, new Date(now))}
              </time>
            )
          )}
        </span>
        <span className={classes.line}>
          <span className={classes.words}>
            {clientTyping ? (
              <span className={classes.typing}>{t('inbox.client_typing')}</span>
            ) : writers.length > 0 ? (
              <span className={classes.typing}>
                {t('inbox.typing', { names: writers.join(', '), count: writers.length })}
              </span>
            ) : draft && !selected ? (
              <>
                <span className={classes.draft}>{t('inbox.draft')}</span>{' '}
                {draft.text || draft.files[0]?.name || draft.note}
              </>
            ) : (
              last && <Preview last={last} me={workspace.me.id} members={members} />
            )}
          </span>
          {failed && (
            <span
              className={classes.failed}
              role="img"
              aria-label={t('status.failed')}
              title={t('status.failed')}
            >
              !
            </span>
          )}
          {assignee && (
            <span role="img" aria-label={t('inbox.assigned_to', { name: assignee })} title={assignee}>
              <Avatar name={assignee} size={18} />
            </span>
          )}
          {count > 0 && (
            <span className={`${classes.count} ${unread ? '' : classes.seen}`}>
              {count > 99 ? '99+' : count}
              <Spoken>{t('inbox.unanswered', { count })}</Spoken>
            </span>
          )}
        </span>
      </span>
    </ChatLink>
  );
});

function Preview({
  last,
  me,
  members,
}: {
  last: MessagePreview;
  me: number;
  members: Parameters<typeof memberName>[0];
}) {
  const Icon = last.deleted ? undefined : ICONS[last.attachment_kind ?? last.content_kind];
  const author =
    last.direction !== 'outgoing'
      ? null
      : last.author_member_id === me
        ? t('inbox.you')
        : firstName(memberName(members, last.author_member_id));
  return (
    <>
      {author && <span className={classes.author}>{author}: </span>}
      {Icon && <Icon size={14} stroke={1.8} className={classes.icon} aria-hidden="true" />}
      <bdi>{previewText(last)}</bdi>
    </>
  );
}
