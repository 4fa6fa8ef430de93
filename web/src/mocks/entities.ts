import type { Attachment, Channel, Conversation, Member, Message, ReadMarker } from '../api/types';

/** Builders of entities for tests and for the demonstration data of the development build. */

export const NOW = '2026-11-23T11:05:00.000Z';

export const conversation = (some: Partial<Conversation> = {}): Conversation => ({
  id: 1,
  company_id: 1,
  channel_id: 1,
  contact: {
    id: 1,
    name: 'Катя Орлова',
    named_by_member: false,
    phone: null,
    phone_by_member: false,
    username: null,
    comment: '',
  },
  state: 'open',
  assignee_id: null,
  unanswered_count: 0,
  waiting_since: null,
  activity: 1,
  last_incoming_position: 0,
  last_message: null,
  reachable: true,
  created_at: NOW,
  version: 1,
  ...some,
});

export const message = (some: Partial<Message> = {}): Message => ({
  id: 1,
  conversation_id: 1,
  direction: 'incoming',
  author_member_id: null,
  client_message_id: null,
  content: { kind: 'text', text: 'Здравствуйте' },
  attachments: [],
  album_id: null,
  reply_to: null,
  forwarded_from: null,
  reactions: [],
  status: null,
  failure: null,
  retry_at: null,
  position: 1,
  ordinal: 0,
  sent_at: NOW,
  edited_at: null,
  deleted_at: null,
  created_at: NOW,
  version: 1,
  ...some,
});

export const attachment = (some: Partial<Attachment> = {}): Attachment => ({
  id: 1,
  kind: 'document',
  state: 'ready',
  failure: null,
  file_name: 'Программа_5_класс.pdf',
  mime_type: 'application/pdf',
  size_bytes: 1_800_000,
  width: null,
  height: null,
  duration_seconds: null,
  emoji: null,
  ...some,
});

export const member = (some: Partial<Member> = {}): Member => ({
  id: 7,
  user_id: 7,
  name: 'Марина Белова',
  role: 'administrator',
  version: 1,
  created_at: NOW,
  ...some,
});

export const readMarker = (some: Partial<ReadMarker> = {}): ReadMarker => ({
  conversation_id: 1,
  member_id: 7,
  position: 1,
  version: 1,
  ...some,
});

const MEGABYTE = 1024 * 1024;

export const channel = (some: Partial<Channel> = {}): Channel => ({
  id: 1,
  company_id: 1,
  kind: 'telegram_bot',
  name: 'Бот поддержки',
  state: 'enabled',
  state_reason: null,
  intake: 'polling',
  external_id: '7000000001',
  username: 'tochka_rosta_bot',
  capabilities: {
    text_limit: 4096,
    caption_limit: 1024,
    media: [
      { kind: 'photo', max_bytes: 10 * MEGABYTE, mime_types: ['image/jpeg', 'image/png'] },
      { kind: 'video', max_bytes: 50 * MEGABYTE, mime_types: ['video/mp4'] },
      { kind: 'voice', max_bytes: 50 * MEGABYTE, mime_types: ['audio/ogg'] },
      { kind: 'document', max_bytes: 50 * MEGABYTE, mime_types: [] },
    ],
    download_limit_bytes: 20 * MEGABYTE,
    reply: true,
    edit: true,
    delete: true,
    reactions: false,
    delivered_receipts: false,
    read_receipts: false,
    write_first: false,
    sends_per_second: 30,
  },
  created_at: NOW,
  deleted_at: null,
  version: 1,
  ...some,
});
