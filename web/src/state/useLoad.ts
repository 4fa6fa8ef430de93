import { useEffect, useState } from 'react';
import { type ApiError, asApiError } from '../api/error';

/** What a page needs once, by its address. Live data come through the workspace instead. */
export function useLoad<T>(
  load: (key: string) => Promise<T>,
  key: string,
): { data: T | null; error: ApiError | null; reload: () => void } {
  const [state, setState] = useState<{ data: T | null; error: ApiError | null }>({ data: null, error: null });
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` asks again for the same
  useEffect(() => {
    let outdated = false;
    setState({ data: null, error: null });
    load(key).then(
      (data) => !outdated && setState({ data, error: null }),
      (cause: unknown) => !outdated && setState({ data: null, error: asApiError(cause) }),
    );
    return () => {
      outdated = true;
    };
  }, [load, key, tries]);
  return { ...state, reload: () => setTries((count) => count + 1) };
}
