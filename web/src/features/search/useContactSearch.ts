import { useCallback, useEffect, useRef, useState } from 'react';
import { searchContacts } from '../../api/contacts';
import { type ApiError, asApiError } from '../../api/error';
import type { Workspace } from '../../state/workspace';

/** How long a pause in typing is. */
const PAUSE_MS = 120;

export interface Found {
  /** What these conversations answer; the page may show them while the next answer is awaited. */
  query: string;
  ids: readonly number[];
  cursor: string | null;
}

const NOTHING: Found = { query: '', ids: [], cursor: null };

/** Clients that fit what is typed: the latest chat of each. Late answers to former words are dropped. */
export function useContactSearch(workspace: Workspace, typed: string) {
  const query = typed.trim();
  const [found, setFound] = useState(NOTHING);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  /** Grows with each question: only the answer to the last one counts. */
  const asked = useRef(0);
  const company = workspace.company.id;

  const ask = useCallback(
    async (words: string, before: Found | null) => {
      asked.current += 1;
      const turn = asked.current;
      setBusy(true);
      try {
        const page = await searchContacts(company, {
          query: words,
          ...(before?.cursor && { cursor: before.cursor }),
        });
        if (turn !== asked.current) return;
        workspace.absorb({ conversations: page.items, readMarkers: page.read_markers });
        // A client whose name changed between two pages may come twice.
        const ids = [...new Set([...(before?.ids ?? []), ...page.items.map(({ id }) => id)])];
        setFound({ query: words, ids, cursor: page.next_cursor });
        setError(null);
      } catch (cause) {
        if (turn === asked.current) setError(asApiError(cause));
      } finally {
        if (turn === asked.current) setBusy(false);
      }
    },
    [workspace, company],
  );

  useEffect(() => {
    if (query === '') {
      asked.current += 1;
      setFound(NOTHING);
      setError(null);
      setBusy(false);
      return;
    }
    const timer = setTimeout(() => void ask(query, null), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [query, ask]);

  return {
    found,
    error,
    busy: busy || found.query !== query,
    more: () => void ask(found.query, found),
    retry: () => void ask(query, null),
  };
}
