import type { Entity } from '../../api/types';

/**
 * Text with its marks as a tree. Offsets count UTF-16 code units, as strings here do. Whatever comes
 * from outside is clipped to the text, so nothing is ever drawn twice or lost.
 */
export type Node = { kind: 'plain'; text: string } | { kind: 'mark'; entity: Entity; children: Node[] };

interface Range {
  entity: Entity;
  start: number;
  end: number;
}

export function tree(text: string, entities: readonly Entity[]): Node[] {
  const ranges = entities
    .map((entity) => ({
      entity,
      start: Math.max(0, entity.offset),
      end: Math.min(text.length, entity.offset + entity.length),
    }))
    .filter((range) => range.start < range.end)
    // The wider mark is the outer one.
    .sort((a, b) => a.start - b.start || b.end - a.end);
  return nest(text, 0, text.length, ranges);
}

function nest(text: string, from: number, to: number, ranges: Range[]): Node[] {
  const nodes: Node[] = [];
  const rest = [...ranges];
  let at = from;
  for (let range = rest.shift(); range; range = rest.shift()) {
    const start = Math.max(range.start, at);
    const end = Math.min(range.end, to);
    if (start >= end) continue;
    if (start > at) nodes.push({ kind: 'plain', text: text.slice(at, start) });
    const inside: Range[] = [];
    // Marks that cross this one are cut at its end.
    while (rest[0] && rest[0].start < end) {
      const next = rest.shift() as Range;
      inside.push({ ...next, end: Math.min(next.end, end) });
      if (next.end > end) {
        rest.push({ ...next, start: end });
        rest.sort((a, b) => a.start - b.start || b.end - a.end);
      }
    }
    nodes.push({ kind: 'mark', entity: range.entity, children: nest(text, start, end, inside) });
    at = end;
  }
  if (at < to) nodes.push({ kind: 'plain', text: text.slice(at, to) });
  return nodes;
}

export const plainText = (nodes: readonly Node[]): string =>
  nodes.map((node) => (node.kind === 'plain' ? node.text : plainText(node.children))).join('');

/** An address that may be followed: http or https, to a named host, without credentials. Else null. */
export function safeHref(target: string): string | null {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(target)?.[1]?.toLowerCase();
  // `example.com:8080` begins like a scheme; a scheme has no dot before its colon in practice.
  const named = scheme !== undefined && !scheme.includes('.');
  if (named && scheme !== 'http' && scheme !== 'https') return null;
  try {
    const url = new URL(named ? target : `http://${target}`);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
    if (url.username || url.password || !url.hostname) return null;
    return url.href;
  } catch {
    return null;
  }
}

const ADDRESS = /https?:\/\/[^\s<>"']+/gi;

/** Addresses in text that carries no marks of its own (what our side writes). */
export function findLinks(text: string): Entity[] {
  return [...text.matchAll(ADDRESS)].map((match) => {
    const address = match[0].replace(/[.,;:!?)\]»”]+$/, '');
    return { kind: 'url', offset: match.index, length: address.length };
  });
}

const EMOJI_ONLY =
  /^(?:\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier}|\u200d\p{Extended_Pictographic})*|\p{Regional_Indicator}{2}|\s)+$/u;

/** One to three emoji and nothing else are drawn large. */
export function isLargeEmoji(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > 40 || !EMOJI_ONLY.test(trimmed)) return false;
  const emoji = trimmed.match(
    /\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier}|\u200d\p{Extended_Pictographic})*|\p{Regional_Indicator}{2}/gu,
  );
  return (emoji?.length ?? 0) <= 3;
}
