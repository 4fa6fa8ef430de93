import { ActionIcon, Button } from '@mantine/core';
import { IconArchive, IconArchiveOff, IconCopy, IconMailOpened, IconX } from '@tabler/icons-react';
import { useEffect } from 'react';
import type { Conversation } from '../../api/types';
import { Avatar } from '../../components/Avatar';
import { ChannelBadge } from '../../components/ChannelBadge';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { dateTime, duration, phone, zoneName } from '../../i18n/format';
import { isDeleted } from '../channels/words';
import { AssigneePicker } from '../conversation/AssigneePicker';
import { useConversationActions } from '../conversation/actions';
import { useThread } from '../conversation/thread-context';
import { contactName } from '../conversation/words';
import { useMinute } from '../inbox/useMinute';
import { useCompany } from '../shell/names';
import { CommentField } from './CommentField';
import classes from './ContactPanel.module.css';
import { LineField } from './LineField';
import { OtherChats } from './OtherChats';
import { VisitorFacts } from './VisitorFacts';

/** What is known about the client; a drawer where there is no room for a third pane. */
export function ContactPanel({ onClose }: { onClose: () => void }) {
  const { conversation, channel } = useThread();
  const actions = useConversationActions(conversation);
  const company = useCompany();
  const { contact } = conversation;
  const archived = conversation.state === 'archived';
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && matchMedia('(max-width: 1099px)').matches) onClose();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [onClose]);

  return (
    <>
      <button
        type="button"
        className={classes.scrim}
        tabIndex={-1}
        aria-label={t('action.close')}
        onClick={onClose}
      />
      <aside className={classes.panel} aria-label={t('contact.card')}>
        <div className={classes.close}>
          <b>{t('contact.card')}</b>
          <ActionIcon aria-label={t('action.close')} onClick={onClose}>
            <IconX size={18} aria-hidden="true" />
          </ActionIcon>
        </div>
        <div className={classes.top}>
          <Avatar
            name={contact.name}
            size={52}
            badge={
              channel && <ChannelBadge kind={channel.kind} size={20} ring deleted={isDeleted(channel)} />
            }
          />
          <div>
            <h2 dir="auto">{contactName(conversation)}</h2>
            <LastWrote conversation={conversation} />
          </div>
        </div>
        <div className={classes.actions}>
          <Button
            variant="default"
            justify="flex-start"
            disabled={conversation.unanswered_count === 0}
            leftSection={<IconMailOpened size={17} stroke={1.7} aria-hidden="true" />}
            onClick={() => void actions.markAnswered()}
          >
            {t('conversation.mark_answered')}
          </Button>
          <Button
            variant="default"
            justify="flex-start"
            leftSection={
              archived ? (
                <IconArchiveOff size={17} stroke={1.7} aria-hidden="true" />
              ) : (
                <IconArchive size={17} stroke={1.7} aria-hidden="true" />
              )
            }
            onClick={() => void (archived ? actions.unarchive() : actions.archive())}
          >
            {archived ? t('conversation.unarchive') : t('conversation.archive')}
          </Button>
        </div>
        <dl className={classes.facts}>
          <dt>{t('contact.name')}</dt>
          <LineField
            key={`${contact.id}/name`}
            conversation={conversation}
            field="name"
            value={contact.name}
            label={t('contact.name')}
            hint={t('contact.name_hint')}
          >
            {contact.name ? (
              <span dir="auto">{contact.name}</span>
            ) : (
              <span className={classes.dim}>{t('contact.unknown')}</span>
            )}
          </LineField>
          {contact.username && (
            <>
              <dt>{t('contact.username')}</dt>
              <dd>
                <span className={classes.value}>
                  {channel?.kind === 'telegram_bot' || channel?.kind === 'telegram_personal' ? (
                    <a
                      href={`https://t.me/${encodeURIComponent(contact.username)}`}
                      target="_blank"
                      rel="noopener noreferrer nofollow"
                    >
                      @{contact.username}
                    </a>
                  ) : (
                    `@${contact.username}`
                  )}
                </span>
                <Copy label={t('contact.copy_username')} text={`@${contact.username}`} />
              </dd>
            </>
          )}
          <dt>{t('contact.phone')}</dt>
          <LineField
            key={`${contact.id}/phone`}
            conversation={conversation}
            field="phone"
            value={contact.phone ? phone(contact.phone).replace(/\u00a0/g, ' ') : ''}
            label={t('contact.phone')}
            hint={t('contact.phone_hint')}
            inputMode="tel"
          >
            {contact.phone ? (
              <span className={classes.number}>
                {phone(contact.phone)}
                <Copy label={t('contact.copy_phone')} text={`+${contact.phone}`} />
              </span>
            ) : (
              <span className={classes.dim}>{t('contact.no_phone')}</span>
            )}
          </LineField>
          <dt>{t('contact.channel')}</dt>
          <dd>
            {channel && (
              <>
                <ChannelBadge kind={channel.kind} size={16} deleted={isDeleted(channel)} />
                <span>
                  {channel.name}
                  {channel.username && <span className={classes.dim}> · @{channel.username}</span>}{' '}
                  {isDeleted(channel) && <span className={classes.dim}>{t('contact.channel_deleted')}</span>}
                </span>
              </>
            )}
          </dd>
          {channel?.kind === 'widget' && <VisitorFacts key={conversation.id} conversation={conversation} />}
          <dt>{t('contact.company')}</dt>
          <dd>{company.name}</dd>
          <dt>{t('contact.created')}</dt>
          <dd className={classes.number} title={zoneName(conversation.created_at)}>
            {dateTime(conversation.created_at)}
          </dd>
          <dt>{t('conversation.assignee')}</dt>
          <dd className={classes.assignee}>
            <AssigneePicker pencil />
          </dd>
          <dt>{t('contact.comment')}</dt>
          <CommentField key={`${contact.id}/comment`} conversation={conversation} />
        </dl>
        <OtherChats key={contact.id} conversation={conversation} />
      </aside>
    </>
  );
}

function LastWrote({ conversation }: { conversation: Conversation }) {
  const now = useMinute();
  const last = conversation.last_message;
  if (last?.direction !== 'incoming') return null;
  const seconds = (now - Date.parse(last.sent_at)) / 1000;
  return (
    <p title={dateTime(last.sent_at)}>
      {seconds < 60 ? t('contact.wrote_now') : t('contact.wrote', { ago: duration(seconds) })}
    </p>
  );
}

function Copy({ label, text }: { label: string; text: string }) {
  return (
    <ActionIcon
      size={24}
      aria-label={label}
      onClick={() => {
        // Absent where the page is not served securely.
        const copied = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
        copied.then(
          () => showToast({ text: t('message.copied') }),
          () => showToast({ text: t('contact.not_copied') }),
        );
      }}
    >
      <IconCopy size={14} aria-hidden="true" />
    </ActionIcon>
  );
}
