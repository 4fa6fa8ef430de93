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
}: {
  kind: ChannelKind;
  size?: number;
  ring?: boolean;
}) {
  const { Icon, colour, round } = LOOK[kind];
  return (
    <span
      role="img"
      aria-label={t(`channel.kind.${kind}`)}
      className={`${classes.badge} ${ring ? classes.ring : ''}`}
      style={{
        width: size,
        height: size,
        background: `var(${colour})`,
        borderRadius: round ? '50%' : size * 0.3,
      }}
    >
      <Icon size={Math.round(size * 0.68)} stroke={2} aria-hidden="true" />
    </span>
  );
}
