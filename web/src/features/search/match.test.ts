import { describe, expect, it } from 'vitest';
import { marked, markedNumber, matches } from './match';

const hits = (pieces: { text: string; hit: boolean }[]) =>
  pieces.filter(({ hit }) => hit).map(({ text }) => text);

describe('what is searched in the page', () => {
  it('is found by the beginning of any word, whatever its case, and ё is е', () => {
    expect(matches('Алёна Ёлкина-Жук', 'ален')).toBe(true);
    expect(matches('Алёна Ёлкина-Жук', 'жук ЁЛК')).toBe(true);
    expect(matches('Алёна Ёлкина-Жук', 'лёна')).toBe(false);
    expect(matches('Алёна', '')).toBe(true);
  });
});

describe('marks', () => {
  it('stand over the words that were asked for', () => {
    expect(hits(marked('Алёна Ёлкина', 'елк ал'))).toEqual(['Ал', 'Ёлк']);
    expect(marked('Алёна', 'алёна')).toEqual([{ text: 'Алёна', hit: true }]);
    expect(hits(marked('Алёна', ''))).toEqual([]);
  });

  it('never change the text', () => {
    for (const text of ['İstanbul ǅ', ' «Ёж» — 5', '', '👩‍👩‍👧 é']) {
      const pieces = marked(text, 'i еж 5');
      expect(pieces.map((piece) => piece.text).join('')).toBe(text);
    }
  });

  it('go over a number in any spelling', () => {
    const shown = '+7 926 418-07-53';
    expect(hits(markedNumber(shown, '8 (926) 41'))).toEqual(['7 926 41']);
    expect(hits(markedNumber(shown, '0753'))).toEqual(['07-53']);
    expect(hits(markedNumber(shown, 'катя'))).toEqual([]);
    expect(
      markedNumber(shown, '926')
        .map(({ text }) => text)
        .join(''),
    ).toBe(shown);
  });
});
