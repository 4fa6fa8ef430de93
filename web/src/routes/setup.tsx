import { Button, TextInput } from '@mantine/core';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { type ApiError, asApiError } from '../api/error';
import { completeSetup, getSetup } from '../api/session';
import { Failure, Notice } from '../components/Notice';
import { AuthFrame } from '../features/auth/AuthFrame';
import { SetupFrame } from '../features/auth/SetupFrame';
import { t } from '../i18n';
import { sentenceOf } from '../i18n/errors';
import { enter } from '../state/session';
import { useLoad } from '../state/useLoad';
import classes from './setup.module.css';

const route = getRouteApi('/setup/$token');

type Field = 'name' | 'phone' | 'company_name';

export function SetupPage() {
  const { token } = route.useParams();
  const navigate = useNavigate();
  const setup = useLoad(getSetup, token);
  const [values, setValues] = useState<Record<Field, string>>({ name: '', phone: '', company_name: '' });
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = t('setup.document_title');
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const session = await completeSetup(token, {
        ...values,
        time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      });
      enter(session);
      const company = session.companies[0]?.company.id;
      // The next step is the first channel.
      if (company === undefined) void navigate({ to: '/', replace: true });
      else {
        void navigate({
          to: '/c/$company/settings/channels',
          params: { company: String(company) },
          replace: true,
        });
      }
    } catch (cause) {
      setError(asApiError(cause));
      setBusy(false);
    }
  };

  if (setup.error) {
    const failed = setup.error;
    return (
      <AuthFrame>
        {failed.status === 404 ? (
          <Notice alert title={t('setup.invalid')} text={sentenceOf(failed)}>
            <Button component={Link} to="/sign-in">
              {t('sign_in.title')}
            </Button>
          </Notice>
        ) : (
          <Failure title={t('setup.failed')} error={failed} onRetry={setup.reload} />
        )}
      </AuthFrame>
    );
  }

  const input = (field: Field, more: { autoComplete: string; inputMode?: 'tel'; description?: string }) => ({
    label: t(`setup.field.${field}`),
    required: true,
    maxLength: field === 'phone' ? 40 : 120,
    value: values[field],
    onChange: (event: { currentTarget: HTMLInputElement }) => {
      const { value } = event.currentTarget;
      setValues((now) => ({ ...now, [field]: value }));
    },
    error: error?.field === field ? sentenceOf(error) : undefined,
    ...more,
  });
  const fieldError = error?.field !== null && error?.field !== undefined && error.field in values;
  return (
    <SetupFrame checks={setup.data?.checks ?? null}>
      <form className={classes.form} onSubmit={submit} noValidate>
        <p className={classes.step}>{t('setup.step', { number: 2, total: 3 })}</p>
        <h1>{t('setup.title')}</h1>
        <p className={classes.lead}>{t('setup.lead')}</p>
        <div className={classes.grid}>
          <TextInput {...input('name', { autoComplete: 'name' })} autoFocus />
          <TextInput
            {...input('phone', {
              autoComplete: 'tel',
              inputMode: 'tel',
              description: t('setup.field.phone.hint'),
            })}
            type="tel"
            placeholder="+7 900 000-00-00"
            inputWrapperOrder={['label', 'input', 'error', 'description']}
          />
        </div>
        <h2>{t('setup.company')}</h2>
        <TextInput {...input('company_name', { autoComplete: 'organization' })} />
        {error && !fieldError && (
          <p className={classes.error} role="alert">
            {sentenceOf(error)}
          </p>
        )}
        <div className={classes.foot}>
          <Button
            type="submit"
            loading={busy}
            disabled={Object.values(values).some((value) => value.trim() === '')}
          >
            {t('action.next_step')}
          </Button>
        </div>
      </form>
    </SetupFrame>
  );
}
