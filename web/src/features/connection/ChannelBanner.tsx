import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Link, useLocation } from '@tanstack/react-router';
import { t } from '../../i18n';
import { useStore } from '../../state/store';
import { connected } from '../channels/connected';
import { channelTitle, isTroubled, reasonOf } from '../channels/words';
import { useInside } from '../shell/workspace-context';
import classes from './banner.module.css';

/** A channel that needs a person, told to those who can do something about it. */
export function ChannelBanner() {
  const { workspace } = useInside();
  const { pathname } = useLocation();
  const channels = useStore(workspace.store, (state) => state.entities.channels);
  const troubled = connected(channels).filter(isTroubled);
  const [first] = troubled;
  if (!first || workspace.me.role !== 'administrator' || pathname.includes('/settings/')) return null;
  return (
    <div className={`${classes.banner} ${classes.bad}`} role="status">
      <IconAlertTriangle size={17} stroke={1.9} aria-hidden="true" />
      <span>
        <b>{t('channel.banner', { name: channelTitle(first) })}</b> {reasonOf(first)}{' '}
        {troubled.length > 1 && t('channel.banner.more', { count: troubled.length - 1 })}
      </span>
      <Button
        size="compact-xs"
        variant="default"
        renderRoot={(props) => (
          <Link
            to="/c/$company/settings/channels"
            params={{ company: String(workspace.company.id) }}
            {...props}
          />
        )}
      >
        {t('channel.banner.action')}
      </Button>
    </div>
  );
}
