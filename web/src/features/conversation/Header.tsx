import { ActionIcon } from '@mantine/core';
import {
  IconArchive,
  IconArchiveOff,
  IconChevronLeft,
  IconDots,
  IconLayoutSidebarRightCollapse,
  IconLayoutSidebarRightExpand,
  IconMailOpened,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { ActionMenu } from '../../components/ActionMenu';
import { Avatar } from '../../components/Avatar';
import { ChannelBadge } from '../../components/ChannelBadge';
import { Tip } from '../../components/Tip';
import { t } from '../../i18n';
import { phone } from '../../i18n/format';
import { useStore } from '../../state/store';
import { isDeleted } from '../channels/words';
import { useMessagesRoute } from '../inbox/useMessagesRoute';
import { AssigneePicker } from './AssigneePicker';
import { useConversationActions } from './actions';
import classes from './Header.module.css';
import { useThread } from './thread-context';
import { contactName, memberName } from './words';

export function Header({ cardOpen, onCard }: { cardOpen: boolean; onCard: () => void }) {
  const { conversation, channel } = useThread();
  const actions = useConversationActions(conversation);
  const navigate = useNavigate();
  const { params, search } = useMessagesRoute();
  const { contact } = conversation;
  const address = contact.phone ? phone(contact.phone) : contact.username ? `@${contact.username}` : null;
  const archived = conversation.state === 'archived';
  const archiveName = archived ? t('conversation.unarchive') : t('conversation.archive');
  const ArchiveIcon = archived ? IconArchiveOff : IconArchive;
  const waiting = conversation.unanswered_count > 0;

  return (
    <header className={classes.header}>
      <ActionIcon
        size={40}
        className={classes.back}
        aria-label={t('action.back')}
        onClick={() => void navigate({ to: '/c/$company/messages', params, search })}
      >
        <IconChevronLeft size={24} aria-hidden="true" />
      </ActionIcon>
      <Avatar
        name={contact.name}
        size={38}
        badge={channel && <ChannelBadge kind={channel.kind} size={16} ring deleted={isDeleted(channel)} />}
      />
      <div className={classes.title}>
        <h1>{contactName(conversation)}</h1>
        <p>
          {isDeleted(channel) && <span className={classes.deleted}>{t('channel.deleted')}</span>}
          {[
            channel && t(`channel.kind.${channel.kind}`),
            channel?.username && `@${channel.username}`,
            address,
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      <Viewers />
      <AssigneePicker byKey />
      <span className={classes.wide}>
        <Tip label={t('conversation.mark_answered')}>
          <ActionIcon
            aria-label={t('conversation.mark_answered')}
            disabled={!waiting}
            onClick={() => void actions.markAnswered()}
          >
            <IconMailOpened size={19} stroke={1.7} aria-hidden="true" />
          </ActionIcon>
        </Tip>
        <Tip label={archiveName}>
          <ActionIcon
            aria-label={archiveName}
            onClick={() => void (archived ? actions.unarchive() : actions.archive())}
          >
            <ArchiveIcon size={19} stroke={1.7} aria-hidden="true" />
          </ActionIcon>
        </Tip>
        <Tip label={t('contact.card')}>
          <ActionIcon aria-label={t('contact.card')} aria-expanded={cardOpen} onClick={onCard}>
            {cardOpen ? (
              <IconLayoutSidebarRightCollapse size={19} stroke={1.7} aria-hidden="true" />
            ) : (
              <IconLayoutSidebarRightExpand size={19} stroke={1.7} aria-hidden="true" />
            )}
          </ActionIcon>
        </Tip>
      </span>
      <span className={classes.narrow}>
        <ActionMenu
          trigger={
            <ActionIcon size={40} aria-label={t('action.actions')}>
              <IconDots size={22} aria-hidden="true" />
            </ActionIcon>
          }
          entries={() => [
            {
              key: 'answered',
              label: t('conversation.mark_answered'),
              icon: <IconMailOpened size={18} stroke={1.7} aria-hidden="true" />,
              disabled: !waiting,
              onSelect: () => void actions.markAnswered(),
            },
            {
              key: 'archive',
              label: archiveName,
              icon: <ArchiveIcon size={18} stroke={1.7} aria-hidden="true" />,
              onSelect: () => void (archived ? actions.unarchive() : actions.archive()),
            },
            {
              key: 'card',
              label: t('contact.card'),
              icon: <IconLayoutSidebarRightExpand size={18} stroke={1.7} aria-hidden="true" />,
              onSelect: onCard,
            },
          ]}
        />
      </span>
    </header>
  );
}

/** Who of the colleagues has this conversation open. */
function Viewers() {
  const { workspace, conversation, members } = useThread();
  const looking = useStore(workspace.presence, (presence) => presence.looking);
  const names = Object.entries(looking)
    .filter(([, { conversationId }]) => conversationId === conversation.id)
    .map(([member]) => memberName(members, Number(member)));
  if (names.length === 0) return null;
  const label = t('conversation.viewing', { names: names.join(', ') });
  return (
    <Tip label={label}>
      <span className={classes.viewers} role="img" aria-label={label}>
        {names.slice(0, 3).map((name) => (
          <Avatar key={name} name={name} size={26} ring />
        ))}
      </span>
    </Tip>
  );
}
