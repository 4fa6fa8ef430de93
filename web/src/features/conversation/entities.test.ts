import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findLinks, isLargeEmoji, type Node, plainText, safeHref, tree } from './entities';

const mark = (kind: string, offset: number, length: number) => ({ kind, offset, length });
const outline = (nodes: Node[]): unknown[] =>
  nodes.map((node) => (node.kind === 'plain' ? node.text : [node.entity.kind, ...outline(node.children)]));

describe('marks over text', () => {
  it('count UTF-16 code units', () => {
    const text = '👍🏽 жирно 🙂';
    expect(outline(tree(text, [mark('bold', 5, 5)]))).toEqual(['👍🏽 ', ['bold', 'жирно'], ' 🙂']);
  });

  it('nest, the wider one outside', () => {
    expect(outline(tree('abcdef', [mark('italic', 2, 2), mark('bold', 0, 6)]))).toEqual([
      ['bold', 'ab', ['italic', 'cd'], 'ef'],
    ]);
  });

  it('are cut where they cross', () => {
    expect(outline(tree('abcdef', [mark('bold', 0, 4), mark('italic', 2, 4)]))).toEqual([
      ['bold', 'ab', ['italic', 'cd']],
      ['italic', 'ef'],
    ]);
  });

  it('never lose or repeat a letter, whatever comes from outside', () => {
    const marks = fc.array(
      fc.record({
        kind: fc.constantFrom('bold', 'italic', 'url'),
        offset: fc.integer({ min: -3, max: 15 }),
        length: fc.integer({ min: -3, max: 15 }),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 12, unit: 'binary' }), marks, (text, entities) => {
        expect(plainText(tree(text, entities))).toBe(text);
      }),
    );
  });
});

describe('links', () => {
  it('lead to http and https only', () => {
    expect(safeHref('https://tochka-rosta.ru/ogeo8')).toBe('https://tochka-rosta.ru/ogeo8');
    expect(safeHref('tochka-rosta.ru')).toBe('http://tochka-rosta.ru/');
    expect(safeHref('example.com:8080/a')).toBe('http://example.com:8080/a');
    for (const target of [
      'javascript:alert(1)',
      'JavaScript:alert(1)',
      'data:text/html,x',
      'tg://user?id=1',
      'mailto:a@b.ru',
      'https://bank.ru@evil.example/',
      'vbscript:x',
      ' ',
    ]) {
      expect(safeHref(target), target).toBeNull();
    }
  });

  it('are found in what our side writes, without the punctuation after them', () => {
    const text = 'Смотрите https://a.ru/x, и (http://b.ru).';
    expect(findLinks(text).map(({ offset, length }) => text.substr(offset, length))).toEqual([
      'https://a.ru/x',
      'http://b.ru',
    ]);
  });
});

describe('emoji', () => {
  it('alone and few are large', () => {
    expect(isLargeEmoji('🙏🔥')).toBe(true);
    expect(isLargeEmoji('👍🏽')).toBe(true);
    expect(isLargeEmoji('👨‍👩‍👧')).toBe(true);
    expect(isLargeEmoji('🙂🙂🙂🙂')).toBe(false);
    expect(isLargeEmoji('Да 🙂')).toBe(false);
    expect(isLargeEmoji('12')).toBe(false);
  });
});
