import { ActionIcon } from '@mantine/core';
import {
  IconArchive,
  IconArchiveOff,
  IconMailOpened,
  IconUserOff,
  IconUserPlus,
  IconX,
} from '@tabler/icons-react';
import { ActionMenu } from '../../components/ActionMenu';
import { Avatar } from '../../components/Avatar';
import { Tip } from '../../components/Tip';
import { t } from '../../i18n';
import { useStore, useValue } from '../../state/store';
import { useInside } from '../shell/workspace-context';
import classes from './ChatList.module.css';
import { dropSelection, selection } from './selection';
import { useBulk } from './useBulk';

/** Stands in the place of the list's title while rows are selected. */
export function BulkBar() {
  const { workspace } = useInside();
  const { ids } = useValue(selection);
  const members = useStore(workspace.store, (state) => state.entities.members);
  const archived = useStore(
    workspace.store,
    (state) => ids.length > 0 && ids.every((id) => state.entities.conversations[id]?.state === 'archived'),
  );
  const run = useBulk();
  const none = ids.length === 0;
  const archiveName = archived ? t('conversation.unarchive') : t('conversation.archive');
  const ArchiveIcon = archived ? IconArchiveOff : IconArchive;
  const colleagues = Object.values(members)
    .filter((member) => member.id !== workspace.me.id)
    .sort((a, b) => a.name.localeCompare(b.name));
  const assign = (member_id: number | null) => void run({ kind: 'assign', member_id });
  return (
    <div className={classes.bulk} role="toolbar" aria-label={t('bulk.label')}>
      <ActionIcon aria-label={t('bulk.drop')} onClick={dropSelection}>
        <IconX size={19} stroke={1.7} aria-hidden="true" />
      </ActionIcon>
      <b aria-live="polite">{t('bulk.count', { count: ids.length })}</b>
      <span className={classes.grow} />
      <Tip label={t('conversation.mark_answered')}>
        <ActionIcon
          aria-label={t('conversation.mark_answered')}
          disabled={none}
          onClick={() => void run({ kind: 'mark_answered' })}
        >
          <IconMailOpened size={19} stroke={1.7} aria-hidden="true" />
        </ActionIcon>
      </Tip>
      <ActionMenu
        width={250}
        trigger={
          <ActionIcon aria-label={t('bulk.assign')} title={t('bulk.assign')} disabled={none}>
            <IconUserPlus size={19} stroke={1.7} aria-hidden="true" />
          </ActionIcon>
        }
        entries={() => [
          { key: 'heading', heading: t('bulk.assign') },
          {
            key: 'me',
            label: t('conversation.assign_me'),
            icon: <Avatar name={workspace.me.name} size={22} />,
            onSelect: () => assign(workspace.me.id),
          },
          ...colleagues.map((member) => ({
            key: String(member.id),
            label: member.name,
            icon: <Avatar name={member.name} size={22} />,
            onSelect: () => assign(member.id),
          })),
          { key: 'line', divider: true as const },
          {
            key: 'nobody',
            label: t('conversation.assign_nobody'),
            icon: <IconUserOff size={18} stroke={1.7} aria-hidden="true" />,
            onSelect: () => assign(null),
          },
        ]}
      />
      <Tip label={archiveName}>
        <ActionIcon
          aria-label={archiveName}
          disabled={none}
          onClick={() => void run({ kind: archived ? 'reopen' : 'archive' })}
        >
          <ArchiveIcon size={19} stroke={1.7} aria-hidden="true" />
        </ActionIcon>
      </Tip>
    </div>
  );
}
