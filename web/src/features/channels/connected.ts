import type { Channel } from '../../api/types';

/** The channels there are to work with. A deleted one is held for the conversations that still name it. */
export const connected = (channels: Record<number, Channel>): Channel[] =>
  Object.values(channels).filter((channel) => channel.deleted_at === null);
