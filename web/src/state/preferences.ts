import { createStore, type Store } from './store';

/** Choices of this browser. They take effect at once, in other tabs as well. */

interface Preference<T extends string> {
  store: Store<T>;
  choose(next: T): void;
}

function preference<T extends string>(key: string, allowed: readonly T[], initial: T): Preference<T> {
  const known = (text: string | null) => allowed.find((value) => value === text) ?? initial;
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(key);
  } catch {
    // Storage is closed to us: the choice holds until the page is closed.
  }
  const store = createStore<T>(known(kept));
  window.addEventListener('storage', (event) => {
    if (event.key === key) store.set(known(event.newValue));
  });
  return {
    store,
    choose(next) {
      store.set(next);
      try {
        localStorage.setItem(key, next);
      } catch {
        // See above.
      }
    },
  };
}

/** The main menu with names beside its icons. */
export const menuWidth = preference('uzel-menu', ['narrow', 'wide'], 'narrow');

/** Something that is on or off. */
export const flag = (key: string, initial: boolean) => preference(key, ['on', 'off'], initial ? 'on' : 'off');
