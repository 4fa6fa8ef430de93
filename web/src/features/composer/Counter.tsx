import { t } from '../../i18n';
import classes from './Composer.module.css';

/** The counter appears when so few characters are left. */
const COUNT_FROM = 200;

export function Counter({ length, limit }: { length: number; limit: number }) {
  const left = limit - length;
  if (left > COUNT_FROM) return null;
  return (
    <span className={`${classes.counter} ${left < 0 ? classes.over : ''}`} role="status">
      {left < 0 ? t('composer.too_long', { count: -left }) : t('composer.left', { count: left })}
    </span>
  );
}
