/** What the widget and the server say to each other; see `hub/server/src/http/visitors.rs`. */

export type Rule = 'off' | 'optional' | 'required';
export type Field = 'name' | 'phone' | 'email';

export interface Config {
  title: string;
  subtitle: string;
  greeting: string;
  offline_text: string;
  suggestions: string[];
  colour: string;
  scheme: 'light' | 'dark' | 'auto';
  side: 'left' | 'right';
  language: 'auto' | 'ru' | 'en';
  form: Record<Field, Rule>;
  powered_by: boolean;
  attended: boolean;
  text_limit: number;
  file_limit_bytes: number;
}

export interface SentFile {
  id: number;
  kind: string;
  name: string;
  mime_type: string | null;
  size_bytes: number | null;
  url: string;
}

export interface Message {
  id: number;
  version: number;
  from: 'visitor' | 'operator';
  author: string | null;
  client_message_id: string | null;
  text: string;
  files: SentFile[];
  reply_to: string | null;
  status: 'sent' | 'delivered' | 'read' | null;
  position: number;
  ordinal: number;
  sent_at: string;
  edited: boolean;
  deleted: boolean;
}

export interface Position {
  epoch: string;
  offset: number;
}

export interface Page {
  items: Message[];
  older_cursor: string | null;
  seen_position: number;
  position: Position;
}

export type Frame =
  | { type: 'watching'; recovered: boolean; position: Position }
  | {
      type: 'events';
      position: Position;
      items: ({ type: 'message'; message: Message } | { type: 'seen'; position: number })[];
    }
  | { type: 'typing'; author: string | null }
  | { type: 'heartbeat'; position: Position };

/** A message on its way. `files` are lost with the page; what is uploaded already is not. */
export interface Pending {
  id: string;
  text: string;
  at: string;
  files: File[];
  sent: (SentFile & { pass: string })[];
  profile?: Partial<Record<Field, string>>;
  failed?: string;
}
