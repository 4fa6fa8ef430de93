import type { AttachmentKind, Capabilities, MediaLimit } from '../../api/types';

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
