import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { type ApiError, asApiError } from '../../api/error';
import { requestCode } from '../../api/session';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import classes from './auth.module.css';

export function PhoneStep({
  initial,
  onSent,
}: {
  initial: string;
  onSent: (phone: string, resendAfterSeconds: number) => void;
}) {
  const [phone, setPhone] = useState(initial);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const answer = await requestCode(phone);
      onSent(phone, answer.resend_after_seconds);
    } catch (cause) {
      const refused = asApiError(cause);
      // A code is already on its way to this number.
      if (refused.code === 'code_resend_too_early') onSent(phone, refused.retryAfterSeconds ?? 60);
      else setError(refused);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className={classes.stack} onSubmit={submit} noValidate>
      <h1>{t('sign_in.title')}</h1>
      <p className={classes.lead}>{t('sign_in.lead')}</p>
      <TextInput
        size="md"
        label={t('field.phone')}
        placeholder="+7 900 000-00-00"
        value={phone}
        onChange={(event) => setPhone(event.currentTarget.value)}
        inputMode="tel"
        autoComplete="tel"
        type="tel"
        maxLength={40}
        data-autofocus
        autoFocus
        error={error && sentenceOf(error)}
      />
      <Button type="submit" size="md" fullWidth loading={busy} disabled={phone.trim() === ''}>
        {t('sign_in.get_code')}
      </Button>
    </form>
  );
}
