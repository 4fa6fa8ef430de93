import { useEffect, useState } from 'react';
import classes from './Skeleton.module.css';

/** True once a wait is long enough to be shown. */
export function useSlow(ms = 200): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return slow;
}

export function Bone({ width, height, round }: { width: number | string; height: number; round?: boolean }) {
  return (
    <span
      className={classes.bone}
      style={{ width, height, borderRadius: round ? '50%' : Math.min(height / 2, 14) }}
    />
  );
}

/** Grey lines in place of text, after 200 ms. */
export function Skeleton({ lines, label }: { lines: number; label: string }) {
  const slow = useSlow();
  return (
    <div className={classes.lines} role="status" aria-label={label}>
      {slow &&
        Array.from({ length: lines }, (_, line) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: grey lines have no identity
          <Bone key={line} width={`${88 - ((line * 17) % 40)}%`} height={11} />
        ))}
    </div>
  );
}
