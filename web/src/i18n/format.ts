import { language, t } from './index';

/** Dates, phones and sizes the way people here write them. Times are shown in the user's own zone. */

const locale = () => (language.get() === 'ru' ? 'ru-RU' : 'en-GB');

const dayStart = (time: Date) => new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();

/** Whole days between two local days. */
const daysBetween = (earlier: Date, later: Date) =>
  Math.round((dayStart(later) - dayStart(earlier)) / 86_400_000);

const formats = new Map<string, Intl.DateTimeFormat>();

/** A format costs a millisecond to make, and lists ask for the same one again and again. */
function format(time: Date, options: Intl.DateTimeFormatOptions): string {
  const key = locale() + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(locale(), options);
    formats.set(key, made);
  }
  return made.format(time);
}

const two = (number: number) => String(number).padStart(2, '0');

/** `09:05`: in both languages the day has 24 hours. */
export function clock(iso: string): string {
  const time = new Date(iso);
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** `05.05.2026 12:37`, for tables and tooltips. */
export function dateTime(iso: string): string {
  const time = new Date(iso);
  return `${two(time.getDate())}.${two(time.getMonth() + 1)}.${time.getFullYear()} ${clock(iso)}`;
}

/** In a row of the list: `14:05`, `вчера`, `пн`, `12.03`, `12.03.2024`. */
export function rowTime(iso: string, now = new Date()): string {
  const time = new Date(iso);
  const days = daysBetween(time, now);
  if (days <= 0) return clock(iso);
  if (days === 1) return t('time.yesterday');
  if (days < 7) return format(time, { weekday: 'short' });
  const day = `${two(time.getDate())}.${two(time.getMonth() + 1)}`;
  return time.getFullYear() === now.getFullYear() ? day : `${day}.${time.getFullYear()}`;
}

/** Between messages: `Сегодня`, `Вчера`, `12 марта`, `12 марта 2024`. */
export function dayName(iso: string, now = new Date()): string {
  const time = new Date(iso);
  const days = daysBetween(time, now);
  if (days === 0) return t('time.today');
  if (days === 1) return t('time.yesterday_title');
  const sameYear = time.getFullYear() === now.getFullYear();
  const name = format(time, { day: 'numeric', month: 'long', ...(!sameYear && { year: 'numeric' }) });
  return name.replace(/\s*г\.$/, '');
}

/** The same for all messages of one local day. */
export function dayKey(iso: string): string {
  const time = new Date(iso);
  return `${time.getFullYear()}-${time.getMonth() + 1}-${time.getDate()}`;
}

/** Words for "how long ago" and "for how long". */
export function duration(seconds: number): string {
  if (seconds < 60) return t('time.seconds', { count: Math.max(0, Math.round(seconds)) });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t('time.minutes', { count: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return t('time.hours', { count: hours });
  return t('time.days', { count: Math.floor(hours / 24) });
}

/** `0:42`, for players and countdowns. */
export const stopwatch = (seconds: number) => {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
};

/** `+7 926 123-45-67` from digits; other countries keep their digits together. */
export function phone(digits: string): string {
  const russian = /^7(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(digits);
  if (russian) return `+7\u00a0${russian[1]}\u00a0${russian[2]}-${russian[3]}-${russian[4]}`;
  const american = /^1(\d{3})(\d{3})(\d{4})$/.exec(digits);
  if (american) return `+1\u00a0${american[1]}\u00a0${american[2]}-${american[3]}`;
  return /^\d+$/.test(digits) ? `+${digits}` : digits;
}

export function bytes(count: number): string {
  const number = (value: number, digits: number) =>
    new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
  if (count < 1024) return t('size.bytes', { size: number(count, 0) });
  if (count < 1024 * 1024) return t('size.kilobytes', { size: number(count / 1024, 0) });
  return t('size.megabytes', { size: number(count / 1024 / 1024, 1) });
}

/** The zone in which times are shown, as it was at that time: `Москва, стандартное время (GMT+3)`. */
export function zoneName(iso: string): string {
  const named = (timeZoneName: 'long' | 'shortOffset') =>
    new Intl.DateTimeFormat(locale(), { timeZoneName })
      .formatToParts(new Date(iso))
      .find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return `${named('long')} (${named('shortOffset')})`;
}

/** To the second: for what became of a message. */
export const dateTimeExact = (iso: string) =>
  format(new Date(iso), {
    day: '2-digit',
    month: '2-digit',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
