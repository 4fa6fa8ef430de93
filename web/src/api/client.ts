import createClient from 'openapi-fetch';
import { ApiError, asApiError, errorFrom } from './error';
import type { paths } from './schema.gen';

/**
 * One way to the server: cookie session, CSRF header, time limit, errors as codes. Calls are typed by
 * the server's own description; whoever calls gets the resource or an `ApiError`.
 */

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

export const api = createClient<paths>({ credentials: 'same-origin', fetch: withinTime });

api.use({
  onRequest({ request }) {
    if (request.method === 'GET') return;
    // Also where there is no body: a form of a foreign page cannot send this type.
    request.headers.set('Content-Type', 'application/json');
    if (csrfToken) request.headers.set('X-CSRF-Token', csrfToken);
  },
});

async function withinTime(request: Request): Promise<Response> {
  const aborter = new AbortController();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    aborter.abort();
  }, TIMEOUT_MS);
  try {
    return await fetch(request, { signal: aborter.signal });
  } catch (cause) {
    throw timedOut ? new ApiError(0, 'timeout') : asApiError(cause);
  } finally {
    clearTimeout(timer);
  }
}

/** The resource of an answer, or the refusal as an error. */
export async function answer<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok) return data as T;
  const refusal = errorFrom(response.status, error, response.headers);
  if (refusal.status === 401 && !isAtTheDoor(response.url)) tellSignedOut();
  throw refusal;
}

/** Signing in and setting up answer 401 for reasons of their own. */
const isAtTheDoor = (url: string) => /\/api\/v1\/(?:session|setup)/.test(url);
