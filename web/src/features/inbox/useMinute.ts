import { useEffect, useSyncExternalStore } from 'react';

/** The time, moving once a minute for all rows together. */
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 30_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer) {
      clearInterval(timer);
      timer = null;
    }
  };
}

export function useMinute(): number {
  useEffect(() => {
    if (Date.now() - now > 60_000) now = Date.now();
  }, []);
  return useSyncExternalStore(subscribe, () => now);
}
