import { request, setCsrfToken } from './client';
import type { Session } from './types';

const keep = (session: Session): Session => {
  setCsrfToken(session.csrf_token);
  return session;
};

export interface SetupCheck {
  name: string;
  ok: boolean;
  detail: string;
}

export const getSetup = (token: string) =>
  request<{ valid: boolean; checks: SetupCheck[] }>('GET', `/setup/${encodeURIComponent(token)}`, {
    mayBeSignedOut: true,
  });

export const completeSetup = async (
  token: string,
  body: { company_name: string; name: string; phone: string; time_zone: string },
) =>
  keep(await request<Session>('POST', `/setup/${encodeURIComponent(token)}`, { body, mayBeSignedOut: true }));

export const requestCode = (phone: string) =>
  request<{ resend_after_seconds: number; expires_in_seconds: number }>('POST', '/session/codes', {
    body: { phone },
    mayBeSignedOut: true,
  });

export const signIn = async (code: string) =>
  keep(await request<Session>('POST', '/session', { body: { code }, mayBeSignedOut: true }));

export const signInByLink = async (token: string) =>
  keep(await request<Session>('POST', '/session/link', { body: { token }, mayBeSignedOut: true }));

export const getSession = async () =>
  keep(await request<Session>('GET', '/session', { mayBeSignedOut: true }));

export const signOut = async () => {
  await request<null>('DELETE', '/session', { mayBeSignedOut: true });
  setCsrfToken(null);
};
