import { IconChevronDown, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { ActionMenu } from '../../components/ActionMenu';
import { ChannelBadge } from '../../components/ChannelBadge';
import { Spoken } from '../../components/Spoken';
import { t } from '../../i18n';
import { useStore } from '../../state/store';
import { connected } from '../channels/connected';
import { useInside } from '../shell/workspace-context';
import classes from './ChatList.module.css';
import { searchOf } from './search';
import { useAssigneeChoice } from './useAssigneeChoice';
import { useMessagesRoute } from './useMessagesRoute';
import { useNarrow } from './useNarrow';

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

/** Stands there once it narrows; it is chosen in the menu of the list. */
function AssigneeChip() {
  const { query } = useMessagesRoute();
  const { entries, nameOf } = useAssigneeChoice();
  const { assignee } = query;
  if (assignee === null) return null;
  return (
    <ActionMenu
      position="bottom-start"
      width={280}
      trigger={
        <button type="button" className={classes.chipOn}>
          <Spoken>{t('conversation.assignee')}: </Spoken>
          <span>{nameOf(assignee)}</span>
          <IconChevronDown size={14} aria-hidden="true" />
        </button>
      }
      entries={entries}
    />
  );
}
