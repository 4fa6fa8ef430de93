import { Button, Modal, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { changeChannel } from '../../api/channels';
import { type ApiError, asApiError } from '../../api/error';
import type { Channel } from '../../api/types';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useInside } from '../shell/workspace-context';
import classes from './ConnectDialog.module.css';
import { IntakeChoice } from './IntakeChoice';
import { kindOf } from './kinds';
import { channelTitle } from './words';

/** What colleagues call the channel, and how its messages come in. */
export function EditChannelDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const { workspace } = useInside();
  const [name, setName] = useState(channel.name);
  const [intake, setIntake] = useState(channel.intake);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const changed = name.trim() !== channel.name || intake !== channel.intake;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || !changed) return;
    setBusy(true);
    setError(null);
    try {
      const next = await changeChannel(workspace.company.id, channel.id, {
        ...(name.trim() !== channel.name && { name: name.trim() }),
        ...(intake !== channel.intake && { intake }),
      });
      workspace.absorb({ channels: [next] });
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
      title={channelTitle(channel)}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form className={classes.form} onSubmit={submit} noValidate>
        <TextInput
          label={t('channel.name')}
          description={t('channel.name.text')}
          value={name}
          maxLength={80}
          autoComplete="off"
          data-autofocus
          onChange={(event) => {
            setName(event.currentTarget.value);
            setError(null);
          }}
          error={error?.field === 'name' ? sentenceOf(error) : undefined}
        />
        {kindOf(channel.kind)?.intakeChoice && <IntakeChoice value={intake} onChange={setIntake} />}
        {error && error.field !== 'name' && (
          <p className={classes.error} role="alert">
            {sentenceOf(error)}
          </p>
        )}
        <div className={classes.foot}>
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={busy} disabled={!changed || name.trim() === ''}>
            {t('action.save')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
