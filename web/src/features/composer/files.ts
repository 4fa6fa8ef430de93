import type { AttachmentKind, Capabilities, MediaLimit } from '../../api/types';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';

/** Whether a channel takes a file, and as what. Told before anything is uploaded. */
export type FileVerdict =
  | { ok: true; kind: AttachmentKind }
  | { ok: false; code: 'file_empty' | 'file_kind_refused' }
  | { ok: false; code: 'file_too_big'; limitBytes: number };

interface Candidate {
  type: string;
  size: number;
}

const NATURAL: [RegExp, AttachmentKind][] = [
  [/^image\/(?:jpeg|png|webp)$/, 'photo'],
  [/^video\/mp4$/, 'video'],
  [/^audio\/(?:ogg|opus)/, 'voice'],
  [/^audio\//, 'audio'],
];

const accepts = (limit: MediaLimit, type: string) =>
  limit.mime_types.length === 0 ||
  limit.mime_types.some((known) =>
    known.endsWith('/*') ? type.startsWith(known.slice(0, -1)) : type.split(';')[0] === known,
  );

export function judgeFile(file: Candidate, capabilities: Capabilities): FileVerdict {
  if (file.size === 0) return { ok: false, code: 'file_empty' };
  const natural = NATURAL.find(([pattern]) => pattern.test(file.type))?.[1];
  const wanted: AttachmentKind[] = natural ? [natural, 'document'] : ['document'];
  const limits = wanted.flatMap((kind) =>
    capabilities.media.filter((limit) => limit.kind === kind && accepts(limit, file.type)),
  );
  const fitting = limits.find((limit) => file.size <= limit.max_bytes);
  if (fitting) return { ok: true, kind: fitting.kind };
  if (limits.length === 0) return { ok: false, code: 'file_kind_refused' };
  return { ok: false, code: 'file_too_big', limitBytes: Math.max(...limits.map((limit) => limit.max_bytes)) };
}

/** Most files handed over at once. */
export const FILES_AT_ONCE = 20;

/** One message of several that an intention becomes: a message carries one file. */
export interface Part {
  text: string;
  file: File | null;
  fileKind: AttachmentKind | null;
}

/** Whether text and files have to go apart: the channel takes less text under a file than there is. */
export const goesApart = (text: string, files: readonly File[], capabilities: Capabilities) =>
  files.length > 0 && text.length > capabilities.caption_limit;

/** The messages that text and files become, in the order in which they are sent. */
export function partsOf(text: string, files: readonly File[], capabilities: Capabilities): Part[] {
  const apart = goesApart(text, files, capabilities);
  const parts: Part[] = files.map((file, place) => {
    const verdict = judgeFile(file, capabilities);
    const fileKind = verdict.ok ? verdict.kind : null;
    return { text: place === 0 && !apart ? text : '', file, fileKind };
  });
  if (apart || (files.length === 0 && text !== '')) parts.unshift({ text, file: null, fileKind: null });
  return parts;
}

/** What of these files is added to those that wait already, and why the others are not. */
export function addFiles(
  waiting: readonly File[],
  files: readonly File[],
  capabilities: Capabilities,
): { files: File[]; refused: string[] } {
  const all = [...waiting];
  const refused: string[] = [];
  for (const file of files) {
    const verdict = judgeFile(file, capabilities);
    if (verdict.ok) {
      all.push(file);
      continue;
    }
    const params = 'limitBytes' in verdict ? { limit_bytes: verdict.limitBytes } : {};
    const why = sentenceOf({ code: verdict.code, params, requestId: null });
    refused.push(t('composer.file_refused', { name: file.name, why }));
  }
  if (all.length > FILES_AT_ONCE) refused.push(t('composer.too_many_files', { count: FILES_AT_ONCE }));
  return { files: all.slice(0, FILES_AT_ONCE), refused };
}
