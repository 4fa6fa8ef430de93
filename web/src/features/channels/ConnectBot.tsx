import { Button } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { connectChannel } from '../../api/channels';
import { type ApiError, asApiError } from '../../api/error';
import type { IntakeMode } from '../../api/types';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useInside } from '../shell/workspace-context';
import classes from './ConnectDialog.module.css';
import { IntakeChoice } from './IntakeChoice';
import type { ConnectProps } from './kinds/kind';
import { TokenField } from './TokenField';
import { useCredentialCheck } from './useCredentialCheck';

/** Connects a Telegram bot: the token is checked at Telegram before anything is stored. */
export function ConnectBot({ onConnected, onCancel }: ConnectProps) {
  const { workspace } = useInside();
  const [token, setToken] = useState('');
  const [intake, setIntake] = useState<IntakeMode>('polling');
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [check, checkAgain] = useCredentialCheck(workspace.company.id, 'telegram_bot', token);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || check.state !== 'good') return;
    setBusy(true);
    setError(null);
    try {
      onConnected(
        await connectChannel(workspace.company.id, { kind: 'telegram_bot', credential: token, intake }),
      );
    } catch (cause) {
      setError(asApiError(cause));
      setBusy(false);
    }
  };

  return (
    <form className={classes.form} onSubmit={submit}>
      <ol className={classes.steps}>
        <li>{t('connect.step.open')}</li>
        <li>{t('connect.step.new_bot')}</li>
        <li>{t('connect.step.copy')}</li>
      </ol>
      <TokenField
        token={token}
        onToken={(next) => {
          setToken(next);
          setError(null);
        }}
        check={check}
        onCheckAgain={checkAgain}
      />
      <IntakeChoice value={intake} onChange={setIntake} />
      {error && (
        <p className={classes.error} role="alert">
          {sentenceOf(error)}
        </p>
      )}
      <div className={classes.foot}>
        <Button variant="default" onClick={onCancel}>
          {t('action.cancel')}
        </Button>
        <Button type="submit" loading={busy} disabled={check.state !== 'good'}>
          {t('connect.action')}
        </Button>
      </div>
    </form>
  );
}
