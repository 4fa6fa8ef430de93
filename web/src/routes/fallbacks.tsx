import { Button } from '@mantine/core';
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { asApiError } from '../api/error';
import { Failure, Notice } from '../components/Notice';
import { t } from '../i18n';
import classes from './fallbacks.module.css';

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
  return (
    <main className={classes.page}>
      <Failure
        title={t('page.broken.title')}
        error={asApiError(error)}
        safe={t('page.broken.safe')}
        onRetry={async () => {
          reset();
          await router.invalidate();
        }}
      />
    </main>
  );
}
