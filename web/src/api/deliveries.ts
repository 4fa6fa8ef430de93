import { answer, api } from './client';
import type { components } from './schema.gen';

export type Delivery = components['schemas']['DeliveryItem'];
export type DeliveryState = components['schemas']['DeliveryState'];

export const listDeliveries = (company_id: number, state: DeliveryState, cursor: string | null) =>
  answer(
    api.GET('/api/v1/companies/{company_id}/deliveries', {
      params: { path: { company_id }, query: { state, ...(cursor && { cursor }) } },
    }),
  );

export const countDeliveries = (company_id: number) =>
  answer(api.GET('/api/v1/companies/{company_id}/deliveries/counts', { params: { path: { company_id } } }));

export const replayDelivery = (company_id: number, delivery_id: number) =>
  answer(
    api.POST('/api/v1/companies/{company_id}/deliveries/{delivery_id}/replay', {
      params: { path: { company_id, delivery_id } },
    }),
  );
