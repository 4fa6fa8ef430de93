//! Rows as they go in and come out where the domain's types do not fit: inputs of inserts, and what
//! the server needs beside what members see.

use hub_domain::channel::{ChannelKind, InboundMessage, IntakeMode};
use hub_domain::delivery::{DeliveryKind, DeliveryState};
use hub_domain::{
    AttachmentId, AttachmentKind, ChannelId, ChatOrder, CompanyId, Content, ConversationId,
    DeliveryId, Direction, MemberId, MessageId, MessageStatus, SessionId, StreamPosition,
    Timestamp, UserId,
};
use serde::Serialize;

use crate::StoreError;

/// A message from a channel, to be stored once.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub channel_id: ChannelId,
    pub message: InboundMessage,
    /// Files above it are stored as unavailable at once (`file_too_big`).
    pub download_limit_bytes: i64,
    /// The press of a button that the client waits to see answered.
    pub answer_button: Option<String>,
    /// Files that are in our storage already, uploaded for this message. One that belongs to another
    /// message, or to another channel, is an error.
    pub uploaded: Vec<AttachmentId>,
}

/// What became of an [`Incoming`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingested {
    Stored {
        message_id: MessageId,
        conversation_id: ConversationId,
    },
    /// The channel already told us of it.
    Duplicate,
    /// Its channel was deleted before this commit: it is not stored.
    ChannelDeleted,
}

/// Where the log of a company stands.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StreamRow {
    pub id: i64,
    pub epoch: String,
    pub event_offset: i64,
    pub pruned_offset: i64,
}

impl StreamRow {
    pub fn position(&self) -> StreamPosition {
        StreamPosition { epoch: self.epoch.clone(), offset: self.event_offset }
    }
}

/// An event as it lies in the log.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EventRow {
    pub offset: i64,
    pub channel_id: Option<i64>,
    /// The encoded [`hub_domain::Event`].
    pub payload: String,
}

/// A channel to be connected.
#[derive(Debug, Clone)]
pub struct NewChannel {
    pub company_id: CompanyId,
    pub kind: ChannelKind,
    pub name: String,
    pub intake: IntakeMode,
    pub external_id: String,
    pub username: Option<String>,
    pub capabilities: hub_domain::channel::Capabilities,
    pub secret_sealed: String,
    pub webhook_secret_sealed: String,
}

/// What the server needs to act for a channel: kept from members.
#[derive(Debug, Clone)]
pub struct ChannelSecrets {
    pub channel: hub_domain::channel::Channel,
    pub secret_sealed: String,
    pub webhook_secret_sealed: String,
    pub poll_cursor: Option<String>,
}

/// A message written on our side.
#[derive(Debug, Clone)]
pub struct NewMessage {
    pub company_id: CompanyId,
    pub channel_id: ChannelId,
    pub conversation_id: ConversationId,
    pub direction: Direction,
    pub author_member_id: Option<MemberId>,
    pub client_message_id: Option<String>,
    pub intention_hash: Option<String>,
    pub content: Content,
    pub reply_to: Option<(MessageId, String)>,
    pub status: Option<MessageStatus>,
    pub position: i64,
    pub sent_at: Timestamp,
    pub version: i64,
}

/// A file somebody uploaded.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    pub company_id: CompanyId,
    pub channel_id: ChannelId,
    /// `None`: a client, through a channel of our own.
    pub uploaded_by: Option<MemberId>,
    pub kind: AttachmentKind,
    pub file_key: String,
    pub file_name: String,
    pub mime_type: String,
    pub size_bytes: i64,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub created_at: Timestamp,
}

/// An attachment with what the server needs and members do not see.
#[derive(Debug, Clone)]
pub struct AttachmentRecord {
    pub attachment: hub_domain::Attachment,
    pub company_id: CompanyId,
    pub channel_id: ChannelId,
    pub message_id: Option<MessageId>,
    pub uploaded_by: Option<MemberId>,
    pub file_key: Option<String>,
    pub file_ref: Option<String>,
}

/// Where a message of ours goes, and what it answers.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Address {
    pub channel_id: i64,
    pub chat_id: String,
    pub external_id: Option<String>,
    pub reply_to_external_id: Option<String>,
}

/// An effect to be made outside.
#[derive(Debug, Clone, Serialize)]
pub struct NewDelivery {
    pub company_id: Option<CompanyId>,
    pub kind: DeliveryKind,
    pub lane: String,
    pub target: String,
    pub subject_id: i64,
    pub payload: String,
    pub not_before: Timestamp,
}

