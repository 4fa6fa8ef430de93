import { Button, PinInput } from '@mantine/core';
import { IconAlertTriangle, IconChevronLeft } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { type ApiError, asApiError } from '../../api/error';
import { requestCode, signIn } from '../../api/session';
import type { Session } from '../../api/types';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { phone as formatPhone, stopwatch } from '../../i18n/format';
import classes from './auth.module.css';
import { useCountdown } from './useCountdown';

const CODE_LENGTH = 6;

export function CodeStep({
  phone,
  resendAfterSeconds,
  onBack,
  onSession,
}: {
  phone: string;
  resendAfterSeconds: number;
  onBack: () => void;
  onSession: (session: Session) => void;
}) {
  const [code, setCode] = useState('');
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [left, restart] = useCountdown(resendAfterSeconds);

  const verify = async (entered: string) => {
    if (busy || entered.length !== CODE_LENGTH) return;
    setBusy(true);
    setError(null);
    try {
      onSession(await signIn(entered));
    } catch (cause) {
      setError(asApiError(cause));
      setCode('');
      setBusy(false);
    }
  };

  const resend = async () => {
    setError(null);
    setCode('');
    try {
      restart((await requestCode(phone)).resend_after_seconds);
    } catch (cause) {
      const refused = asApiError(cause);
      if (refused.code === 'code_resend_too_early') restart(refused.retryAfterSeconds ?? 60);
      else setError(refused);
    }
  };

  const digits = phone.replace(/\D/g, '');
  return (
    <form
      className={classes.stack}
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void verify(code);
      }}
    >
      <button type="button" className={classes.back} onClick={onBack}>
        <IconChevronLeft size={18} aria-hidden="true" />
        {t('sign_in.other_number')}
      </button>
      <h1>{t('sign_in.code.title')}</h1>
      <p className={classes.lead}>
        {t('sign_in.code.sent_to')} <b>{formatPhone(digits.replace(/^8(?=\d{10}$)/, '7'))}</b>
      </p>
      <PinInput
        length={CODE_LENGTH}
        size="lg"
        gap={8}
        type="number"
        oneTimeCode
        autoFocus
        placeholder=""
        value={code}
        error={error !== null}
        ariaLabel={t('sign_in.code.label')}
        onChange={setCode}
        onComplete={(entered) => void verify(entered)}
      />
      {error && (
        <p className={classes.error} role="alert">
          <IconAlertTriangle size={16} aria-hidden="true" />
          {sentenceOf(error)}
        </p>
      )}
      <Button type="submit" size="md" fullWidth loading={busy} disabled={code.length !== CODE_LENGTH}>
        {t('sign_in.verify')}
      </Button>
      {left > 0 ? (
        <p className={classes.under}>{t('sign_in.resend_in', { time: stopwatch(left) })}</p>
      ) : (
        <Button variant="subtle" onClick={() => void resend()}>
          {t('sign_in.resend')}
        </Button>
      )}
    </form>
  );
}
