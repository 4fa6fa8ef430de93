import { answer, api } from './client';
import type { components } from './schema.gen';
import type { ChatOrder, ConversationChange, ConversationFilter, ConversationState } from './types';

export type ConversationPage = components['schemas']['Conversations'];
export type MessagePage = components['schemas']['Messages'];
export type NewMessage = components['schemas']['NewMessage'];

export const listMembers = (company_id: number) =>
  answer(api.GET('/api/v1/companies/{company_id}/members', { params: { path: { company_id } } }));

/** Which conversations, in the words of the server. */
export interface ListParams {
  filter: ConversationFilter;
  channel_id?: string;
  assignee?: string;
  unanswered?: boolean;
}

export const listConversations = (
  company_id: number,
  query: ListParams & { order: ChatOrder; cursor?: string; above?: string; limit?: number },
) =>
  answer(
    api.GET('/api/v1/companies/{company_id}/conversations', { params: { path: { company_id }, query } }),
  );

export const countConversations = (company_id: number, query: ListParams) =>
  answer(
    api.GET('/api/v1/companies/{company_id}/conversations/counts', {
      params: { path: { company_id }, query },
    }),
  );

const one = (company_id: number, conversation_id: number) => ({
  params: { path: { company_id, conversation_id } },
});

export const getConversation = (company: number, id: number) =>
  answer(api.GET('/api/v1/companies/{company_id}/conversations/{conversation_id}', one(company, id)));

export const listMessages = (
  company_id: number,
  conversation_id: number,
  query: { before?: string; after?: string; around?: number; limit?: number },
) =>
  answer(
    api.GET('/api/v1/companies/{company_id}/conversations/{conversation_id}/messages', {
      params: { path: { company_id, conversation_id }, query },
    }),
  );

export const sendMessage = (company: number, conversation: number, body: NewMessage) =>
  answer(
    api.POST('/api/v1/companies/{company_id}/conversations/{conversation_id}/messages', {
      ...one(company, conversation),
      body,
    }),
  );

export const addNote = (company: number, conversation: number, body: components['schemas']['NewNote']) =>
  answer(
    api.POST('/api/v1/companies/{company_id}/conversations/{conversation_id}/notes', {
      ...one(company, conversation),
      body,
    }),
  );

export const listDrafts = (company_id: number) =>
  answer(api.GET('/api/v1/companies/{company_id}/drafts', { params: { path: { company_id } } }));

export const saveDraft = (company: number, conversation: number, body: components['schemas']['DraftBody']) =>
  answer(
    api.PUT('/api/v1/companies/{company_id}/conversations/{conversation_id}/draft', {
      ...one(company, conversation),
      body,
      // Outlives the page.
      keepalive: true,
    }),
  );

export const listMessageDeliveries = (company: number, conversation: number, id: number) =>
  answer(api.GET(`${MESSAGE}/deliveries`, oneMessage(company, conversation, id)));

const MESSAGE = '/api/v1/companies/{company_id}/conversations/{conversation_id}/messages/{message_id}';
const oneMessage = (company_id: number, conversation_id: number, message_id: number) => ({
  params: { path: { company_id, conversation_id, message_id } },
});

export const editMessage = (company: number, conversation: number, id: number, text: string) =>
  answer(api.PATCH(MESSAGE, { ...oneMessage(company, conversation, id), body: { text } }));
export const deleteMessage = (company: number, conversation: number, id: number) =>
  answer(api.DELETE(MESSAGE, oneMessage(company, conversation, id)));
export const retryMessage = (company: number, conversation: number, id: number) =>
  answer(api.POST(`${MESSAGE}/retry`, oneMessage(company, conversation, id)));
export const considerSent = (company: number, conversation: number, id: number) =>
  answer(api.POST(`${MESSAGE}/consider-sent`, oneMessage(company, conversation, id)));

export const assign = (company: number, conversation: number, member_id: number | null) =>
  answer(
    api.PUT('/api/v1/companies/{company_id}/conversations/{conversation_id}/assignee', {
      ...one(company, conversation),
      body: { member_id },
    }),
  );
export const setState = (company: number, conversation: number, state: ConversationState) =>
  answer(
    api.PUT('/api/v1/companies/{company_id}/conversations/{conversation_id}/state', {
      ...one(company, conversation),
      body: { state },
    }),
  );
/** One thing done to many, at most 200. */
export const changeConversations = (
  company_id: number,
  conversation_ids: readonly number[],
  change: ConversationChange,
) =>
  answer(
    api.POST('/api/v1/companies/{company_id}/conversations/changes', {
      params: { path: { company_id } },
      body: { conversation_ids: [...conversation_ids], change },
    }),
  );
export const markAnswered = (company: number, conversation: number) =>
  answer(
    api.POST(
      '/api/v1/companies/{company_id}/conversations/{conversation_id}/answered',
      one(company, conversation),
    ),
  );
export const moveReadMarker = (company: number, conversation: number, position: number) =>
  answer(
    api.PUT('/api/v1/companies/{company_id}/conversations/{conversation_id}/read-marker', {
      ...one(company, conversation),
      body: { position },
      // Outlives the page.
      keepalive: true,
    }),
  );
