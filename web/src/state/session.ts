import { setCsrfToken } from '../api/client';
import { ApiError } from '../api/error';
import { getSession, signOut } from '../api/session';
import type { Preferences, Session } from '../api/types';
import { type Database, forgetEverything, openDatabase } from './database';
import { createStore } from './store';

/** Who is signed in. Null: nobody; undefined: not asked yet, or the server could not be asked. */
export const session = createStore<Session | null | undefined>(undefined);

let asking: Promise<Session | null> | null = null;

/** What is known, else what the server says. Fails when it cannot be asked. */
export function ensureSession(): Promise<Session | null> {
  const known = session.get();
  if (known !== undefined) return Promise.resolve(known);
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

async function ask(): Promise<Session | null> {
  try {
    session.set(await getSession());
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    session.set(null);
  }
  return session.get() ?? null;
}

/** What a later visit to the company begins with. The session stays the same one, and what hangs on it. */
export function chose(company: number, preferences: Preferences): void {
  const place = session.get()?.companies.find((one) => one.company.id === company);
  if (place) place.preferences = preferences;
}

export const enter = (next: Session) => session.set(next);

/** The server ended the session: drafts and outbox wait for the same user. */
export function leave(): void {
  setCsrfToken(null);
  session.set(null);
}

/** The user leaves: nothing of theirs stays in this browser. */
export async function signOutHere(): Promise<void> {
  await signOut();
  const kept = await database();
  if (kept) await forgetEverything(kept).catch(() => undefined);
  leave();
}

let opened: Promise<Database | null> | null = null;

/** The browser's own storage, or null where it is closed to us (private windows of some browsers). */
export function database(): Promise<Database | null> {
  opened ??= openDatabase().catch(() => null);
  return opened;
}
