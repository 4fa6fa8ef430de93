import type { ReactNode } from 'react';
import classes from './Spoken.module.css';

/** Words for those who listen: in the accessible name, not on screen. */
export const Spoken = ({ live, children }: { live?: 'polite'; children?: ReactNode }) => (
  <span className={classes.spoken} aria-live={live}>
    {children}
  </span>
);
