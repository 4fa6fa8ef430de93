import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { type ApiError, asApiError } from '../../api/error';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { Setting } from './Setting';
import classes from './settings.module.css';

/** A line of text with its button. What somebody else saved meanwhile is shown until it is changed here. */
export function NameSetting({
  title,
  text,
  value,
  autoComplete,
  onSave,
}: {
  title: string;
  text: string;
  value: string;
  autoComplete?: string;
  onSave: (next: string) => Promise<void>;
}) {
  const [typed, setTyped] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const shown = typed ?? value;
  const changed = shown.trim() !== value;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || !changed) return;
    setBusy(true);
    setError(null);
    try {
      await onSave(shown.trim());
      setTyped(null);
      showToast({ text: t('settings.saved') });
    } catch (cause) {
      setError(asApiError(cause));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Setting title={title} text={text}>
      <form className={classes.line} onSubmit={submit} noValidate>
        <TextInput
          className={classes.field}
          aria-label={title}
          value={shown}
          maxLength={120}
          autoComplete={autoComplete ?? 'off'}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setError(null);
          }}
          error={error ? sentenceOf(error) : undefined}
        />
        <Button
          type="submit"
          variant={changed ? 'filled' : 'default'}
          disabled={!changed || shown.trim() === ''}
          loading={busy}
        >
          {t('action.save')}
        </Button>
      </form>
    </Setting>
  );
}
