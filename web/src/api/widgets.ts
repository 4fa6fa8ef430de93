import { answer, api } from './client';
import type { components } from './schema.gen';

export type Widget = components['schemas']['Widget'];
export type WidgetSettings = components['schemas']['WidgetSettings'];
export type WidgetVisitor = components['schemas']['WidgetVisitor'];

const one = (company_id: number, channel_id: number) => ({ params: { path: { company_id, channel_id } } });

export const connectWidget = (company_id: number, body: components['schemas']['NewWidget']) =>
  answer(api.POST('/api/v1/companies/{company_id}/widgets', { params: { path: { company_id } }, body }));

export const getWidget = (company: number, id: number) =>
  answer(api.GET('/api/v1/companies/{company_id}/channels/{channel_id}/widget', one(company, id)));

export const changeWidget = (company: number, id: number, body: WidgetSettings) =>
  answer(
    api.PUT('/api/v1/companies/{company_id}/channels/{channel_id}/widget', { ...one(company, id), body }),
  );

export const renewWidgetSecret = (company: number, id: number) =>
  answer(api.POST('/api/v1/companies/{company_id}/channels/{channel_id}/widget/secret', one(company, id)));

export const getVisitor = (company_id: number, conversation_id: number) =>
  answer(
    api.GET('/api/v1/companies/{company_id}/conversations/{conversation_id}/visitor', {
      params: { path: { company_id, conversation_id } },
    }),
  );
