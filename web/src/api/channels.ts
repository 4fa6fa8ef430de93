import { answer, api } from './client';
import type { components } from './schema.gen';
import type { ChannelKind } from './types';

export type Account = components['schemas']['CheckedAccount'];

/** With the deleted ones: their conversations still name them. */
export const listChannels = (company_id: number) =>
  answer(
    api.GET('/api/v1/companies/{company_id}/channels', {
      params: { path: { company_id }, query: { include_deleted: true } },
    }),
  );

export const checkCredential = (company_id: number, kind: ChannelKind, credential: string) =>
  answer(
    api.POST('/api/v1/companies/{company_id}/channels/check', {
      params: { path: { company_id } },
      body: { kind, credential },
    }),
  );

export const connectChannel = (company_id: number, body: components['schemas']['NewChannel']) =>
  answer(api.POST('/api/v1/companies/{company_id}/channels', { params: { path: { company_id } }, body }));

const one = (company_id: number, channel_id: number) => ({ params: { path: { company_id, channel_id } } });

export const changeChannel = (company: number, id: number, body: components['schemas']['ChannelPatch']) =>
  answer(api.PATCH('/api/v1/companies/{company_id}/channels/{channel_id}', { ...one(company, id), body }));

export const disableChannel = (company: number, id: number) =>
  answer(api.POST('/api/v1/companies/{company_id}/channels/{channel_id}/disable', one(company, id)));
export const enableChannel = (company: number, id: number) =>
  answer(api.POST('/api/v1/companies/{company_id}/channels/{channel_id}/enable', one(company, id)));

/** For good; its conversations stay, to be read. */
export const deleteChannel = (company: number, id: number) =>
  answer(api.DELETE('/api/v1/companies/{company_id}/channels/{channel_id}', one(company, id)));

export const getTraffic = (company_id: number) =>
  answer(api.GET('/api/v1/companies/{company_id}/channel-traffic', { params: { path: { company_id } } }));
