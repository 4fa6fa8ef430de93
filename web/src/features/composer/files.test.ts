import { describe, expect, it } from 'vitest';
import { channel } from '../../mocks/entities';
import { goesApart, judgeFile, partsOf } from './files';

const MB = 1024 * 1024;
const { capabilities } = channel();

describe('a file, before it is uploaded', () => {
  it('goes as what it is', () => {
    expect(judgeFile({ type: 'image/png', size: MB }, capabilities)).toEqual({ ok: true, kind: 'photo' });
    expect(judgeFile({ type: 'application/pdf', size: MB }, capabilities)).toEqual({
      ok: true,
      kind: 'document',
    });
  });

  it('goes as a document when it is too big or odd for its own kind', () => {
    expect(judgeFile({ type: 'image/png', size: 20 * MB }, capabilities)).toEqual({
      ok: true,
      kind: 'document',
    });
    expect(judgeFile({ type: 'image/webp', size: MB }, capabilities)).toEqual({ ok: true, kind: 'document' });
  });

  it('is refused with the limit of the channel', () => {
    expect(judgeFile({ type: 'video/mp4', size: 60 * MB }, capabilities)).toEqual({
      ok: false,
      code: 'file_too_big',
      limitBytes: 50 * MB,
    });
    expect(judgeFile({ type: '', size: 0 }, capabilities)).toEqual({ ok: false, code: 'file_empty' });
    expect(judgeFile({ type: 'application/x', size: 1 }, { ...capabilities, media: [] })).toEqual({
      ok: false,
      code: 'file_kind_refused',
    });
  });
});

describe('text and files', () => {
  const file = (name: string) => new File(['%PDF'], name, { type: 'application/pdf' });
  const shape = (text: string, files: File[]) =>
    partsOf(text, files, capabilities).map((part) => [part.text, part.file?.name ?? null]);

  it('become one message a file, the text under the first', () => {
    expect(shape('Вот', [file('a'), file('b')])).toEqual([
      ['Вот', 'a'],
      ['', 'b'],
    ]);
    expect(shape('Вот', [])).toEqual([['Вот', null]]);
    expect(shape('', [])).toEqual([]);
  });

  it('go apart when the channel takes no such text under a file', () => {
    const long = 'я'.repeat(capabilities.caption_limit + 1);
    expect(goesApart(long, [], capabilities)).toBe(false);
    expect(goesApart(long, [file('a')], capabilities)).toBe(true);
    expect(shape(long, [file('a')])).toEqual([
      [long, null],
      ['', 'a'],
    ]);
  });
});
