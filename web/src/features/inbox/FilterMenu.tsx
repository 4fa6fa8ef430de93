import { IconChevronDown } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import type { ConversationFilter, Counts } from '../../api/types';
import { ActionMenu } from '../../components/ActionMenu';
import { Spoken } from '../../components/Spoken';
import { t } from '../../i18n';
import classes from './FilterMenu.module.css';
import { FILTERS, searchOf } from './search';
import { useMessagesRoute } from './useMessagesRoute';

const countOf = (counts: Counts | undefined, filter: ConversationFilter) =>
  counts && (filter === 'all' ? counts.open + counts.archived : counts[filter]);

/** The section is the title of the list; its menu names every section with its number. */
export function FilterMenu({ counts }: { counts: Counts | undefined }) {
  const { params, query } = useMessagesRoute();
  const navigate = useNavigate();
  const count = countOf(counts, query.filter);
  return (
    <ActionMenu
      position="bottom-start"
      width={290}
      trigger={
        <button type="button" className={classes.target}>
          <Spoken>{t('inbox.filter')} </Spoken>
          <h1>{t(`inbox.filter.${query.filter}`)}</h1>
          {count !== undefined && <span>{count}</span>}
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
              search: searchOf({ ...query, filter }),
            }),
        }))
      }
    />
  );
}
