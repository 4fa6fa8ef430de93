import { Modal } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { Suspense, useState } from 'react';
import type { Channel } from '../../api/types';
import { ChannelBadge } from '../../components/ChannelBadge';
import { Skeleton } from '../../components/Skeleton';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { useInside } from '../shell/workspace-context';
import classes from './ConnectDialog.module.css';
import { KINDS } from './kinds';
import type { KindOfChannel } from './kinds/kind';

/** Which kind, then the steps of that kind. With one kind there is nothing to choose. */
export function ConnectDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { workspace } = useInside();
  const [only] = KINDS;
  const first = KINDS.length === 1 && only ? only : null;
  const [chosen, setChosen] = useState<KindOfChannel | null>(first);

  const close = () => {
    onClose();
    setChosen(first);
  };
  const connected = (channel: Channel) => {
    workspace.absorb({ channels: [channel] });
    showToast({ text: t('connect.done', { name: channel.name }) });
    close();
  };

  return (
    <Modal
      opened={opened}
      onClose={close}
      size={560}
      title={
        chosen ? (
          <span className={classes.title}>
            {!first && (
              <button
                type="button"
                className={classes.back}
                aria-label={t('action.back')}
                onClick={() => setChosen(null)}
              >
                <IconChevronLeft size={20} aria-hidden="true" />
              </button>
            )}
            <ChannelBadge kind={chosen.kind} size={28} />
            {t(`channel.kind.${chosen.kind}`)}
          </span>
        ) : (
          t('connect.choose')
        )
      }
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {chosen ? (
        <Suspense fallback={<Skeleton lines={5} label={t('state.loading')} />}>
          <chosen.Connect onConnected={connected} onCancel={close} />
        </Suspense>
      ) : (
        <ul className={classes.kinds}>
          {KINDS.map((kind, place) => (
            <li key={kind.kind}>
              <button
                type="button"
                className={classes.kind}
                data-autofocus={place === 0 || undefined}
                onClick={() => setChosen(kind)}
              >
                <ChannelBadge kind={kind.kind} size={38} />
                <span>
                  <b>{t(`channel.kind.${kind.kind}`)}</b>
                  <small>{t(kind.about)}</small>
                </span>
                <IconChevronRight size={18} aria-hidden="true" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </Modal>
  );
}
