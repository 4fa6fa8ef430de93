import { Button } from '@mantine/core';
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { ApiError } from '../api/error';
import { ArtCut } from '../components/Art';
import { Failure, Notice } from '../components/Notice';
import { t } from '../i18n';
import classes from './fallbacks.module.css';

const OFFLINE_RETRY_MS = 5_000;

/** A part of the page that cannot be fetched is a lack of network; anything else is our own mistake. */
function causeOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const text = String(error);
  const unfetched = /dynamically imported module|importing a module|preload CSS/i.test(text);
  return new ApiError(0, unfetched ? 'network' : 'other', { detail: text });
}

export function NotFound() {
  return (
    <main className={classes.page}>
      <Notice title={t('page.missing.title')} text={t('page.missing.text')}>
        <Button component={Link} to="/" size="compact-sm">
          {t('page.missing.action')}
        </Button>
      </Notice>
    </main>
  );
}

/** A page that could not be drawn or loaded. Drafts and outbox are not touched by it. */
export function Broken({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const cause = causeOf(error);
  const offline = cause.code === 'network' || cause.code === 'timeout';
  const again = async () => {
    reset();
    await router.invalidate();
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: what `again` does never changes
  useEffect(() => {
    if (!offline) return;
    const retry = () => void again();
    window.addEventListener('online', retry);
    const timer = setInterval(retry, OFFLINE_RETRY_MS);
    return () => {
      window.removeEventListener('online', retry);
      clearInterval(timer);
    };
  }, [offline]);
  if (offline) {
    return (
      <main className={classes.page}>
        <Notice alert art={<ArtCut />} title={t('page.offline.title')} text={t('page.offline.text')}>
          <Button size="compact-sm" onClick={() => void again()}>
            {t('action.retry')}
          </Button>
        </Notice>
      </main>
    );
  }
  return (
    <main className={classes.page}>
      <Failure
        title={t('page.broken.title')}
        error={cause}
        safe={t('page.broken.safe')}
        onRetry={() => void again()}
      />
    </main>
  );
}
