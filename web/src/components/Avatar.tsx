import type { ReactNode } from 'react';
import classes from './Avatar.module.css';

const HUES = [
  ['#c7683f', '#e2a36b'],
  ['#5b6cc9', '#9aa6f0'],
  ['#3e8c74', '#86c7ae'],
  ['#a5527e', '#d996b8'],
  ['#7a6a3f', '#bfa86a'],
  ['#4b7fa8', '#93bedd'],
  ['#8257b3', '#b99ae0'],
  ['#a84b4b', '#de9489'],
] as const;

const hash = (text: string) => [...text].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) >>> 0, 7);

/** Letters only: no №, @ or emoji. */
export const initials = (name: string) =>
  (name.match(/(^|[\s@«№])\p{L}/gu) ?? [])
    .slice(0, 2)
    .map((start) => start.slice(-1))
    .join('')
    .toUpperCase();

/** Decorative: the name always stands beside it, or is given by whoever shows it alone. */
export function Avatar({
  name,
  size = 44,
  badge,
  ring,
}: {
  /** Empty: unknown, shown as a silhouette. */
  name: string;
  size?: number;
  badge?: ReactNode;
  ring?: boolean;
}) {
  const letters = initials(name);
  const [dark, light] = HUES[hash(name) % HUES.length] ?? HUES[0];
  return (
    <span
      className={classes.avatar}
      style={{ width: size, height: size, fontSize: size * 0.36 }}
      aria-hidden="true"
    >
      <span
        className={`${classes.face} ${ring ? classes.ring : ''}`}
        // Drawn by the style sheet: letters of a picture are no text of the button they stand in.
        data-letters={letters || undefined}
        style={
          letters
            ? { background: `linear-gradient(155deg, ${light}, ${dark} 70%)`, color: '#fff' }
            : { background: 'var(--uz-sunken)', color: 'var(--uz-text-3)' }
        }
      >
        {!letters && (
          <svg viewBox="0 0 24 24" width="56%" height="56%" fill="currentColor" aria-hidden="true">
            <circle cx="12" cy="8.2" r="4.2" />
            <path d="M3.5 21c0-4.4 3.8-7 8.5-7s8.5 2.6 8.5 7z" />
          </svg>
        )}
      </span>
      {badge && <span className={classes.badge}>{badge}</span>}
    </span>
  );
}
