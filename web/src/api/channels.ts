import { request } from './client';
import type { Capabilities, Channel, ChannelKind, IntakeMode, StreamPosition } from './types';

const of = (company: number) => `/companies/${company}`;

export interface Account {
  external_id: string;
  name: string;
  username: string | null;
}

export const listChannels = (company: number) =>
  request<{ items: Channel[]; position: StreamPosition }>('GET', `${of(company)}/channels`);

export const listChannelKinds = (company: number) =>
  request<{ items: { kind: ChannelKind; capabilities: Capabilities }[] }>(
    'GET',
    `${of(company)}/channel-kinds`,
  );

export const checkCredential = (company: number, kind: ChannelKind, credential: string) =>
  request<Account>('POST', `${of(company)}/channels/check`, { body: { kind, credential } });

export const connectChannel = (
  company: number,
  body: { kind: ChannelKind; credential: string; name?: string; intake?: IntakeMode },
) => request<Channel>('POST', `${of(company)}/channels`, { body });

export const changeChannel = (
  company: number,
  id: number,
  body: { name?: string; credential?: string; intake?: IntakeMode },
) => request<Channel>('PATCH', `${of(company)}/channels/${id}`, { body });

export const disableChannel = (company: number, id: number) =>
  request<Channel>('POST', `${of(company)}/channels/${id}/disable`);
export const enableChannel = (company: number, id: number) =>
  request<Channel>('POST', `${of(company)}/channels/${id}/enable`);
