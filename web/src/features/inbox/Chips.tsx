import { IconChevronDown, IconX } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import type { AssigneeFilter } from '../../api/types';
import { ActionMenu } from '../../components/ActionMenu';
import { Avatar } from '../../components/Avatar';
import { ChannelBadge } from '../../components/ChannelBadge';
import { t } from '../../i18n';
import type { ListQuery } from '../../state/chat-list';
import { useStore } from '../../state/store';
import { connected } from '../channels/connected';
import { memberName } from '../conversation/words';
import { useInside } from '../shell/workspace-context';
import classes from './ChatList.module.css';
import { searchOf } from './search';
import { useMessagesRoute } from './useMessagesRoute';

/** What narrows the section: each on its own, all together. */
export function Chips({ unanswered }: { unanswered: number | undefined }) {
  const { params, query } = useMessagesRoute();
  return (
    <div className={classes.chips}>
      <Link
        to="/c/$company/messages"
        params={params}
        search={searchOf({ ...query, unanswered: !query.unanswered })}
        className={query.unanswered ? classes.chipOn : classes.chip}
        aria-current={query.unanswered ? 'true' : undefined}
      >
        <i className={classes.dot} aria-hidden="true" />
        {t('inbox.filter.unanswered')} <b>{unanswered ?? ''}</b>
        {query.unanswered && <IconX size={13} aria-label={t('inbox.clear_filter')} />}
      </Link>
      <ChannelChip />
      <AssigneeChip />
    </div>
  );
}

function useNarrow() {
  const { params, query } = useMessagesRoute();
  const navigate = useNavigate();
  return (change: Partial<ListQuery>) =>
    void navigate({ to: '/c/$company/messages', params, search: searchOf({ ...query, ...change }) });
}

/** There is nothing to choose from while there is only one channel. */
function ChannelChip() {
  const { workspace } = useInside();
  const { query } = useMessagesRoute();
  const narrow = useNarrow();
  const channels = useStore(workspace.store, (state) => state.entities.channels);
  const all = connected(channels);
  const chosen = query.channelIds;
  if (all.length < 2 && chosen.length === 0) return null;
  const [only] = chosen;
  const name =
    only === undefined
      ? t('contact.channel')
      : chosen.length === 1
        ? (channels[only]?.name ?? t('contact.channel'))
        : t('inbox.channels', { count: chosen.length });
  const toggle = (id: number) =>
    narrow({ channelIds: chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id] });
  return (
    <ActionMenu
      position="bottom-start"
      width={280}
      trigger={
        <button type="button" className={only === undefined ? classes.chip : classes.chipOn}>
          <span>{name}</span>
          <IconChevronDown size={14} aria-hidden="true" />
        </button>
      }
      entries={() => [
        {
          key: 'all',
          label: t('inbox.all_channels'),
          checked: only === undefined,
          onSelect: () => narrow({ channelIds: [] }),
        },
        { key: 'line', divider: true as const },
        ...all.map((channel) => ({
          key: String(channel.id),
          label: channel.name,
          icon: <ChannelBadge kind={channel.kind} size={18} />,
          checked: chosen.includes(channel.id),
          several: true,
          stayOpen: true,
          onSelect: () => toggle(channel.id),
        })),
      ]}
    />
  );
}

/** The sections of one's own and of nobody's say already whose they are. */
function AssigneeChip() {
  const { workspace } = useInside();
  const { query } = useMessagesRoute();
  const narrow = useNarrow();
  const members = useStore(workspace.store, (state) => state.entities.members);
  const chosen = query.assignee;
  if (chosen === null && (query.filter === 'mine' || query.filter === 'unassigned')) return null;
  const nameOf = (assignee: AssigneeFilter) =>
    typeof assignee === 'number' ? memberName(members, assignee) : t(`inbox.assignee.${assignee}`);
  const entry = (assignee: AssigneeFilter) => ({
    key: String(assignee),
    label: nameOf(assignee),
    checked: chosen === assignee,
    onSelect: () => narrow({ assignee }),
  });
  const colleagues = Object.values(members).filter((member) => member.id !== workspace.me.id);
  return (
    <ActionMenu
      position="bottom-start"
      width={280}
      trigger={
        <button type="button" className={chosen === null ? classes.chip : classes.chipOn}>
          <span>{chosen === null ? t('conversation.assignee') : nameOf(chosen)}</span>
          <IconChevronDown size={14} aria-hidden="true" />
        </button>
      }
      entries={() => [
        {
          key: 'any',
          label: t('inbox.assignee.any'),
          checked: chosen === null,
          onSelect: () => narrow({ assignee: null }),
        },
        ...(['me', 'nobody', 'somebody'] as const).map(entry),
        ...(colleagues.length > 0 ? [{ key: 'line', divider: true as const }] : []),
        ...colleagues.map((member) => ({
          ...entry(member.id),
          icon: <Avatar name={member.name} size={18} />,
        })),
      ]}
    />
  );
}
