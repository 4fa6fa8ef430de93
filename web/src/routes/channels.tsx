import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { ArtInbox } from '../components/Art';
import { Lazily } from '../components/Lazily';
import { Notice } from '../components/Notice';
import { Skeleton } from '../components/Skeleton';
import { ChannelCard } from '../features/channels/ChannelCard';
import { connected } from '../features/channels/connected';
import { ConnectDialog } from '../features/channels/dialogs';
import { useTraffic } from '../features/channels/useTraffic';
import { isTroubled } from '../features/channels/words';
import { useInside } from '../features/shell/workspace-context';
import { t } from '../i18n';
import { useStore } from '../state/store';
import classes from './channels.module.css';
import frame from './settings.module.css';

export function ChannelsPage() {
  const { workspace } = useInside();
  const administrator = workspace.me.role === 'administrator';
  const held = useStore(workspace.store, (state) => state.entities.channels);
  const basics = useStore(workspace.store, (state) => state.basics);
  const [connecting, setConnecting] = useState(false);
  const channels = connected(held).sort(
    (a, b) => Number(isTroubled(b)) - Number(isTroubled(a)) || a.id - b.id,
  );
  const troubled = channels.filter(isTroubled).length;
  const traffic = useTraffic();
  const title = useRef<HTMLHeadingElement>(null);

  return (
    <>
      <section className={frame.page} aria-labelledby="channels-title">
        <header className={frame.head}>
          <div>
            <h1 id="channels-title" ref={title} tabIndex={-1}>
              {t('channels.title')}
            </h1>
            <p>{t('channels.facts', { count: channels.length, troubled })}</p>
          </div>
          {administrator && channels.length > 0 && (
            <Button
              leftSection={<IconPlus size={17} stroke={2.2} aria-hidden="true" />}
              onClick={() => setConnecting(true)}
            >
              {t('channels.connect')}
            </Button>
          )}
        </header>
        {basics === 'loading' && channels.length === 0 ? (
          <Skeleton lines={4} label={t('state.loading')} />
        ) : basics === 'failed' && channels.length === 0 ? (
          <Notice alert title={t('channels.failed')} text={t('error.network')}>
            <Button size="compact-sm" onClick={() => void workspace.loadBasics()}>
              {t('action.retry')}
            </Button>
          </Notice>
        ) : channels.length === 0 ? (
          <Notice
            art={<ArtInbox />}
            title={t('channels.empty.title')}
            text={administrator ? t('channels.empty.text') : t('channels.empty.ask')}
          >
            {administrator && (
              <Button
                leftSection={<IconPlus size={17} stroke={2.2} aria-hidden="true" />}
                onClick={() => setConnecting(true)}
              >
                {t('channels.connect')}
              </Button>
            )}
          </Notice>
        ) : (
          <ul className={classes.grid}>
            {channels.map((channel) => (
              <ChannelCard
                key={channel.id}
                channel={channel}
                traffic={traffic[channel.id]}
                administrator={administrator}
                onDeleted={() => title.current?.focus()}
              />
            ))}
          </ul>
        )}
      </section>
      <Lazily when={connecting}>
        <ConnectDialog opened={connecting} onClose={() => setConnecting(false)} />
      </Lazily>
    </>
  );
}
