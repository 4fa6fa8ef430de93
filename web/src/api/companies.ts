import { answer, api } from './client';
import type { components } from './schema.gen';

export const getCompany = (company_id: number) =>
  answer(api.GET('/api/v1/companies/{company_id}', { params: { path: { company_id } } }));

export const changeCompany = (company_id: number, body: components['schemas']['CompanyPatch']) =>
  answer(api.PATCH('/api/v1/companies/{company_id}', { params: { path: { company_id } }, body }));
