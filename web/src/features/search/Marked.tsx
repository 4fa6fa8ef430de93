import classes from './Palette.module.css';

/** Text with what was asked for marked in it. */
export function Marked({ pieces }: { pieces: readonly { text: string; hit: boolean }[] }) {
  let place = 0;
  return pieces.map(({ text, hit }) => {
    const key = place;
    place += text.length;
    return hit ? (
      <mark key={key} className={classes.mark}>
        {text}
      </mark>
    ) : (
      <span key={key}>{text}</span>
    );
  });
}
