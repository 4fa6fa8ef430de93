import { Button } from '@mantine/core';
import { useEffect } from 'react';
import { createStore, useValue } from '../state/store';
import classes from './Toasts.module.css';

/** One short line at the bottom: what was done, with a way back. Nothing that can be said in place. */
export interface Toast {
  text: string;
  action?: { name: string; run: () => void };
}

const HOLDS_MS = 7_000;
const toast = createStore<Toast | null>(null);

export const showToast = (next: Toast) => toast.set(next);

export function Toasts() {
  const now = useValue(toast);
  useEffect(() => {
    if (!now) return;
    const timer = setTimeout(() => toast.set(null), HOLDS_MS);
    return () => clearTimeout(timer);
  }, [now]);
  return (
    <div className={classes.place} role="status" aria-live="polite">
      {now && (
        <div className={classes.toast}>
          <span>{now.text}</span>
          {now.action && (
            <Button
              size="compact-sm"
              variant="light"
              onClick={() => {
                now.action?.run();
                toast.set(null);
              }}
            >
              {now.action.name}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
