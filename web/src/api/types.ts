import type { components } from './schema.gen';

/** Short names for what the server describes. The generated file is the truth. */

type Schemas = components['schemas'];

export type AttachmentKind = Schemas['AttachmentKind'];
export type Attachment = Schemas['Attachment'];
export type Capabilities = Schemas['Capabilities'];
export type Channel = Schemas['Channel'];
export type ChannelKind = Schemas['ChannelKind'];
export type ChannelState = Schemas['ChannelState'];
export type ChatOrder = Schemas['ChatOrder'];
export type Company = Schemas['Company'];
export type Content = Schemas['Content'];
export type Conversation = Schemas['Conversation'];
export type ConversationChange = Schemas['ConversationChange'];
export type ConversationState = Schemas['ConversationState'];
export type Draft = Schemas['Draft'];
export type Entity = Schemas['Entity'];
export type Ephemeral = Schemas['Ephemeral'];
export type IntakeMode = Schemas['IntakeMode'];
export type MediaLimit = Schemas['MediaLimit'];
export type Member = Schemas['Member'];
export type Message = Schemas['Message'];
export type MessagePreview = Schemas['MessagePreview'];
export type MessageStatus = Schemas['MessageStatus'];
export type Role = Schemas['Role'];
export type Preferences = Schemas['Preferences'];
export type QuickReply = Schemas['QuickReply'];
export type ReadMarker = Schemas['ReadMarker'];
export type Session = Schemas['Session'];
export type SetupCheck = Schemas['SetUpCheck'];
export type StreamEvent = Schemas['Event'];
export type StreamPosition = Schemas['StreamPosition'];

export type ConversationFilter = 'open' | 'all' | 'mine' | 'unassigned' | 'active' | 'archived';
/** Whose conversations; a number is a member. */
export type AssigneeFilter = 'me' | 'nobody' | 'somebody' | number;

/** How many conversations each section has; `all` is the sum of two. */
export type Counts = Omit<Schemas['Counts'], 'position'>;

/** The new state of what an event changed. */
export type Changes = Schemas['Changes'];
