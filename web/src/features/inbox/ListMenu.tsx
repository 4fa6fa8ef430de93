import { ActionIcon } from '@mantine/core';
import { IconAdjustmentsHorizontal, IconListCheck } from '@tabler/icons-react';
import { asApiError } from '../../api/error';
import type { ChatOrder } from '../../api/types';
import { ActionMenu } from '../../components/ActionMenu';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useValue } from '../../state/store';
import { useInside } from '../shell/workspace-context';
import { beginChoosing } from './selection';
import { useAssigneeChoice } from './useAssigneeChoice';

const ORDERS: readonly ChatOrder[] = ['activity', 'created'];

/** Whose chats, in which order (the settings of the account hold the same choice), and choosing several. */
export function ListMenu() {
  const { workspace } = useInside();
  const order = useValue(workspace.chats.order);
  const { entries: assignees } = useAssigneeChoice();
  const choose = async (next: ChatOrder) => {
    try {
      await workspace.chats.sort(next);
    } catch (cause) {
      showToast({ text: sentenceOf(asApiError(cause)) });
    }
  };
  return (
    <ActionMenu
      width={290}
      trigger={
        <ActionIcon aria-label={t('inbox.options')} title={t('inbox.options')}>
          <IconAdjustmentsHorizontal size={19} stroke={1.7} aria-hidden="true" />
        </ActionIcon>
      }
      entries={() => [
        { key: 'assignee', heading: t('conversation.assignee') },
        ...assignees(),
        { key: 'order', heading: t('inbox.order') },
        ...ORDERS.map((one) => ({
          key: one,
          label: t(`inbox.order.${one}`),
          checked: one === order,
          onSelect: () => void choose(one),
        })),
        { key: 'line', divider: true as const },
        {
          key: 'choose',
          label: t('bulk.begin'),
          icon: <IconListCheck size={18} stroke={1.7} aria-hidden="true" />,
          onSelect: beginChoosing,
        },
      ]}
    />
  );
}
