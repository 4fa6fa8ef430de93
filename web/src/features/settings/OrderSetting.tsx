import { Checkbox } from '@mantine/core';
import { useState } from 'react';
import { type ApiError, asApiError } from '../../api/error';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useValue } from '../../state/store';
import { useInside } from '../shell/workspace-context';
import { Setting } from './Setting';

/** Kept by the server, so that it holds wherever the member looks. */
export function OrderSetting() {
  const { workspace } = useInside();
  const order = useValue(workspace.chats.order);
  const [error, setError] = useState<ApiError | null>(null);
  const choose = async (created: boolean) => {
    setError(null);
    try {
      await workspace.chats.sort(created ? 'created' : 'activity');
    } catch (cause) {
      setError(asApiError(cause));
    }
  };
  return (
    <Setting title={t('account.order')} text={t('account.order.text')}>
      <Checkbox
        label={t('account.order.created')}
        checked={order === 'created'}
        error={error && sentenceOf(error)}
        onChange={(event) => void choose(event.currentTarget.checked)}
      />
    </Setting>
  );
}
