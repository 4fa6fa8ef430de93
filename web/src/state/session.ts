import { QueryClient, queryOptions } from '@tanstack/react-query';
import { setCsrfToken } from '../api/client';
import { ApiError } from '../api/error';
import { getSession, signOut } from '../api/session';
import type { Session } from '../api/types';
import { type Database, forgetEverything, openDatabase } from './database';

/** Who is signed in. Null: nobody; an error: the server could not be asked. */

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false },
  },
});

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<Session | null> => {
    try {
      return await getSession();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

export const enter = (session: Session) => queryClient.setQueryData(sessionQuery.queryKey, session);

/** The server ended the session: drafts and outbox wait for the same user. */
export function leave(): void {
  setCsrfToken(null);
  queryClient.setQueryData(sessionQuery.queryKey, null);
}

/** The user leaves: nothing of theirs stays in this browser. */
export async function signOutHere(): Promise<void> {
  await signOut();
  const kept = await database();
  if (kept) await forgetEverything(kept).catch(() => undefined);
  queryClient.clear();
  leave();
}

let opened: Promise<Database | null> | null = null;

/** The browser's own storage, or null where it is closed to us (private windows of some browsers). */
export function database(): Promise<Database | null> {
  opened ??= openDatabase().catch(() => null);
  return opened;
}
