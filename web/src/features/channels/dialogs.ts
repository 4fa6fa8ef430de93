import { lazy } from 'react';

export const ConnectDialog = lazy(() =>
  import('./ConnectDialog').then((module) => ({ default: module.ConnectDialog })),
);
