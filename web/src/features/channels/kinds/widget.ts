import { IconCode } from '@tabler/icons-react';
import { lazy } from 'react';
import type { KindOfChannel } from './kind';

export const kind: KindOfChannel = {
  kind: 'widget',
  order: 5,
  about: 'connect.about.widget',
  Connect: lazy(() =>
    import('../widget/ConnectWidget').then((module) => ({ default: module.ConnectWidget })),
  ),
  tools: [
    {
      key: 'widget',
      label: 'widget.settings',
      Icon: IconCode,
      Dialog: lazy(() =>
        import('../widget/WidgetDialog').then((module) => ({ default: module.WidgetDialog })),
      ),
    },
  ],
};
