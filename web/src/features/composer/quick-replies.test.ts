import { describe, expect, it } from 'vitest';
import type { QuickReply } from '../../api/types';
import { conversation, NOW } from '../../mocks/entities';
import { askedAt, fill, matching, offered, plainSlash } from './quick-replies';

const quickReply = (id: number, name: string, text: string, some: Partial<QuickReply> = {}): QuickReply => ({
  id,
  name,
  text,
  file: null,
  author_member_id: 7,
  changed_at: NOW,
  created_at: NOW,
  deleted_at: null,
  version: id,
  ...some,
});

describe('a quick reply is asked for', () => {
  const at = (text: string) => askedAt(text, text.length);

  it('by a slash at the start of a line or after a space', () => {
    expect(at('/')).toEqual({ from: 0, words: '' });
    expect(at('Добрый день /опл')).toEqual({ from: 12, words: 'опл' });
    expect(at('Добрый день\n/оплата част')).toEqual({ from: 12, words: 'оплата част' });
    expect(askedAt('/опл и дальше', 4)).toEqual({ from: 0, words: 'опл' });
  });

  it('and not inside of words, addresses and fractions', () => {
    for (const text of ['и/или', 'https://a.ru', '1/2', 'да / нет', '//', '/a\n'])
      expect(at(text)).toBeNull();
  });

  it('a double slash is a plain one', () => {
    expect(plainSlash('см. //', 6)).toBe('см. /');
    expect(plainSlash('//дальше', 2)).toBe('/дальше');
    expect(plainSlash('http://', 7)).toBeNull();
  });
});

describe('quick replies', () => {
  const all = [
    quickReply(1, 'Адрес', 'Мы рядом с метро'),
    quickReply(2, 'Оплата частями', 'Да, @name@, можно'),
    quickReply(3, 'Ёлка', 'Оплата билетов на ёлку'),
  ];

  it('are found by name and text, those by name first', () => {
    const names = (words: string) => matching(all, words).map((one) => one.name);
    expect(names('')).toEqual(['Адрес', 'Ёлка', 'Оплата частями']);
    expect(names('оплата')).toEqual(['Оплата частями', 'Ёлка']);
    expect(names('ЕЛКА')).toEqual(['Ёлка']);
    expect(names('метро рядом')).toEqual(['Адрес']);
    expect(names('нет такого')).toEqual([]);
  });

  it('are offered until they are deleted', () => {
    const gone = quickReply(2, 'Б', 'б', { deleted_at: NOW });
    expect(offered({ 1: quickReply(1, 'А', 'а'), 2: gone }).map((one) => one.id)).toEqual([1]);
  });

  it('are filled with the name, or with the phone when no name is known', () => {
    const { contact } = conversation();
    expect(fill('Да, @name@! @name@', conversation())).toBe('Да, Катя Орлова! Катя Орлова');
    const nameless = conversation({ contact: { ...contact, name: ' ', phone: '79261234567' } });
    expect(fill('@name@', nameless)).toBe('+7 926 123-45-67'.replaceAll(' ', '\u00a0').replaceAll('-', '-'));
  });
});
