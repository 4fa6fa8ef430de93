import type { ReactNode } from 'react';
import classes from './settings.module.css';

/** A name and what it is for on the left, what changes it on the right. */
export const Setting = ({ title, text, children }: { title: string; text?: string; children: ReactNode }) => (
  <section className={classes.setting} aria-label={title}>
    <div className={classes.about}>
      <h2>{title}</h2>
      {text && <p>{text}</p>}
    </div>
    <div className={classes.control}>{children}</div>
  </section>
);
