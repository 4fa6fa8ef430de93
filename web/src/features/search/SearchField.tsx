import { IconSearch } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, useEffect, useState } from 'react';
import { Lazily } from '../../components/Lazily';
import { t } from '../../i18n';
import { whenIdle } from '../shell/idle';
import { singleKeys } from '../shell/shortcuts';
import classes from './SearchField.module.css';

const load = () => import('./Palette');
const Palette = lazy(() => load().then((module) => ({ default: module.Palette })));

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

/** Fields take letters for themselves. */
const isField = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/**
 * Opens the search: by a click, Ctrl+K anywhere, or `/` outside of fields. What was searched for stands in
 * the address of the page that was left, so that Back leads to the same results.
 */
export function SearchField() {
  const { find } = useSearch({ strict: false });
  const navigate = useNavigate();
  const [opened, setOpened] = useState(false);

  // What is typed right after the shortcut is not to be lost while the code is on its way.
  useEffect(() => whenIdle(() => void load().catch(() => undefined)), []);

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey || event.shiftKey || event.isComposing) return;
      const modified = event.ctrlKey || event.metaKey;
      // By the place of the key, so that it works in every layout.
      const command = modified && event.code === 'KeyK';
      const slash =
        !modified && event.code === 'Slash' && singleKeys.store.get() === 'on' && !isField(event.target);
      if (!command && !slash) return;
      event.preventDefault();
      setOpened(true);
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);

  /** What the address of this page says was searched for. */
  const keep = (query: string | undefined) =>
    navigate({ to: '.', search: (now) => ({ ...now, find: query || undefined }), replace: true });
  const shown = opened || find !== undefined;
  return (
    <>
      <button
        type="button"
        className={classes.field}
        aria-haspopup="dialog"
        aria-keyshortcuts={isApple ? 'Meta+K' : 'Control+K'}
        onPointerEnter={() => void load()}
        onFocus={() => void load()}
        onClick={() => setOpened(true)}
      >
        <IconSearch size={17} stroke={1.8} aria-hidden="true" />
        <span>{t('search.open')}</span>
        <kbd>{isApple ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      <Lazily when={shown}>
        <Palette
          opened={shown}
          initial={find ?? ''}
          onClose={() => {
            setOpened(false);
            if (find !== undefined) void keep(undefined);
          }}
          onLeave={async (query) => {
            await keep(query);
            setOpened(false);
          }}
        />
      </Lazily>
    </>
  );
}
