import { answer, api } from './client';
import type { components } from './schema.gen';

export type ContactPatch = components['schemas']['ContactPatch'];
export type FoundContacts = components['schemas']['FoundContacts'];

const one = (company_id: number, contact_id: number) => ({ params: { path: { company_id, contact_id } } });

export const changeContact = (company: number, contact: number, body: ContactPatch) =>
  answer(
    api.PATCH('/api/v1/companies/{company_id}/contacts/{contact_id}', { ...one(company, contact), body }),
  );

/** Every chat with the client, and with clients of the same phone. */
export const listContactConversations = (company: number, contact: number) =>
  answer(
    api.GET('/api/v1/companies/{company_id}/contacts/{contact_id}/conversations', one(company, contact)),
  );

/** Clients by name, nickname, phone or comment; `cursor` is the `next_cursor` of the page before. */
export const searchContacts = (company_id: number, query: { query: string; cursor?: string }) =>
  answer(api.GET('/api/v1/companies/{company_id}/contacts', { params: { path: { company_id }, query } }));
