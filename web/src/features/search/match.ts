/** What is searched here and not on the server: sections, colleagues. The rule is that of the server. */

const fold = (text: string) => text.normalize('NFKC').toLocaleLowerCase('ru').replace(/ё/g, 'е');

const words = (text: string) => fold(text).match(/[\p{L}\p{N}]+/gu) ?? [];

/** Whether each word asked for begins a word of the text. */
export function matches(text: string, query: string): boolean {
  const known = words(text);
  return words(query).every((asked) => known.some((word) => word.startsWith(asked)));
}

/** The text in pieces, those that were asked for marked. */
export function marked(text: string, query: string): { text: string; hit: boolean }[] {
  const asked = words(query);
  const pieces: { text: string; hit: boolean }[] = [];
  const put = (piece: string, hit: boolean) => {
    if (piece === '') return;
    const last = pieces[pieces.length - 1];
    if (last && last.hit === hit) last.text += piece;
    else pieces.push({ text: piece, hit });
  };
  for (const piece of text.match(/[\p{L}\p{N}]+|[^\p{L}\p{N}]+/gu) ?? []) {
    // Folding keeps lengths, or nothing is marked.
    const folded = fold(piece);
    const found = asked
      .filter((word) => folded.length === piece.length && folded.startsWith(word))
      .sort((a, b) => b.length - a.length)[0];
    put(piece.slice(0, found?.length ?? 0), true);
    put(piece.slice(found?.length ?? 0), false);
  }
  return pieces;
}

/** The same for a number, which is asked for in any spelling: `marked` over its digits. */
export function markedNumber(shown: string, query: string): { text: string; hit: boolean }[] {
  const digits = [...shown].filter((char) => /\d/.test(char)).join('');
  const typed = query.replace(/\D/g, '');
  const asked =
    typed.length > 2 && typed.startsWith('8') && !digits.includes(typed) ? `7${typed.slice(1)}` : typed;
  const start = asked.length < 2 ? -1 : digits.indexOf(asked);
  if (start < 0) return [{ text: shown, hit: false }];
  // Places of the first and the last digit that were asked for.
  const places = [...shown].flatMap((char, place) => (/\d/.test(char) ? [place] : []));
  const from = places[start] as number;
  const to = (places[start + asked.length - 1] as number) + 1;
  return [
    { text: shown.slice(0, from), hit: false },
    { text: shown.slice(from, to), hit: true },
    { text: shown.slice(to), hit: false },
  ].filter(({ text }) => text !== '');
}
