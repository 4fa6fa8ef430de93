import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import type { ApiError } from '../api/error';
import { t } from '../i18n';
import { sentenceOf } from '../i18n/errors';
import { ArtCut } from './Art';
import classes from './Notice.module.css';

/** A picture, a sentence and a way out, in the middle of a pane. */
export function Notice({
  art,
  title,
  text,
  children,
  alert = false,
}: {
  art?: ReactNode;
  title: string;
  text?: ReactNode;
  children?: ReactNode;
  alert?: boolean;
}) {
  return (
    <div className={classes.notice} role={alert ? 'alert' : undefined}>
      {art}
      <h2>{title}</h2>
      {text && <p>{text}</p>}
      {children}
    </div>
  );
}

/** What failed, what is safe, and another try. */
export function Failure({
  title,
  error,
  safe,
  onRetry,
}: {
  title: string;
  error: ApiError;
  safe?: string;
  onRetry: () => void;
}) {
  const [open, setOpen] = useState(false);
  return (
    <Notice
      alert
      art={<ArtCut />}
      title={title}
      text={
        <>
          {sentenceOf(error)} {safe}
        </>
      }
    >
      <div className={classes.actions}>
        <Button
          size="compact-sm"
          leftSection={<IconRefresh size={15} aria-hidden="true" />}
          onClick={onRetry}
        >
          {t('action.retry')}
        </Button>
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {t('action.details')}
        </Button>
      </div>
      {open && (
        <dl className={classes.details}>
          <dt>{t('error.details.code')}</dt>
          <dd>{error.code}</dd>
          <dt>{t('error.details.status')}</dt>
          <dd>{error.status || '—'}</dd>
          <dt>{t('error.details.request')}</dt>
          <dd>{error.requestId ?? '—'}</dd>
        </dl>
      )}
    </Notice>
  );
}
