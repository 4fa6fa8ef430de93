import { Button } from '@mantine/core';
import {
  IconArrowForwardUp,
  IconBan,
  IconClick,
  IconMapPin,
  IconRefresh,
  IconSend,
  IconTrash,
} from '@tabler/icons-react';
import { memo, type ReactNode, useState } from 'react';
import { considerSent, deleteMessage, retryMessage } from '../../api/conversations';
import { type ApiError, asApiError } from '../../api/error';
import type { Message, MessageStatus } from '../../api/types';
import { Avatar } from '../../components/Avatar';
import { Confirm } from '../../components/Confirm';
import { Ticks } from '../../components/Ticks';
import { t } from '../../i18n';
import { failureOf, sentenceOf } from '../../i18n/errors';
import { clock, dateTime, phone } from '../../i18n/format';
import { isDeleted } from '../channels/words';
import { AttachmentView, isMedia } from './attachments/Attachments';
import { Mosaic } from './attachments/Picture';
import classes from './Bubble.module.css';
import { isLargeEmoji } from './entities';
import { MessageTools } from './MessageTools';
import { RichText } from './RichText';
import { useThread } from './thread-context';
import { memberName, messageText } from './words';

/** A message, or an album of them, with all that can be seen and done. */
export const Bubble = memo(function Bubble({
  messages,
  first,
  last,
  highlighted,
}: {
  messages: [Message, ...Message[]];
  first: boolean;
  last: boolean;
  highlighted: boolean;
}) {
  const { members, channel } = useThread();
  const [head] = messages;
  // An album is as good as its worst part; its words are those of whichever part has some.
  const worst = messages.reduce((found, one) => (rank(one.status) < rank(found.status) ? one : found), head);
  const worded = messages.find((one) => one.content.kind !== 'text' || one.content.text !== '') ?? head;
  const out = head.direction === 'outgoing';
  const deleted = messages.every((one) => one.deleted_at !== null);
  const attachments = deleted
    ? []
    : messages.flatMap((one) => one.attachments.map((file) => ({ attachment: file, message: one })));
  const text = worded.content.kind === 'text' && !deleted ? worded.content.text : null;
  const entities = worded.content.kind === 'text' ? worded.content.entities : undefined;
  const media = attachments.length > 0 && attachments.every(({ attachment }) => isMedia(attachment));
  const mosaic = media && attachments.length > 1;
  const sticker =
    attachments[0]?.attachment.kind === 'sticker' && attachments[0].attachment.state === 'ready';
  const large = attachments.length === 0 && text !== null && !worded.reply_to && isLargeEmoji(text);
  const bare = (sticker || large || (media && attachments[0]?.attachment.kind === 'video_note')) && !deleted;
  const author = memberName(members, head.author_member_id);
  const failed = worst.status === 'failed';
  const unknown = worst.status === 'unknown';
  const reactions = messages.flatMap((one) => one.reactions);

  const meta = (
    <span className={classes.meta}>
      {worded.edited_at && !deleted && <>{t('message.edited')} </>}
      <time dateTime={head.sent_at} title={dateTime(head.sent_at)}>
        {clock(head.sent_at)}
      </time>
      {out && worst.status && !deleted && <Ticks status={worst.status} />}
    </span>
  );

  return (
    <div
      className={[
        classes.line,
        out ? classes.out : classes.in,
        first ? classes.first : '',
        last ? classes.last : '',
        highlighted ? classes.highlighted : '',
      ].join(' ')}
      data-message={head.id}
    >
      <div className={classes.column} data-side={out ? 'out' : 'in'}>
        <article
          className={[
            classes.bubble,
            media && !bare ? classes.media : '',
            bare ? classes.bare : '',
            large ? classes.large : '',
            deleted ? classes.deleted : '',
            failed ? classes.failed : '',
            unknown ? classes.unknown : '',
          ].join(' ')}
          aria-label={t(out ? 'message.label.outgoing' : 'message.label.incoming', {
            author,
            time: clock(head.sent_at),
          })}
        >
          {first && out && !bare && <div className={classes.author}>{author}</div>}
          {head.forwarded_from && !deleted && (
            <div className={classes.forwarded}>
              <IconArrowForwardUp size={13} aria-hidden="true" />
              {t('message.forwarded', { name: head.forwarded_from.name })}
            </div>
          )}
          {head.reply_to && !deleted && <Quote reply={head.reply_to} />}
          {deleted ? (
            <span>
              <IconBan size={15} stroke={1.8} aria-hidden="true" />{' '}
              {out ? t('message.deleted.by_us') : t('message.deleted.by_client')}
            </span>
          ) : (
            <>
              {mosaic ? (
                <Mosaic parts={attachments} />
              ) : (
                attachments.map(({ attachment, message }) => (
                  <AttachmentView key={attachment.id} attachment={attachment} message={message} />
                ))
              )}
              {text !== null && text !== '' && (
                <span className={attachments.length > 0 ? classes.caption : undefined}>
                  <RichText text={text} entities={entities} />
                </span>
              )}
              {worded.content.kind !== 'text' && <Special message={worded} />}
            </>
          )}
          {meta}
        </article>
        {!deleted && <MessageTools message={worded} />}
        {reactions.length > 0 && !deleted && (
          <div className={classes.reactions}>
            {reactions.map((reaction) => (
              <span
                key={`${reaction.emoji}/${reaction.by_client}`}
                role="img"
                className={reaction.by_client ? undefined : classes.mine}
                aria-label={t(reaction.by_client ? 'message.reaction.client' : 'message.reaction.ours', {
                  emoji: reaction.emoji,
                })}
              >
                {reaction.emoji}
              </span>
            ))}
          </div>
        )}
        {!deleted && (failed || unknown) && <Trouble message={worst} />}
        {!deleted && !failed && !unknown && worst.failure && (
          <p className={classes.aside}>
            {failureOf(worst.failure, channel ? t(`channel.kind.${channel.kind}`) : '')}
          </p>
        )}
        {worst.status === 'queued' && worst.retry_at && (
          <p className={classes.aside}>{t('message.retry_at', { time: clock(worst.retry_at) })}</p>
        )}
      </div>
      {out && <span className={classes.avatar}>{last && <Avatar name={author} size={26} />}</span>}
    </div>
  );
});

