import { Button } from '@mantine/core';
import { IconWifiOff } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { t } from '../../i18n';
import { useStore, useValue } from '../../state/store';
import { useInside } from '../shell/workspace-context';
import classes from './banner.module.css';

/** A break shorter than this (a restart of the server) is nobody's business. */
const QUIET_MS = 3_000;

export function ConnectionBanner() {
  const { socket, workspace } = useInside();
  const state = useValue(socket.state);
  const reloading = useStore(workspace.store, (now) => now.reloading);
  const [now, setNow] = useState(Date.now);
  const trouble = state.phase !== 'live';
  useEffect(() => {
    if (!trouble) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [trouble]);

  if (state.phase === 'live') return null;
  if (state.phase === 'stopped') {
    if (state.reason === 'signed_out' || state.reason === 'closed') return null;
    return (
      <div className={`${classes.banner} ${classes.bad}`} role="alert">
        <IconWifiOff size={17} stroke={1.9} aria-hidden="true" />
        <span>
          <b>{t('connection.stopped')}</b> {t('connection.stopped.text')}
        </span>
        <Button size="compact-xs" variant="default" onClick={() => location.reload()}>
          {t('connection.reload')}
        </Button>
      </div>
    );
  }
  if (now - state.since < QUIET_MS && navigator.onLine) return null;
  if (state.phase === 'recovering') {
    return (
      <div className={classes.line} role="status">
        {reloading ? t('connection.reloading') : t('connection.updating')}
      </div>
    );
  }
  const seconds =
    state.phase === 'offline' && state.retryAt !== null
      ? Math.max(0, Math.ceil((state.retryAt - now) / 1000))
      : null;
  return (
    <div className={`${classes.banner} ${classes.warn}`} role="status">
      <IconWifiOff size={17} stroke={1.9} aria-hidden="true" />
      <span>
        <b>{t('connection.lost')}</b>{' '}
        {/* The countdown is for the eye: read aloud each second it would drown everything else. */}
        {seconds !== null && <span aria-hidden="true">{t('connection.next_try', { seconds })} </span>}
        {t('connection.will_send')}
      </span>
      <Button size="compact-xs" variant="default" onClick={() => socket.retryNow()}>
        {t('action.retry')}
      </Button>
    </div>
  );
}
