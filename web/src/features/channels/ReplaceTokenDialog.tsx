import { Button, Modal } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { changeChannel } from '../../api/channels';
import { type ApiError, asApiError } from '../../api/error';
import type { Channel } from '../../api/types';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useInside } from '../shell/workspace-context';
import classes from './ConnectDialog.module.css';
import { TokenField } from './TokenField';
import { useCredentialCheck } from './useCredentialCheck';
import { channelTitle } from './words';

/** A new token of the same bot; what waits in the queue is sent once it works again. */
export function ReplaceTokenDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const { workspace } = useInside();
  const [token, setToken] = useState('');
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [check, checkAgain] = useCredentialCheck(workspace.company.id, channel.kind, token);
  const otherBot = check.state === 'good' && check.account.external_id !== channel.external_id;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || check.state !== 'good' || otherBot) return;
    setBusy(true);
    setError(null);
    try {
      const changed = await changeChannel(workspace.company.id, channel.id, { credential: token });
      workspace.absorb({ channels: [changed] });
      onClose();
    } catch (cause) {
      setError(asApiError(cause));
      setBusy(false);
    }
  };

  return (
    <Modal
      opened
      onClose={onClose}
      size={520}
      title={t('channel.replace_token.title', { name: channelTitle(channel) })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form className={classes.form} onSubmit={submit}>
        <TokenField token={token} onToken={setToken} check={check} onCheckAgain={checkAgain} />
        {(error || otherBot) && (
          <p className={classes.error} role="alert">
            {error ? sentenceOf(error) : t('error.credential_of_other_account')}
          </p>
        )}
        <div className={classes.foot}>
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={busy} disabled={check.state !== 'good' || otherBot}>
            {t('action.save')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