/// A delivery as the engine works on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub company_id: Option<CompanyId>,
    pub kind: DeliveryKind,
    pub lane: String,
    pub target: String,
    pub subject_id: i64,
    pub payload: String,
    pub state: DeliveryState,
    /// Attempts started so far.
    pub attempts: i64,
    pub not_before: Timestamp,
    pub lease_until: Option<Timestamp>,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// One try, as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Attempt {
    pub number: i64,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// `done`, `retry`, `refused`, `unknown`; `null` while it is under way.
    pub outcome: Option<String>,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
    pub retry_at: Option<Timestamp>,
}

/// What a delivery is about, in words. What a kind of delivery does not have is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct DeliverySubject {
    pub channel_id: Option<ChannelId>,
    #[schema(example = "Бот поддержки")]
    pub channel_name: Option<String>,
    pub conversation_id: Option<ConversationId>,
    #[schema(example = "Катя Орлова")]
    pub contact_name: Option<String>,
    pub message_id: Option<MessageId>,
    /// Of a file that is fetched.
    pub attachment_id: Option<AttachmentId>,
    pub file_name: Option<String>,
}

/// How many deliveries of a company are in each state that is not the end of a good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct DeliveryCounts {
    pub pending: i64,
    pub in_flight: i64,
    pub dead: i64,
    pub unknown: i64,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptEnd {
    pub outcome: &'static str,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
    pub retry_at: Option<Timestamp>,
}

/// What the engine asks for when it claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest {
    pub owner: String,
    pub now: Timestamp,
    pub lease_until: Timestamp,
    pub limit: i64,
}

/// What may be leased in this transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimable {
    pub deliveries: Vec<Delivery>,
    /// Whether heads were left out because their lanes are just being claimed elsewhere or have got
    /// another head: another look is worth it.
    pub contested: bool,
}

/// A section of the chat list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConversationFilter {
    #[default]
    Open,
    All,
    Mine,
    Unassigned,
    /// With correspondence within [`hub_domain::conversation::ACTIVE_MS`].
    Active,
    Archived,
}

impl ConversationFilter {
    pub const NAMES: [(&'static str, Self); 6] = [
        ("open", Self::Open),
        ("all", Self::All),
        ("mine", Self::Mine),
        ("unassigned", Self::Unassigned),
        ("active", Self::Active),
        ("archived", Self::Archived),
    ];

    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, filter)| *filter)
    }
}

/// What members write on a client's card.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ContactRecord {
    pub id: i64,
    pub name: String,
    pub named_by_member: bool,
    /// E.164 digits without `+`.
    pub phone: Option<String>,
    pub phone_by_member: bool,
    pub comment: String,
}

/// A search for contacts.
#[derive(Debug, Clone, Default)]
pub struct ContactSearch {
    /// As [`hub_domain::terms::asked`] gives them: each must begin a term of the contact.
    pub terms: Vec<String>,
    /// Which of the terms led on the page before, and its last hit.
    pub after: Option<(usize, ContactHit)>,
    pub limit: i64,
}

/// A contact that was found, and by which term: hits are ordered by it, then by the contact.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ContactHit {
    pub term: String,
    pub contact_id: i64,
}

/// A page of hits, and the place of the term that leads: their order is by what it begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactHits {
    pub lead: usize,
    pub hits: Vec<ContactHit>,
}

/// A contact on the way of the indexer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnindexedContact {
    pub id: i64,
    pub company_id: i64,
    /// Whether it has terms already.
    pub indexed: bool,
}

/// Whose conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssigneeFilter {
    Me,
    Nobody,
    Somebody,
    Member(MemberId),
}

impl AssigneeFilter {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "me" => Some(Self::Me),
            "nobody" => Some(Self::Nobody),
            "somebody" => Some(Self::Somebody),
            id => id.parse().ok().map(Self::Member),
        }
    }
}

/// Which conversations a list shows: those of the section that fit everything it is narrowed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationQuery {
    pub filter: ConversationFilter,
    /// Of these channels; none named: of all.
    pub channels: Vec<ChannelId>,
    pub assignee: Option<AssigneeFilter>,
    /// Only those whose client waits for an answer.
    pub unanswered: bool,
    /// Conversations whose last message is older are not active.
    pub active_since: Timestamp,
}

