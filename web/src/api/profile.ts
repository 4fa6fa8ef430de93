import { answer, api } from './client';
import type { ChatOrder } from './types';

export const changeProfile = (name: string) => answer(api.PATCH('/api/v1/profile', { body: { name } }));

export const getPrivateToken = () => answer(api.GET('/api/v1/profile/private-token'));
export const revealPrivateToken = () => answer(api.POST('/api/v1/profile/private-token/reveal'));
export const reissuePrivateToken = () => answer(api.POST('/api/v1/profile/private-token'));

export const changePreferences = (company_id: number, body: { chat_order?: ChatOrder }) =>
  answer(api.PATCH('/api/v1/companies/{company_id}/preferences', { params: { path: { company_id } }, body }));
