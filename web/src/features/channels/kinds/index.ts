import type { ChannelKind } from '../../../api/types';
import type { KindOfChannel } from './kind';

const found = import.meta.glob<KindOfChannel>(['./*.ts', './*.tsx', '!./index.ts', '!./kind.ts'], {
  eager: true,
  import: 'kind',
});

/** Every kind that can be connected, in the order of the chooser. */
export const KINDS: readonly KindOfChannel[] = Object.values(found).sort((a, b) => a.order - b.order);

export const kindOf = (kind: ChannelKind): KindOfChannel | undefined =>
  KINDS.find((known) => known.kind === kind);
