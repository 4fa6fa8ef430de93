import { request } from './client';
import type {
  Conversation,
  ConversationFilter,
  ConversationState,
  Counts,
  Member,
  Message,
  ReadMarker,
  StreamPosition,
} from './types';

const of = (company: number) => `/companies/${company}`;

export const listMembers = (company: number) =>
  request<{ items: Member[]; position: StreamPosition }>('GET', `${of(company)}/members`);

export interface ConversationPage {
  items: Conversation[];
  read_markers: ReadMarker[];
  next_cursor: string | null;
  position: StreamPosition;
}

export const listConversations = (
  company: number,
  query: { filter: ConversationFilter; channel_id?: number | null; cursor?: string | null; limit?: number },
) => request<ConversationPage>('GET', `${of(company)}/conversations`, { query: { ...query } });

export const countConversations = (company: number) =>
  request<Counts & { position: StreamPosition }>('GET', `${of(company)}/conversations/counts`);

export const getConversation = (company: number, id: number) =>
  request<{ conversation: Conversation; read_marker: ReadMarker | null; position: StreamPosition }>(
    'GET',
    `${of(company)}/conversations/${id}`,
  );

export interface MessagePage {
  items: Message[];
  older_cursor: string | null;
  newer_cursor: string | null;
  position: StreamPosition;
}

export const listMessages = (
  company: number,
  conversation: number,
  query: { before?: string; after?: string; around?: number; limit?: number },
) =>
  request<MessagePage>('GET', `${of(company)}/conversations/${conversation}/messages`, {
    query: { ...query },
  });

export interface NewMessage {
  client_message_id: string;
  text?: string;
  attachment_ids?: number[];
  reply_to_message_id?: number;
}

export const sendMessage = (company: number, conversation: number, body: NewMessage) =>
  request<Message>('POST', `${of(company)}/conversations/${conversation}/messages`, { body });

const message = (company: number, conversation: number, id: number) =>
  `${of(company)}/conversations/${conversation}/messages/${id}`;

export const editMessage = (company: number, conversation: number, id: number, text: string) =>
  request<Message>('PATCH', message(company, conversation, id), { body: { text } });
export const deleteMessage = (company: number, conversation: number, id: number) =>
  request<Message>('DELETE', message(company, conversation, id));
export const retryMessage = (company: number, conversation: number, id: number) =>
  request<Message>('POST', `${message(company, conversation, id)}/retry`);
export const considerSent = (company: number, conversation: number, id: number) =>
  request<Message>('POST', `${message(company, conversation, id)}/consider-sent`);

export const assign = (company: number, conversation: number, member_id: number | null) =>
  request<Conversation>('PUT', `${of(company)}/conversations/${conversation}/assignee`, {
    body: { member_id },
  });
export const setState = (company: number, conversation: number, state: ConversationState) =>
  request<Conversation>('PUT', `${of(company)}/conversations/${conversation}/state`, { body: { state } });
export const markAnswered = (company: number, conversation: number) =>
  request<Conversation>('POST', `${of(company)}/conversations/${conversation}/answered`);
export const moveReadMarker = (company: number, conversation: number, position: number) =>
  request<ReadMarker>('PUT', `${of(company)}/conversations/${conversation}/read-marker`, {
    body: { position },
  });
