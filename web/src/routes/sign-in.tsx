import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { Session } from '../api/types';
import { AuthFrame } from '../features/auth/AuthFrame';
import { CodeStep } from '../features/auth/CodeStep';
import { PhoneStep } from '../features/auth/PhoneStep';
import { t } from '../i18n';
import { enter } from '../state/session';

const route = getRouteApi('/sign-in');

export function SignInPage() {
  const { next } = route.useSearch();
  const navigate = useNavigate();
  const [sent, setSent] = useState<{ phone: string; resendAfterSeconds: number } | null>(null);
  const [phone, setPhone] = useState('');
  useEffect(() => {
    document.title = t('sign_in.document_title');
  }, []);

  const inside = (session: Session) => {
    enter(session);
    void navigate({ to: next ?? '/', replace: true });
  };

  return (
    <AuthFrame>
      {sent ? (
        <CodeStep
          phone={sent.phone}
          resendAfterSeconds={sent.resendAfterSeconds}
          onBack={() => setSent(null)}
          onSession={inside}
        />
      ) : (
        <PhoneStep
          initial={phone}
          onSent={(entered, resendAfterSeconds) => {
            setPhone(entered);
            setSent({ phone: entered, resendAfterSeconds });
          }}
        />
      )}
    </AuthFrame>
  );
}
