import { ActionIcon, Menu, Tooltip } from '@mantine/core';
import {
  IconArchive,
  IconArchiveOff,
  IconCheck,
  IconChevronLeft,
  IconDots,
  IconLayoutSidebarRightCollapse,
  IconLayoutSidebarRightExpand,
  IconMailOpened,
  IconUserOff,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { Avatar } from '../../components/Avatar';
import { ChannelBadge } from '../../components/ChannelBadge';
import { t } from '../../i18n';
import { phone } from '../../i18n/format';
import { useStore } from '../../state/store';
import { useMessagesRoute } from '../inbox/useMessagesRoute';
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
        badge={channel && <ChannelBadge kind={channel.kind} size={16} ring />}
      />
      <div className={classes.title}>
        <h1>{contactName(conversation)}</h1>
        <p>
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
      <AssigneeMenu />
      <span className={classes.wide}>
        <Tooltip label={t('conversation.mark_answered')}>
          <ActionIcon
            aria-label={t('conversation.mark_answered')}
            disabled={!waiting}
            onClick={() => void actions.markAnswered()}
          >
            <IconMailOpened size={19} stroke={1.7} aria-hidden="true" />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={archiveName}>
          <ActionIcon
            aria-label={archiveName}
            onClick={() => void (archived ? actions.unarchive() : actions.archive())}
          >
            <ArchiveIcon size={19} stroke={1.7} aria-hidden="true" />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={t('contact.card')}>
          <ActionIcon aria-label={t('contact.card')} aria-expanded={cardOpen} onClick={onCard}>
            {cardOpen ? (
              <IconLayoutSidebarRightCollapse size={19} stroke={1.7} aria-hidden="true" />
            ) : (
              <IconLayoutSidebarRightExpand size={19} stroke={1.7} aria-hidden="true" />
            )}
          </ActionIcon>
        </Tooltip>
      </span>
      <span className={classes.narrow}>
        <Menu position="bottom-end" width={230}>
          <Menu.Target>
            <ActionIcon size={40} aria-label={t('action.actions')}>
              <IconDots size={22} aria-hidden="true" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<IconMailOpened size={18} stroke={1.7} aria-hidden="true" />}
              disabled={!waiting}
              onClick={() => void actions.markAnswered()}
            >
              {t('conversation.mark_answered')}
            </Menu.Item>
            <Menu.Item
              leftSection={<ArchiveIcon size={18} stroke={1.7} aria-hidden="true" />}
              onClick={() => void (archived ? actions.unarchive() : actions.archive())}
            >
              {archiveName}
            </Menu.Item>
            <Menu.Item
              leftSection={<IconLayoutSidebarRightExpand size={18} stroke={1.7} aria-hidden="true" />}
              onClick={onCard}
            >
              {t('contact.card')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
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
    <Tooltip label={label}>
      <span className={classes.viewers} role="img" aria-label={label}>
        {names.slice(0, 3).map((name) => (
          <Avatar key={name} name={name} size={26} ring />
        ))}
      </span>
    </Tooltip>
  );
}

/** The pencil of the header: to me, to a colleague, to nobody. */
export function AssigneeMenu() {
  const { workspace, conversation, members } = useThread();
  const actions = useConversationActions(conversation);
  const { assignee_id: assignee } = conversation;
  const name = assignee === null ? t('conversation.nobody') : memberName(members, assignee);
  const colleagues = Object.values(members)
    .filter((member) => member.id !== workspace.me.id)
    .sort((a, b) => a.name.localeCompare(b.name));
  const label = t('conversation.assignee_is', { name });
  const check = <IconCheck size={16} aria-hidden="true" />;
  return (
    <Menu position="bottom-end" width={250}>
      <Menu.Target>
        <button type="button" className={classes.assignee} aria-label={label} title={label}>
          <Avatar name={assignee === null ? '' : name} size={24} />
          <span>{name}</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('conversation.assignee')}</Menu.Label>
        <Menu.Item
          leftSection={<Avatar name={workspace.me.name} size={22} />}
          rightSection={assignee === workspace.me.id && check}
          onClick={() => void actions.assign(workspace.me.id)}
        >
          {t('conversation.assign_me')}
        </Menu.Item>
        {colleagues.map((member) => (
          <Menu.Item
            key={member.id}
            leftSection={<Avatar name={member.name} size={22} />}
            rightSection={assignee === member.id && check}
            onClick={() => void actions.assign(member.id)}
          >
            {member.name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconUserOff size={18} stroke={1.7} aria-hidden="true" />}
          rightSection={assignee === null && check}
          onClick={() => void actions.assign(null)}
        >
          {t('conversation.assign_nobody')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
