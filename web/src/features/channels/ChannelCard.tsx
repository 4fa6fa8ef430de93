import { ActionIcon, Button } from '@mantine/core';
import { IconDots, IconPlugConnectedX, IconPower, IconSettings, IconTrash } from '@tabler/icons-react';
import { Suspense, useState } from 'react';
import { deleteChannel, disableChannel, enableChannel } from '../../api/channels';
import { type ApiError, asApiError } from '../../api/error';
import type { Channel, ChannelState } from '../../api/types';
import { ActionMenu } from '../../components/ActionMenu';
import { ChannelBadge } from '../../components/ChannelBadge';
import { Confirm } from '../../components/Confirm';
import { Pill, type Tone } from '../../components/Pill';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { rowTime } from '../../i18n/format';
import { useInside } from '../shell/workspace-context';
import classes from './ChannelCard.module.css';
import { EditChannelDialog } from './dialogs';
import { kindOf } from './kinds';
import type { ChannelTool } from './kinds/kind';
import type { Traffic } from './useTraffic';
import { channelTitle, isDeleted, isTroubled, reasonOf } from './words';

const TONES: Record<ChannelState, Tone> = {
  connecting: 'accent',
  needs_action: 'bad',
  enabled: 'ok',
  limited: 'warn',
  disabled: 'bad',
};

export function ChannelCard({
  channel,
  traffic,
  administrator,
  onDeleted,
}: {
  channel: Channel;
  traffic: Traffic | undefined;
  administrator: boolean;
  /** The card goes with the channel: the focus needs another place. */
  onDeleted: () => void;
}) {
  const { workspace } = useInside();
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState<'disable' | 'delete' | null>(null);
  const [editing, setEditing] = useState(false);
  const [tool, setTool] = useState<ChannelTool | null>(null);
  const tools = kindOf(channel.kind)?.tools ?? [];
  const repair = tools.find(({ repairs }) => repairs);
  const troubled = isTroubled(channel);
  const off = channel.state === 'disabled';
  const reason = reasonOf(channel);

  const run = async (act: typeof enableChannel) => {
    setBusy(true);
    setError(null);
    try {
      workspace.absorb({ channels: [await act(workspace.company.id, channel.id)] });
    } catch (cause) {
      setError(asApiError(cause));
    } finally {
      setBusy(false);
    }
  };

  const remove = async () => {
    await run(deleteChannel);
    if (!isDeleted(workspace.store.get().entities.channels[channel.id])) return;
    showToast({ text: t('channel.delete.done', { name: channelTitle(channel) }) });
    onDeleted();
  };

  return (
    <li className={`${classes.card} ${troubled ? classes.troubled : ''}`}>
      <header>
        <ChannelBadge kind={channel.kind} size={38} />
        <div className={classes.names}>
          <h2>{channel.name}</h2>
          <p>{channel.username ? `@${channel.username}` : t(`channel.kind.${channel.kind}`)}</p>
        </div>
        <Pill tone={off && !troubled ? 'gray' : TONES[channel.state]}>
          {t(`channel.state.${channel.state}`)}
        </Pill>
      </header>
      {reason ? (
        <p className={classes.reason}>{reason}</p>
      ) : (
        <dl className={classes.facts}>
          <div>
            <dt>{t('channel.received')}</dt>
            <dd>{traffic?.received ?? 0}</dd>
          </div>
          <div>
            <dt>{t('channel.sent')}</dt>
            <dd>{traffic?.sent ?? 0}</dd>
          </div>
          <div>
            <dt>{t('channel.last_message')}</dt>
            <dd>{traffic ? rowTime(traffic.last_message_at) : '—'}</dd>
          </div>
        </dl>
      )}
      {error && (
        <p className={classes.error} role="alert">
          {sentenceOf(error)}
        </p>
      )}
      {administrator && (
        <footer>
          {troubled && repair && (
            <Button
              size="compact-sm"
              leftSection={<repair.Icon size={15} aria-hidden="true" />}
              onClick={() => setTool(repair)}
            >
              {t(repair.label)}
            </Button>
          )}
          {off && (
            <Button
              size="compact-sm"
              variant="default"
              loading={busy}
              leftSection={<IconPower size={15} aria-hidden="true" />}
              onClick={() => void run(enableChannel)}
            >
              {t('channel.enable')}
            </Button>
          )}
          {/* A widget is the hub's own: nothing has to be fetched or called. */}
          {!troubled && !off && channel.kind !== 'widget' && (
            <span className={classes.by}>
              {t('channel.by', { way: t(`channel.intake.${channel.intake}`) })}
            </span>
          )}
          <span className={classes.grow} />
          <ActionIcon
            aria-label={t('channel.edit', { name: channelTitle(channel) })}
            onClick={() => setEditing(true)}
          >
            <IconSettings size={18} stroke={1.7} aria-hidden="true" />
          </ActionIcon>
          <ActionMenu
            width={220}
            trigger={
              <ActionIcon aria-label={t('channel.more', { name: channelTitle(channel) })}>
                <IconDots size={18} aria-hidden="true" />
              </ActionIcon>
            }
            entries={() => [
              ...tools.map((offered) => ({
                key: offered.key,
                label: t(offered.label),
                icon: <offered.Icon size={16} stroke={1.7} aria-hidden="true" />,
                onSelect: () => setTool(offered),
              })),
              ...(off
                ? []
                : [
                    {
                      key: 'disable',
                      label: t('channel.disable'),
                      icon: <IconPlugConnectedX size={16} stroke={1.7} aria-hidden="true" />,
                      danger: true,
                      onSelect: () => setAsking('disable'),
                    },
                  ]),
              {
                key: 'delete',
                label: t('channel.delete'),
                icon: <IconTrash size={16} stroke={1.7} aria-hidden="true" />,
                danger: true,
                onSelect: () => setAsking('delete'),
              },
            ]}
          />
        </footer>
      )}
      <Confirm
        opened={asking === 'disable'}
        title={t('channel.disable.title', { name: channelTitle(channel) })}
        text={t('channel.disable.text')}
        action={t('channel.disable')}
        onClose={() => setAsking(null)}
        onConfirm={() => void run(disableChannel)}
      />
      <Confirm
        opened={asking === 'delete'}
        title={t('channel.delete.title', { name: channelTitle(channel) })}
        text={t('channel.delete.text', { kind: channel.kind })}
        action={t('channel.delete')}
        onClose={() => setAsking(null)}
        onConfirm={() => void remove()}
      />
      {editing && (
        <Suspense fallback={null}>
          <EditChannelDialog channel={channel} onClose={() => setEditing(false)} />
        </Suspense>
      )}
      {tool && (
        <Suspense fallback={null}>
          <tool.Dialog channel={channel} onClose={() => setTool(null)} />
        </Suspense>
      )}
    </li>
  );
}
