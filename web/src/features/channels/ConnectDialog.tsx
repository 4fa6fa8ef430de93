import { Button, Modal, Radio } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { connectChannel } from '../../api/channels';
import { type ApiError, asApiError } from '../../api/error';
import type { IntakeMode } from '../../api/types';
import { ChannelBadge } from '../../components/ChannelBadge';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useInside } from '../shell/workspace-context';
import classes from './ConnectDialog.module.css';
import { TokenField } from './TokenField';
import { useCredentialCheck } from './useCredentialCheck';

/** Connects a Telegram bot: the token is checked at Telegram before anything is stored. */
export function ConnectDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { workspace } = useInside();
  const [token, setToken] = useState('');
  const [intake, setIntake] = useState<IntakeMode>('polling');
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [check, checkAgain] = useCredentialCheck(workspace.company.id, 'telegram_bot', token);

  const close = () => {
    setToken('');
    setError(null);
    onClose();
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || check.state !== 'good') return;
    setBusy(true);
    setError(null);
    try {
      const channel = await connectChannel(workspace.company.id, {
        kind: 'telegram_bot',
        credential: token,
        intake,
      });
      workspace.absorb({ channels: [channel] });
      showToast({ text: t('connect.done', { name: channel.name }) });
      close();
    } catch (cause) {
      setError(asApiError(cause));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Modal
      opened={opened}
      onClose={close}
      size={560}
      title={
        <span className={classes.title}>
          <ChannelBadge kind="telegram_bot" size={28} />
          {t('connect.title')}
        </span>
      }
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
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
        <Radio.Group
          label={t('channel.intake')}
          value={intake}
          onChange={(value) => setIntake(value as IntakeMode)}
        >
          <div className={classes.modes}>
            <Radio
              value="polling"
              label={t('channel.intake.polling')}
              description={t('connect.intake.polling.text')}
            />
            <Radio
              value="webhook"
              label={t('channel.intake.webhook')}
              description={t('connect.intake.webhook.text')}
            />
          </div>
        </Radio.Group>
        {error && (
          <p className={classes.error} role="alert">
            {sentenceOf(error)}
          </p>
        )}
        <div className={classes.foot}>
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={busy} disabled={check.state !== 'good'}>
            {t('connect.action')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
