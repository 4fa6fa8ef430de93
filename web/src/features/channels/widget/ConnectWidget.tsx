import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { type ApiError, asApiError } from '../../../api/error';
import type { Channel } from '../../../api/types';
import { connectWidget } from '../../../api/widgets';
import { t } from '../../../i18n';
import { sentenceOf } from '../../../i18n/errors';
import { useInside } from '../../shell/workspace-context';
import classes from '../ConnectDialog.module.css';
import type { ConnectProps } from '../kinds/kind';
import { WidgetCode } from './WidgetCode';

/** A widget needs no account: it is named, and its code goes onto the site. */
export function ConnectWidget({ onConnected, onCancel }: ConnectProps) {
  const { workspace } = useInside();
  const [name, setName] = useState('');
  const [made, setMade] = useState<Channel | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      setMade(await connectWidget(workspace.company.id, { name: name.trim() || null }));
    } catch (cause) {
      setError(asApiError(cause));
    } finally {
      setBusy(false);
    }
  };

  if (made) {
    return (
      <div className={classes.form}>
        <WidgetCode channel={made} />
        <div className={classes.foot}>
          <Button onClick={() => onConnected(made)} data-autofocus>
            {t('action.done')}
          </Button>
        </div>
      </div>
    );
  }
  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput
        label={t('widget.name')}
        description={t('widget.name.hint')}
        placeholder={t('channel.kind.widget')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={80}
        data-autofocus
      />
      {error && (
        <p className={classes.error} role="alert">
          {sentenceOf(error)}
        </p>
      )}
      <div className={classes.foot}>
        <Button variant="default" onClick={onCancel}>
          {t('action.cancel')}
        </Button>
        <Button type="submit" loading={busy}>
          {t('connect.action')}
        </Button>
      </div>
    </form>
  );
}
