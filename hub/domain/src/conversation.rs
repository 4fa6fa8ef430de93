//! The correspondence with one contact identity on one channel.

use serde::{Deserialize, Serialize};

use crate::{
    AttachmentKind, ChannelId, CompanyId, ContactCard, ConversationId, Direction, MemberId,
    MessageId, MessageStatus, Timestamp,
};

/// Longest text of a [`MessagePreview`], in characters.
pub const PREVIEW_LIMIT: usize = 160;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationState {
    Open,
    /// Out of the general list until either side writes again.
    Archived,
}

impl ConversationState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Archived => "archived",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "open" => Some(Self::Open),
            "archived" => Some(Self::Archived),
            _ => None,
        }
    }
}

/// The last message of a conversation, as a row of the chat list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessagePreview {
    pub id: MessageId,
    pub direction: Direction,
    pub author_member_id: Option<MemberId>,
    /// Outgoing messages only.
    pub status: Option<MessageStatus>,
    /// `text`, `location`, `contact`, `button`, `system` or `unsupported`.
    #[schema(example = "text")]
    pub content_kind: String,
    /// The beginning of the words, at most 160 characters.
    pub text: String,
    /// Kind of the first attachment.
    pub attachment_kind: Option<AttachmentKind>,
    pub deleted: bool,
    pub sent_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Conversation {
    pub id: ConversationId,
    pub company_id: CompanyId,
    pub channel_id: ChannelId,
    pub contact: ContactCard,
    pub state: ConversationState,
    pub assignee_id: Option<MemberId>,
    /// Incoming messages since the last answer or "mark as read".
    pub unanswered_count: i64,
    /// Since when the client waits for an answer.
    pub waiting_since: Option<Timestamp>,
    /// Sort key of the chat list: offset of the event of the last incoming message (of the
    /// conversation's first event before there is one).
    pub activity: i64,
    /// `position` of the last incoming message; a member whose read marker is below has unread ones.
    pub last_incoming_position: i64,
    pub last_message: Option<MessagePreview>,
    /// Whether the client can be written to: `false` after the client blocked the channel.
    pub reachable: bool,
    pub created_at: Timestamp,
    /// Offset of the event that last changed this conversation. Newer wins, whatever arrives first.
    pub version: i64,
}

impl Conversation {
    /// Time of the message that the chat list shows; the beginning of time before there is one.
    pub fn last_message_at(&self) -> Timestamp {
        self.last_message.as_ref().map_or(Timestamp(0), |last| last.sent_at)
    }
}

/// How long a conversation is active after its last message.
pub const ACTIVE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// What the chat list is sorted by, latest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatOrder {
    /// The last message of the client.
    #[default]
    Activity,
    /// The beginning of the conversation.
    Created,
}

impl ChatOrder {
    pub const ALL: [Self; 2] = [Self::Activity, Self::Created];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Created => "created",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == text)
    }

    /// Where a conversation stands in this order.
    pub const fn key_of(self, conversation: &Conversation) -> i64 {
        match self {
            Self::Activity => conversation.activity,
            Self::Created => conversation.id.0,
        }
    }
}

/// Up to where a member has seen a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReadMarker {
    pub conversation_id: ConversationId,
    pub member_id: MemberId,
    /// `position` of the last message seen.
    pub position: i64,
    pub version: i64,
}
