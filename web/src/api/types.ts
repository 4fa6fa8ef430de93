/** Entities and frames as the server writes them; the Rust structs of `hub-domain` are the truth. */

export type AttachmentKind =
  | 'photo'
  | 'video'
  | 'video_note'
  | 'animation'
  | 'voice'
  | 'audio'
  | 'sticker'
  | 'document';
export type ChannelKind = 'telegram_bot' | 'telegram_personal' | 'whatsapp' | 'waba' | 'widget';
export type ChannelState = 'connecting' | 'needs_action' | 'enabled' | 'limited' | 'disabled';
export type IntakeMode = 'polling' | 'webhook';
export type Role = 'administrator' | 'operator';
export type ConversationState = 'open' | 'archived';
export type Direction = 'incoming' | 'outgoing' | 'system' | 'note';
export type MessageStatus = 'queued' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed' | 'unknown';
export type ConversationFilter = 'open' | 'all' | 'mine' | 'unassigned' | 'archived' | 'unanswered';

export interface Company {
  id: number;
  name: string;
  created_at: string;
}

export interface Member {
  id: number;
  user_id: number;
  name: string;
  role: Role;
  version: number;
  created_at: string;
}

export interface MediaLimit {
  kind: AttachmentKind;
  max_bytes: number;
  mime_types: string[];
}

export interface Capabilities {
  text_limit: number;
  caption_limit: number;
  media: MediaLimit[];
  download_limit_bytes: number;
  reply: boolean;
  edit: boolean;
  delete: boolean;
  reactions: boolean;
  delivered_receipts: boolean;
  read_receipts: boolean;
  write_first: boolean;
  sends_per_second: number;
}

export interface Channel {
  id: number;
  company_id: number;
  kind: ChannelKind;
  name: string;
  state: ChannelState;
  state_reason: string | null;
  intake: IntakeMode;
  external_id: string;
  username: string | null;
  capabilities: Capabilities;
  created_at: string;
  version: number;
}

export interface ContactCard {
  id: number;
  name: string;
  phone: string | null;
  username: string | null;
  comment: string;
}

export interface MessagePreview {
  id: number;
  direction: Direction;
  author_member_id: number | null;
  status: MessageStatus | null;
  content_kind: string;
  text: string;
  attachment_kind: AttachmentKind | null;
  deleted: boolean;
  sent_at: string;
}

export interface Conversation {
  id: number;
  company_id: number;
  channel_id: number;
  contact: ContactCard;
  state: ConversationState;
  assignee_id: number | null;
  unanswered_count: number;
  waiting_since: string | null;
  activity: number;
  last_incoming_position: number;
  last_message: MessagePreview | null;
  reachable: boolean;
  created_at: string;
  version: number;
}

export interface ReadMarker {
  conversation_id: number;
  member_id: number;
  position: number;
  version: number;
}

export interface Entity {
  kind: string;
  offset: number;
  length: number;
  url?: string | null;
}

export type Content =
  | { kind: 'text'; text: string; entities?: Entity[] }
  | {
      kind: 'location';
      latitude: number;
      longitude: number;
      title?: string | null;
      address?: string | null;
      live?: boolean;
    }
  | { kind: 'contact'; name: string; phone: string | null; own: boolean }
  | { kind: 'button'; data: string; text: string | null }
  | { kind: 'system'; code: string; params?: unknown }
  | { kind: 'unsupported'; what: string; text?: string | null };

export interface Attachment {
  id: number;
  kind: AttachmentKind;
  state: 'pending' | 'ready' | 'unavailable';
  failure: string | null;
  file_name: string | null;
  mime_type: string | null;
  size_bytes: number | null;
  width: number | null;
  height: number | null;
  duration_seconds: number | null;
  emoji: string | null;
}

export interface Message {
  id: number;
  conversation_id: number;
  direction: Direction;
  author_member_id: number | null;
  client_message_id: string | null;
  content: Content;
  attachments: Attachment[];
  album_id: string | null;
  reply_to: { message_id: number | null; text: string } | null;
  forwarded_from: { name: string } | null;
  reactions: { emoji: string; by_client: boolean }[];
  status: MessageStatus | null;
  failure: { code: string; detail: string | null } | null;
  retry_at: string | null;
  position: number;
  ordinal: number;
  sent_at: string;
  edited_at: string | null;
  deleted_at: string | null;
  created_at: string;
  version: number;
}

export interface StreamPosition {
  epoch: string;
  offset: number;
}

/** The new state of what an event changed. */
export interface Changes {
  message?: Message;
  conversation?: Conversation;
  read_marker?: ReadMarker;
  channel?: Channel;
  member?: Member;
}

export interface StreamEvent extends Changes {
  offset: number;
  type: string;
  at: string;
  origin:
    | { kind: 'channel'; channel_id: number }
    | { kind: 'member'; member_id: number }
    | { kind: 'system' };
}

export type Ephemeral =
  | { kind: 'typing'; member_id: number; conversation_id: number }
  | { kind: 'looking_at'; member_id: number; conversation_id: number | null };

export interface Session {
  user: { id: number; name: string; phone: string };
  csrf_token: string;
  companies: { company: Company; member: Member }[];
  version: string;
}

export interface Counts {
  open: number;
  mine: number;
  unassigned: number;
  archived: number;
  unanswered: number;
}
