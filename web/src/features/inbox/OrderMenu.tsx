import { ActionIcon } from '@mantine/core';
import { IconAdjustmentsHorizontal } from '@tabler/icons-react';
import { asApiError } from '../../api/error';
import type { ChatOrder } from '../../api/types';
import { ActionMenu } from '../../components/ActionMenu';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useValue } from '../../state/store';
import { useInside } from '../shell/workspace-context';

const ORDERS: readonly ChatOrder[] = ['activity', 'created'];

/** What the list is sorted by; the settings of the account hold the same choice. */
export function OrderMenu() {
  const { workspace } = useInside();
  const order = useValue(workspace.chats.order);
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
        <ActionIcon aria-label={t('inbox.order')} title={t('inbox.order')}>
          <IconAdjustmentsHorizontal size={19} stroke={1.7} aria-hidden="true" />
        </ActionIcon>
      }
      entries={() => [
        { key: 'heading', heading: t('inbox.order') },
        ...ORDERS.map((one) => ({
          key: one,
          label: t(`inbox.order.${one}`),
          checked: one === order,
          onSelect: () => void choose(one),
        })),
      ]}
    />
  );
}
