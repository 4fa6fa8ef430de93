import { afterEach, describe, expect, it } from 'vitest';
import { bytes, dateTime, dayName, duration, phone, rowTime, stopwatch } from './format';
import { activateLanguage, t } from './index';

const now = new Date('2026-11-23T14:05:00');
const plain = (text: string) => text.replace(/\u00a0/g, ' ');

afterEach(() => activateLanguage('ru'));

describe('times', () => {
  it('in a row are as short as they can be', () => {
    expect(rowTime('2026-11-23T09:07:00', now)).toBe('09:07');
    expect(rowTime('2026-11-22T23:59:00', now)).toBe('вчера');
    expect(rowTime('2026-11-19T12:00:00', now)).toBe('чт');
    expect(rowTime('2026-03-12T12:00:00', now)).toBe('12.03');
    expect(rowTime('2025-03-12T12:00:00', now)).toBe('12.03.2025');
  });

  it('between messages name the day', () => {
    expect(dayName('2026-11-23T00:00:00', now)).toBe('Сегодня');
    expect(dayName('2026-11-22T23:59:00', now)).toBe('Вчера');
    expect(dayName('2026-03-12T12:00:00', now)).toBe('12 марта');
    expect(dayName('2025-03-12T12:00:00', now)).toBe('12 марта 2025');
  });

  it('in tables are written out', () => {
    expect(dateTime('2023-05-05T12:37:00')).toBe('05.05.2023 12:37');
  });

  it('as durations take one unit', () => {
    expect([duration(24 * 60), duration(3 * 3600), duration(5)].map(plain)).toEqual(['24 мин', '3 ч', '5 с']);
    expect(stopwatch(42)).toBe('0:42');
    expect(stopwatch(84.4)).toBe('1:24');
  });
});

describe('phones', () => {
  it('are grouped as people write them', () => {
    expect(plain(phone('79261234567'))).toBe('+7 926 123-45-67');
    expect(plain(phone('14155550123'))).toBe('+1 415 555-0123');
    expect(phone('380441234567')).toBe('+380441234567');
  });
});

describe('sizes and plurals', () => {
  it('follow the language', async () => {
    expect(plain(bytes(1_887_436))).toBe('1,8 МБ');
    const count = (n: number) => t('section.with_count', { name: 'x', count: n });
    expect([1, 2, 5, 21].map(count)).toEqual([
      'x, 1 неотвеченный чат',
      'x, 2 неотвеченных чата',
      'x, 5 неотвеченных чатов',
      'x, 21 неотвеченный чат',
    ]);
    await activateLanguage('en');
    expect(plain(bytes(1_887_436))).toBe('1.8 MB');
    expect(count(1)).toBe('x, 1 unanswered chat');
  });
});
