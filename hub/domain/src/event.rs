//! What a company's log carries: events with their place in it, and what is never logged.
//!
//! An event says what happened (`type`) and hands over the new state of everything it changed, each
//! with a `version` equal to the event's offset. A reader replaces what it has by what is newer;
//! applying an event twice, or after a later snapshot, changes nothing.

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::conversation::{Conversation, ReadMarker};
use crate::{
    ChannelId, Company, CompanyId, ConversationId, Member, MemberId, Message, QuickReply, Timestamp,
};

/// A place in a company's log.
///
/// An offset alone is not enough: after a restore from a backup the log may grow a second time over
/// the same numbers. The epoch changes then, and readers start anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StreamPosition {
    #[schema(example = "k3v9x2")]
    pub epoch: String,
    pub offset: i64,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    MessageReceived,
    MessageCreated,
    MessageStatusChanged,
    MessageEdited,
    MessageDeleted,
    MessageReacted,
    AttachmentChanged,
    ConversationAssigned,
    ConversationArchived,
    ConversationReopened,
    ConversationAnswered,
    ContactChanged,
    ReadMarkerMoved,
    ChannelConnected,
    ChannelChanged,
    ChannelDeleted,
    MemberJoined,
    MemberChanged,
    QuickReplyChanged,
    QuickReplyDeleted,
    CompanyChanged,
}

impl EventType {
    pub const ALL: [Self; 21] = [
        Self::MessageReceived,
        Self::MessageCreated,
        Self::MessageStatusChanged,
        Self::MessageEdited,
        Self::MessageDeleted,
        Self::MessageReacted,
        Self::AttachmentChanged,
        Self::ConversationAssigned,
        Self::ConversationArchived,
        Self::ConversationReopened,
        Self::ConversationAnswered,
        Self::ContactChanged,
        Self::ReadMarkerMoved,
        Self::ChannelConnected,
        Self::ChannelChanged,
        Self::ChannelDeleted,
        Self::MemberJoined,
        Self::MemberChanged,
        Self::QuickReplyChanged,
        Self::QuickReplyDeleted,
        Self::CompanyChanged,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageReceived => "message_received",
            Self::MessageCreated => "message_created",
            Self::MessageStatusChanged => "message_status_changed",
            Self::MessageEdited => "message_edited",
            Self::MessageDeleted => "message_deleted",
            Self::MessageReacted => "message_reacted",
            Self::AttachmentChanged => "attachment_changed",
            Self::ConversationAssigned => "conversation_assigned",
            Self::ConversationArchived => "conversation_archived",
            Self::ConversationReopened => "conversation_reopened",
            Self::ConversationAnswered => "conversation_answered",
            Self::ContactChanged => "contact_changed",
            Self::ReadMarkerMoved => "read_marker_moved",
            Self::ChannelConnected => "channel_connected",
            Self::ChannelChanged => "channel_changed",
            Self::ChannelDeleted => "channel_deleted",
            Self::MemberJoined => "member_joined",
            Self::MemberChanged => "member_changed",
            Self::QuickReplyChanged => "quick_reply_changed",
            Self::QuickReplyDeleted => "quick_reply_deleted",
            Self::CompanyChanged => "company_changed",
        }
    }
}

/// Who caused an event, so that what came from somewhere is not sent back there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A client, through a channel.
    Channel { channel_id: ChannelId },
    /// A member, through the interface or the API.
    Member { member_id: MemberId },
    /// The hub itself.
    System,
}

/// The new state of what an event changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Changes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_marker: Option<ReadMarker>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Member>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quick_reply: Option<QuickReply>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<Company>,
}

/// An entry of a company's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// Gap-free within the company, from 1.
    pub offset: i64,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub at: Timestamp,
    pub origin: Origin,
    #[serde(flatten)]
    pub changes: Changes,
}

/// Whom an event is for. `channel_id` `None`: the whole company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience {
    pub company_id: CompanyId,
    pub channel_id: Option<ChannelId>,
}

/// What members see of each other and of clients and nobody keeps: neither logged nor replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ephemeral {
    /// The member is writing an answer. Holds for 6 seconds.
    Typing { member_id: MemberId, conversation_id: ConversationId },
    /// The member looks at a conversation, or at none. Holds for 60 seconds unless repeated.
    LookingAt { member_id: MemberId, conversation_id: Option<ConversationId> },
    /// The client is writing, where the channel tells. Holds for 6 seconds.
    ClientTyping { conversation_id: ConversationId },
}

impl Ephemeral {
    /// Whose doing it is, unless a client's: they are not told of it themselves.
    pub const fn member_id(&self) -> Option<MemberId> {
        match self {
            Self::Typing { member_id, .. } | Self::LookingAt { member_id, .. } => Some(*member_id),
            Self::ClientTyping { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_event_is_the_same_in_sql_and_json() {
        for event_type in EventType::ALL {
            let json = serde_json::to_value(event_type).expect("a name is a string");
            assert_eq!(json, event_type.as_str());
        }
    }
}
