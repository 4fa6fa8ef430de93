import { IconKey } from '@tabler/icons-react';
import { lazy } from 'react';
import type { KindOfChannel } from './kind';

export const kind: KindOfChannel = {
  kind: 'telegram_bot',
  order: 1,
  about: 'connect.about.telegram_bot',
  Connect: lazy(() => import('../ConnectBot').then((module) => ({ default: module.ConnectBot }))),
  intakeChoice: true,
  tools: [
    {
      key: 'token',
      label: 'channel.replace_token',
      Icon: IconKey,
      Dialog: lazy(() =>
        import('../ReplaceTokenDialog').then((module) => ({ default: module.ReplaceTokenDialog })),
      ),
      repairs: true,
    },
  ],
};
