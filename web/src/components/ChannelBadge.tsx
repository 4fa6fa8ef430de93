import {
  IconBrandTelegram,
  IconBrandWhatsapp,
  IconBriefcase,
  IconRobotFace,
  IconWorld,
} from '@tabler/icons-react';
import type { ChannelKind } from '../api/types';
import { t } from '../i18n';
import classes from './ChannelBadge.module.css';

/** Circle: a person's account; rounded square: a business or a machine. */
const LOOK = {
  telegram_personal: { Icon: IconBrandTelegram, colour: '--uz-ch-tg', round: true },
  telegram_bot: { Icon: IconRobotFace, colour: '--uz-ch-bot', round: false },
  whatsapp: { Icon: IconBrandWhatsapp, colour: '--uz-ch-wa', round: true },
  waba: { Icon: IconBriefcase, colour: '--uz-ch-waba', round: false },
  widget: { Icon: IconWorld, colour: '--uz-ch-web', round: false },
} as const;

export function ChannelBadge({
  kind,
  size = 18,
  ring = false,
  deleted = false,
}: {
  kind: ChannelKind;
  size?: number;
  ring?: boolean;
  /** Only its conversations are left: it looks switched off, and is told so. */
  deleted?: boolean;
}) {
  const { Icon, colour, round } = LOOK[kind];
  const name = t(`channel.kind.${kind}`);
  return (
    <span
      role="img"
      aria-label={deleted ? t('channel.deleted_kind', { kind: name }) : name}
      title={deleted ? t('channel.deleted') : undefined}
      className={[classes.badge, ring ? classes.ring : '', deleted ? classes.deleted : ''].join(' ')}
      style={{
        width: size,
        height: size,
        background: deleted ? undefined : `var(${colour})`,
        borderRadius: round ? '50%' : size * 0.3,
      }}
    >
      <Icon size={Math.round(size * 0.68)} stroke={2} aria-hidden="true" />
    </span>
  );
}
