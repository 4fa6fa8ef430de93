import { describe, expect, it } from 'vitest';
import { channel } from '../../mocks/entities';
import { judgeFile } from './files';

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