const ORDER: MessageStatus[] = ['failed', 'unknown', 'queued', 'sending', 'sent', 'delivered', 'read'];
const rank = (status: MessageStatus | null) => (status ? ORDER.indexOf(status) : ORDER.length);

function Quote({ reply }: { reply: NonNullable<Message['reply_to']> }) {
  const { workspace, conversation, members, jumpTo } = useThread();
  const id = reply.message_id;
  const quoted = id !== null ? workspace.store.get().entities.messages[conversation.id]?.[id] : undefined;
  const who = quoted
    ? quoted.direction === 'incoming'
      ? t('message.quote.client')
      : memberName(members, quoted.author_member_id)
    : t('message.quote.reply');
  const text = quoted ? messageText(quoted) : reply.text;
  const inner = (
    <>
      <b>{who}</b>
      <span>{text || t('preview.unsupported')}</span>
    </>
  );
  if (id === null) return <div className={classes.quote}>{inner}</div>;
  return (
    <button
      type="button"
      className={classes.quote}
      aria-label={t('message.quote.jump', { text })}
      onClick={() => jumpTo(id)}
    >
      {inner}
    </button>
  );
}

/** What is neither text nor a file. */
function Special({ message }: { message: Message }): ReactNode {
  const { content } = message;
  switch (content.kind) {
    case 'location': {
      const place = `${content.latitude},${content.longitude}`;
      return (
        <a
          className={classes.card}
          href={`https://yandex.ru/maps/?pt=${content.longitude},${content.latitude}&z=16`}
          target="_blank"
          rel="noopener noreferrer nofollow"
        >
          <IconMapPin size={26} stroke={1.6} aria-hidden="true" />
          <span>
            <b>{content.title ?? (content.live ? t('message.location.live') : t('preview.location'))}</b>
            <small>{content.address ?? place}</small>
          </span>
        </a>
      );
    }
    case 'contact':
      return (
        <div className={classes.card}>
          <Avatar name={content.name} size={40} />
          <span>
            <b>{content.name}</b>
            {content.phone && <small>{phone(content.phone.replace(/\D/g, ''))}</small>}
            {content.own && <small>{t('message.contact.own')}</small>}
          </span>
        </div>
      );
    case 'button':
      return (
        <div className={classes.pressed}>
          <IconClick size={17} stroke={1.7} aria-hidden="true" />
          <span dir="auto">{t('message.button', { text: content.text ?? content.data })}</span>
        </div>
      );
    case 'unsupported':
      return (
        <div className={classes.unsupported}>
          {content.text && <RichText text={content.text} />}
          <small>{t('message.unsupported', { what: content.what })}</small>
        </div>
      );
    default:
      return null;
  }
}

/** Why a message did not go, or may not have gone, and what can be done about it. */
function Trouble({ message }: { message: Message }) {
  const { workspace, conversation, channel } = useThread();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const provider = channel ? t(`channel.kind.${channel.kind}`) : '';
  const unknown = message.status === 'unknown';
  const sendable = !isDeleted(channel);

  const run = async (act: typeof retryMessage) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const changed = await act(workspace.company.id, conversation.id, message.id);
      workspace.absorb({ messages: [changed] });
    } catch (cause) {
      setError(asApiError(cause));
    } finally {
      setBusy(false);
    }
  };

  const reason = unknown
    ? t('message.unknown', { provider })
    : message.failure
      ? failureOf(message.failure, provider)
      : t('failure.other', { provider });
  return (
    <div className={`${classes.trouble} ${unknown ? classes.doubtful : ''}`}>
      <span role="alert">{error ? sentenceOf(error) : reason}</span>
      {unknown ? (
        <>
          {sendable && (
            <Button
              size="compact-xs"
              variant="light"
              color="flax"
              loading={busy}
              leftSection={<IconSend size={13} aria-hidden="true" />}
              onClick={() => setAsking(true)}
            >
              {t('message.send_again')}
            </Button>
          )}
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            disabled={busy}
            onClick={() => void run(considerSent)}
          >
            {t('message.consider_sent')}
          </Button>
        </>
      ) : (
        <>
          {sendable && (
            <Button
              size="compact-xs"
              variant="light"
              color="red"
              loading={busy}
              leftSection={<IconRefresh size={13} aria-hidden="true" />}
              onClick={() => void run(retryMessage)}
            >
              {t('action.retry')}
            </Button>
          )}
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            disabled={busy}
            leftSection={<IconTrash size={13} aria-hidden="true" />}
            onClick={() => void run(deleteMessage)}
          >
            {t('action.delete')}
          </Button>
        </>
      )}
      <Confirm
        opened={asking}
        danger={false}
        title={t('message.send_again.title')}
        text={t('message.send_again.text')}
        action={t('message.send_again')}
        onClose={() => setAsking(false)}
        onConfirm={() => void run(retryMessage)}
      />
    </div>
  );
}
