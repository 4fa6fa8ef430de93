import { ActionIcon, Button } from '@mantine/core';
import { IconArchive, IconArchiveOff, IconCopy, IconMailOpened, IconX } from '@tabler/icons-react';
import { useEffect } from 'react';
import { Avatar } from '../../components/Avatar';
import { ChannelBadge } from '../../components/ChannelBadge';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { dateTime, phone } from '../../i18n/format';
import { isDeleted } from '../channels/words';
import { useConversationActions } from '../conversation/actions';
import { AssigneeMenu } from '../conversation/Header';
import { useThread } from '../conversation/thread-context';
import { contactName } from '../conversation/words';
import classes from './ContactPanel.module.css';
import { VisitorFacts } from './VisitorFacts';

/** What is known about the client; a drawer where there is no room for a third pane. */
export function ContactPanel({ onClose }: { onClose: () => void }) {
  const { workspace, conversation, channel } = useThread();
  const actions = useConversationActions(conversation);
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
          <h2>{contactName(conversation)}</h2>
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
          <dd>{contact.name || t('contact.unknown')}</dd>
          {contact.username && (
            <>
              <dt>{t('contact.username')}</dt>
              <dd>@{contact.username}</dd>
            </>
          )}
          <dt>{t('contact.phone')}</dt>
          <dd className={classes.number}>
            {contact.phone ? (
              <>
                {phone(contact.phone)}
                <ActionIcon
                  size={24}
                  aria-label={t('contact.copy_phone')}
                  onClick={() => {
                    navigator.clipboard?.writeText(`+${contact.phone}`).then(
                      () => showToast({ text: t('message.copied') }),
                      () => undefined,
                    );
                  }}
                >
                  <IconCopy size={14} aria-hidden="true" />
                </ActionIcon>
              </>
            ) : (
              <span className={classes.dim}>{t('contact.no_phone')}</span>
            )}
          </dd>
          <dt>{t('contact.channel')}</dt>
          <dd>
            {channel && (
              <>
                <ChannelBadge kind={channel.kind} size={16} deleted={isDeleted(channel)} />
                {channel.name}
                {isDeleted(channel) && <span className={classes.dim}>{t('contact.channel_deleted')}</span>}
              </>
            )}
          </dd>
          {channel?.kind === 'widget' && <VisitorFacts key={conversation.id} conversation={conversation} />}
          <dt>{t('contact.company')}</dt>
          <dd>{workspace.company.name}</dd>
          <dt>{t('contact.created')}</dt>
          <dd className={classes.number}>{dateTime(conversation.created_at)}</dd>
          <dt>{t('conversation.assignee')}</dt>
          <dd className={classes.assignee}>
            <AssigneeMenu />
          </dd>
        </dl>
      </aside>
    </>
  );
}
