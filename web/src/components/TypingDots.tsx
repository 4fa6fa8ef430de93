import classes from './TypingDots.module.css';

/** Somebody is writing at this moment. */
export function TypingDots() {
  return (
    <span className={classes.dots} aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
  );
}
