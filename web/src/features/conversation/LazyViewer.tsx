import { lazy } from 'react';
import { Lazily } from '../../components/Lazily';
import { useValue } from '../../state/store';
import { viewed } from './viewer';

const Viewer = lazy(() => import('./Viewer').then((module) => ({ default: module.Viewer })));

export function LazyViewer() {
  const open = useValue(viewed) !== null;
  return (
    <Lazily when={open}>
      <Viewer />
    </Lazily>
  );
}
