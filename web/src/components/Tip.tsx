import type { ReactNode } from 'react';
import classes from './Tip.module.css';

/** The name of an icon, for the eye: its accessible name stands on the element itself. */
export function Tip({
  label,
  side = 'bottom',
  children,
}: {
  label: string;
  side?: 'bottom' | 'right';
  children: ReactNode;
}) {
  return (
    <span className={classes.place}>
      {children}
      <span className={`${classes.tip} ${classes[side]}`} aria-hidden="true">
        {label}
      </span>
    </span>
  );
}
