import { IconAlertCircle, IconCheck, IconChecks, IconClock, IconHelpCircle } from '@tabler/icons-react';
import type { MessageStatus } from '../api/types';
import { t } from '../i18n';
import classes from './Ticks.module.css';

const ICONS = {
  queued: IconClock,
  sending: IconClock,
  sent: IconCheck,
  delivered: IconChecks,
  read: IconChecks,
  failed: IconAlertCircle,
  unknown: IconHelpCircle,
} as const;

/** Where an outgoing message is. Shapes differ, colour only repeats what they say. */
export function Ticks({ status, size = 15 }: { status: MessageStatus; size?: number }) {
  const Icon = ICONS[status];
  const name = t(`status.${status}`);
  return (
    <span role="img" aria-label={name} title={name} className={`${classes.ticks} ${classes[status] ?? ''}`}>
      <Icon
        size={status === 'queued' || status === 'sending' ? size - 2 : size}
        stroke={2}
        aria-hidden="true"
      />
    </span>
  );
}
