import { Button } from '@mantine/core';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { type ApiError, asApiError } from '../api/error';
import { signInByLink } from '../api/session';
import { Failure, Notice } from '../components/Notice';
import { AuthFrame } from '../features/auth/AuthFrame';
import { t } from '../i18n';
import { sentenceOf } from '../i18n/errors';
import { enter } from '../state/session';

const route = getRouteApi('/sign-in/link/$token');

/** The link works once, so it is used by a press and not by whoever previews the address. */
export function SignInLinkPage() {
  const { token } = route.useParams();
  const navigate = useNavigate();
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const used = useRef(false);
  useEffect(() => {
    document.title = t('sign_in.document_title');
  }, []);

  const use = async () => {
    if (used.current) return;
    used.current = true;
    setBusy(true);
    setError(null);
    try {
      enter(await signInByLink(token));
      void navigate({ to: '/', replace: true });
    } catch (cause) {
      setError(asApiError(cause));
      setBusy(false);
      used.current = false;
    }
  };

  if (error?.status === 404) {
    return (
      <AuthFrame>
        <Notice alert title={t('sign_in.link.invalid')} text={sentenceOf(error)}>
          <Button component={Link} to="/sign-in">
            {t('sign_in.by_phone')}
          </Button>
        </Notice>
      </AuthFrame>
    );
  }
  if (error) {
    return (
      <AuthFrame>
        <Failure title={t('sign_in.link.failed')} error={error} onRetry={() => void use()} />
      </AuthFrame>
    );
  }
  return (
    <AuthFrame>
      <h1>{t('sign_in.link.title')}</h1>
      <p>{t('sign_in.link.text')}</p>
      <Button size="md" fullWidth loading={busy} autoFocus onClick={() => void use()}>
        {t('sign_in.link.action')}
      </Button>
    </AuthFrame>
  );
}
