import { IconChevronDown } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import type { ConversationFilter, Counts } from '../../api/types';
import { ActionMenu } from '../../components/ActionMenu';
import { ChannelBadge } from '../../components/ChannelBadge';
import { Spoken } from '../../components/Spoken';
import { t } from '../../i18n';
import type { ListQuery } from '../../state/order';
import { useStore } from '../../state/store';
import { connected } from '../channels/connected';
import { useInside } from '../shell/workspace-context';
import listClasses from './ChatList.module.css';
import classes from './FilterMenu.module.css';
import { useMessagesRoute } from './useMessagesRoute';

const FILTERS: ConversationFilter[] = ['open', 'all', 'mine', 'unassigned', 'unanswered', 'archived'];

const countOf = (counts: Counts | null, filter: ConversationFilter) =>
  counts && (filter === 'all' ? counts.open + counts.archived : counts[filter]);

/** The filter is the title of the list; its menu names every filter with its number. */
export function FilterMenu({ query, counts }: { query: ListQuery; counts: Counts | null }) {
  const { params, search } = useMessagesRoute();
  const navigate = useNavigate();
  const name = t(`inbox.filter.${query.filter}`);
  const count = countOf(counts, query.filter);
  return (
    <ActionMenu
      position="bottom-start"
      width={290}
      trigger={
        <button type="button" className={classes.target}>
          <Spoken>{t('inbox.filter')} </Spoken>
          <h1>{name}</h1>
          {count !== null && <span>{count}</span>}
          <IconChevronDown size={17} stroke={2} aria-hidden="true" />
        </button>
      }
      entries={() =>
        FILTERS.map((filter) => ({
          key: filter,
          label: t(`inbox.filter.${filter}`),
          checked: filter === query.filter,
          right: <span className={classes.number}>{countOf(counts, filter) ?? ''}</span>,
          onSelect: () =>
            void navigate({
              to: '/c/$company/messages',
              params,
              search: { ...search, filter: filter === 'open' ? undefined : filter },
            }),
        }))
      }
    />
  );
}

/** Narrows the list to one channel; there is nothing to choose from while there is only one. */
export function ChannelFilter({ query }: { query: ListQuery }) {
  const { workspace } = useInside();
  const { params, search } = useMessagesRoute();
  const navigate = useNavigate();
  const channels = useStore(workspace.store, (state) => state.entities.channels);
  const all = connected(channels);
  const chosen = query.channelId === null ? undefined : channels[query.channelId];
  if (all.length < 2 && !chosen) return null;
  const go = (channel: number | undefined) =>
    void navigate({ to: '/c/$company/messages', params, search: { ...search, channel } });
  return (
    <ActionMenu
      position="bottom-start"
      width={260}
      trigger={
        <button type="button" className={chosen ? listClasses.chipOn : listClasses.chip}>
          {chosen ? chosen.name : t('contact.channel')}
          <IconChevronDown size={14} aria-hidden="true" />
        </button>
      }
      entries={() => [
        {
          key: 'all',
          label: t('inbox.all_channels'),
          checked: !chosen,
          onSelect: () => go(undefined),
        },
        ...all.map((channel) => ({
          key: String(channel.id),
          label: channel.name,
          icon: <ChannelBadge kind={channel.kind} size={18} />,
          checked: channel.id === chosen?.id,
          onSelect: () => go(channel.id),
        })),
      ]}
    />
  );
}