impl ConversationQuery {
    /// The section as it is now, not narrowed.
    pub const fn of(filter: ConversationFilter, now: Timestamp) -> Self {
        Self {
            filter,
            channels: Vec::new(),
            assignee: None,
            unanswered: false,
            active_since: now.plus_millis(-hub_domain::conversation::ACTIVE_MS),
        }
    }
}

/// Which part of a list, by the key of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListPart {
    Top,
    Below(i64),
    /// The nearest ones above.
    Above(i64),
}

/// A page of the chat list.
#[derive(Debug, Clone)]
pub struct ConversationPage {
    pub query: ConversationQuery,
    pub order: ChatOrder,
    pub part: ListPart,
    pub limit: i64,
}

/// How many chats each section shows when it is narrowed as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct ConversationCounts {
    pub open: i64,
    pub mine: i64,
    pub unassigned: i64,
    pub active: i64,
    pub archived: i64,
    /// Unanswered ones of the section that was asked for.
    pub unanswered: i64,
    /// Open, assigned to the member, unanswered.
    pub unanswered_mine: i64,
}

/// A place in a conversation: `(position, ordinal, id)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageKey {
    pub position: i64,
    pub ordinal: i64,
    pub id: i64,
}

impl MessageKey {
    pub const START: Self = Self { position: i64::MIN, ordinal: i64::MIN, id: i64::MIN };
    pub const END: Self = Self { position: i64::MAX, ordinal: i64::MAX, id: i64::MAX };

    pub const fn of(message: &hub_domain::Message) -> Self {
        Self { position: message.position, ordinal: message.ordinal, id: message.id.0 }
    }
}

impl std::fmt::Display for MessageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.position, self.ordinal, self.id)
    }
}

impl std::str::FromStr for MessageKey {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '.').map(str::parse::<i64>);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(position)), Some(Ok(ordinal)), Some(Ok(id))) => {
                Ok(Self { position, ordinal, id })
            }
            _ => Err(StoreError::inconsistent("not a cursor of messages")),
        }
    }
}

/// The identity a message comes from, with its conversation: what ingest needs to know.
#[derive(Debug, Clone)]
pub struct KnownIdentity {
    pub channel_id: i64,
    pub external_id: String,
    pub chat_id: String,
    pub identity_id: i64,
    pub username: Option<String>,
    pub conversation: hub_domain::Conversation,
    pub last_position: i64,
    pub last_ordinal: i64,
    pub max_ordinal: i64,
    pub reachable_at: i64,
}

/// A person with a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// E.164 digits without `+`.
    pub phone: String,
    pub name: String,
}

/// A session to be opened.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub token_hash: String,
    pub user_id: UserId,
    pub ip: String,
    pub user_agent: String,
    pub expires_at: Timestamp,
}

/// A session as it lies in the table; whether it still holds is for the server to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRow {
    pub id: SessionId,
    pub user_id: UserId,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A user's private token as it lies in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    pub user_id: UserId,
    pub token_sealed: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// What went through a channel lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelTraffic {
    pub channel_id: ChannelId,
    pub received: i64,
    pub sent: i64,
    pub last_message_at: Timestamp,
}

/// A one-time code to be kept.
#[derive(Debug, Clone)]
pub struct NewSignInCode {
    /// Of the browser that asked; the code works nowhere else.
    pub pre_session_hash: String,
    pub phone: String,
    pub code_hmac: String,
    pub expires_at: Timestamp,
}

/// A one-time code as it lies in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInCode {
    pub id: i64,
    pub phone: String,
    pub code_hmac: String,
    pub tries: i64,
    pub expires_at: Timestamp,
    pub used: bool,
}

/// What a one-time link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    SetUp,
    SignIn,
}

impl LinkPurpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::SignIn => "sign_in",
        }
    }
}

/// Somebody who wrote through a site widget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct WidgetVisitor {
    pub channel_id: i64,
    /// `external_id` of the identity.
    pub visitor_id: String,
    /// What the visitor is called while nothing else is known.
    pub number: i64,
    /// The site's own id of its user, when the site vouches for it.
    pub user_id: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub page_url: Option<String>,
    pub page_title: Option<String>,
    pub user_agent: String,
    pub created_at: i64,
    pub changed_at: i64,
}

/// A quick reply with where the bytes of its file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuickReplyRecord {
    pub quick_reply: hub_domain::QuickReply,
    pub file_key: Option<String>,
}
