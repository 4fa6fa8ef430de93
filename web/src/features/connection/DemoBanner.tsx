import { Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useLocation } from '@tanstack/react-router';
import { useState } from 'react';
import { t } from '../../i18n';
import { useInside } from '../shell/workspace-context';
import banner from './banner.module.css';
import classes from './DemoBanner.module.css';

const HIDDEN = 'uzel.demo-banner-hidden';

/** Whether it was closed in this tab; a browser without storage shows it again. */
function wasHidden(): boolean {
  try {
    return sessionStorage.getItem(HIDDEN) !== null;
  } catch {
    return false;
  }
}

/** The data are invented, and how to start for real. The server says when that is so. */
export function DemoBanner() {
  const { session } = useInside();
  const inChat = /\/messages\/\d+/.test(useLocation().pathname);
  const [hidden, setHidden] = useState(wasHidden);
  if (!session.demo || hidden) return null;
  const hide = () => {
    setHidden(true);
    try {
      sessionStorage.setItem(HIDDEN, '1');
    } catch {
      // Closed until the page is loaded again.
    }
  };
  return (
    <aside
      className={`${banner.banner} ${classes.demo} ${inChat ? classes.wideOnly : ''}`}
      aria-label={t('demo.title')}
    >
      <span>
        <b>{t('demo.title')}</b> <span className={classes.wideOnly}>{t('demo.text')}</span> {t('demo.real')}{' '}
        <code>make run</code>
      </span>
      <a href="/demo/site" target="_blank" rel="noreferrer" className={classes.site}>
        {t('demo.site')}
      </a>
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        leftSection={<IconX size={14} aria-hidden="true" />}
        onClick={hide}
      >
        {t('demo.hide')}
      </Button>
    </aside>
  );
}
