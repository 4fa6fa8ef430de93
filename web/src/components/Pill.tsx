import type { ReactNode } from 'react';
import classes from './Pill.module.css';

export type Tone = 'gray' | 'ok' | 'bad' | 'warn' | 'accent';

/** A state in words beside a dot. */
export function Pill({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={`${classes.pill} ${classes[tone]}`}>
      <i />
      {children}
    </span>
  );
}
