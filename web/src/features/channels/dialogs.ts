import { lazy } from 'react';

export const ConnectDialog = lazy(() =>
  import('./ConnectDialog').then((module) => ({ default: module.ConnectDialog })),
);
export const ReplaceTokenDialog = lazy(() =>
  import('./ReplaceTokenDialog').then((module) => ({ default: module.ReplaceTokenDialog })),
);
