import type { AssigneeFilter } from '../../api/types';
import type { MenuEntry } from '../../components/ActionMenu';
import { Avatar } from '../../components/Avatar';
import { t } from '../../i18n';
import { useStore } from '../../state/store';
import { memberName } from '../conversation/words';
import { useInside } from '../shell/workspace-context';
import { useMessagesRoute } from './useMessagesRoute';
import { useNarrow } from './useNarrow';

/** Whose chats the list is narrowed to: entries of a menu. */
export function useAssigneeChoice() {
  const { workspace } = useInside();
  const { query } = useMessagesRoute();
  const narrow = useNarrow();
  const members = useStore(workspace.store, (state) => state.entities.members);
  const nameOf = (assignee: AssigneeFilter) =>
    typeof assignee === 'number' ? memberName(members, assignee) : t(`inbox.assignee.${assignee}`);
  const entry = (assignee: AssigneeFilter) => ({
    key: String(assignee),
    label: nameOf(assignee),
    checked: query.assignee === assignee,
    onSelect: () => narrow({ assignee }),
  });
  const entries = (): MenuEntry[] => [
    {
      key: 'any',
      label: t('inbox.assignee.any'),
      checked: query.assignee === null,
      onSelect: () => narrow({ assignee: null }),
    },
    ...(['me', 'nobody', 'somebody'] as const).map(entry),
    ...Object.values(members)
      .filter((member) => member.id !== workspace.me.id)
      .map((member) => ({ ...entry(member.id), icon: <Avatar name={member.name} size={18} /> })),
  ];
  return { entries, nameOf };
}
