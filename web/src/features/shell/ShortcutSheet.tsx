import { lazy } from 'react';
import { Lazily } from '../../components/Lazily';
import { createStore, useValue } from '../../state/store';
import { useShortcuts } from './shortcuts';

const Dialog = lazy(() => import('./ShortcutDialog').then((module) => ({ default: module.ShortcutDialog })));

const opened = createStore(false);

export const showShortcuts = () => opened.set(true);

/** The list of keys, by `?` or from the profile menu. */
export function ShortcutSheet() {
  const open = useValue(opened);
  useShortcuts({ sheet: showShortcuts });
  return (
    <Lazily when={open}>
      <Dialog opened={open} onClose={() => opened.set(false)} />
    </Lazily>
  );
}
