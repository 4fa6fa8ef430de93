import type { Channel } from '../../api/types';
import { t, tByCode } from '../../i18n';

/** What members read about a channel. */

export const channelTitle = (channel: Channel) =>
  `${t(`channel.kind.${channel.kind}`)} ${channel.username ? `@${channel.username}` : channel.name}`;

/** Only its conversations are left, to be read. */
export const isDeleted = (channel: Channel | undefined): boolean =>
  channel !== undefined && channel.deleted_at !== null;

/** Needs a person. One that an administrator turned off is no trouble. */
export const isTroubled = (channel: Channel) =>
  channel.state === 'needs_action' ||
  (channel.state === 'disabled' && channel.state_reason !== 'disabled_by_administrator');

export function reasonOf(channel: Channel): string | null {
  if (channel.state_reason) {
    return (
      tByCode(`channel.reason.${channel.state_reason}`) ??
      t('channel.reason_other', { code: channel.state_reason })
    );
  }
  return null;
}
