import { lazy } from 'react';

export const ConnectDialog = lazy(() =>
  import('./ConnectDialog').then((module) => ({ default: module.ConnectDialog })),
);
export const EditChannelDialog = lazy(() =>
  import('./EditChannelDialog').then((module) => ({ default: module.EditChannelDialog })),
);
