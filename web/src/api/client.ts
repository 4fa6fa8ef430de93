import { ApiError, asApiError, errorFrom } from './error';

/**
 * One way to the server: cookie session, CSRF header, time limit, errors as codes.
 * Whoever calls gets the resource or an `ApiError`.
 */

const BASE = '/api/v1';
const TIMEOUT_MS = 10_000;

let csrfToken: string | null = null;
const signedOutListeners = new Set<() => void>();

export const setCsrfToken = (token: string | null) => {
  csrfToken = token;
};
export const getCsrfToken = () => csrfToken;

/** Told when the server no longer knows the session of a page that had one. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}
export const tellSignedOut = () => {
  for (const listener of signedOutListeners) listener();
};

export type Query = Record<string, string | number | null | undefined>;

export function address(path: string, query?: Query): string {
  const pairs = Object.entries(query ?? {}).flatMap(([key, value]) =>
    value === null || value === undefined ? [] : [[key, String(value)]],
  );
  const search = new URLSearchParams(pairs).toString();
  return `${BASE}${path}${search && `?${search}`}`;
}

interface Options {
  query?: Query;
  body?: unknown;
  /** Signing in answers 401 for reasons of its own. */
  mayBeSignedOut?: boolean;
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') {
    headers['Content-Type'] = 'application/json';
    if (csrfToken) headers['X-CSRF-Token'] = csrfToken;
  }
  const aborter = new AbortController();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    aborter.abort();
  }, TIMEOUT_MS);
  try {
    const response = await fetch(address(path, options.query), {
      method,
      headers,
      credentials: 'same-origin',
      signal: aborter.signal,
      body: method === 'GET' ? undefined : JSON.stringify(options.body ?? {}),
    });
    const text = await response.text();
    const body = parse(text);
    if (!response.ok) throw errorFrom(response.status, body, response.headers);
    return body as T;
  } catch (cause) {
    const error = timedOut ? new ApiError(0, 'timeout') : asApiError(cause);
    if (error.status === 401 && !options.mayBeSignedOut) tellSignedOut();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function parse(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
