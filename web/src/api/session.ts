import { answer, api, setCsrfToken } from './client';
import type { Session } from './types';

const keep = (session: Session): Session => {
  setCsrfToken(session.csrf_token);
  return session;
};

export const getSetup = (token: string) =>
  answer(api.GET('/api/v1/setup/{token}', { params: { path: { token } } }));

export const completeSetup = async (
  token: string,
  body: { company_name: string; name: string; phone: string; time_zone: string },
) => keep(await answer(api.POST('/api/v1/setup/{token}', { params: { path: { token } }, body })));

export const requestCode = (phone: string) => answer(api.POST('/api/v1/session/codes', { body: { phone } }));

export const signIn = async (code: string) =>
  keep(await answer(api.POST('/api/v1/session', { body: { code } })));

export const signInByLink = async (token: string) =>
  keep(await answer(api.POST('/api/v1/session/link', { body: { token } })));

export const getSession = async () => keep(await answer(api.GET('/api/v1/session')));

export const signOut = async () => {
  await answer(api.DELETE('/api/v1/session'));
  setCsrfToken(null);
};
