//! A message and the life of an outgoing one.
//!
//! Owns the status machine: an outgoing message only moves along the arrows of
//! [`MessageStatus::after`], whatever order callbacks come in.

use serde::{Deserialize, Serialize};

use crate::{
    Attachment, Content, ConversationId, ForwardOrigin, MemberId, MessageId, ReplyTo, Timestamp,
};

/// Longest `client_message_id`, in bytes.
pub const CLIENT_MESSAGE_ID_LIMIT: usize = 64;
/// Longest note, in UTF-16 code units. No channel bounds it: it goes nowhere.
pub const NOTE_LIMIT: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Incoming,
    Outgoing,
    /// A line about what happened; nobody wrote it.
    System,
    /// An internal comment; the client never sees it.
    Note,
}

impl Direction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
            Self::System => "system",
            Self::Note => "note",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "incoming" => Some(Self::Incoming),
            "outgoing" => Some(Self::Outgoing),
            "system" => Some(Self::System),
            "note" => Some(Self::Note),
            _ => None,
        }
    }
}

/// Where an outgoing message is on its way to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    Queued,
    /// An attempt is stored and under way.
    Sending,
    Sent,
    Delivered,
    Read,
    /// Refused; `failure` says why.
    Failed,
    /// Nobody can tell whether the provider accepted it. Never repeated by itself.
    Unknown,
}

/// What may happen to an outgoing message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusChange {
    /// An attempt begins.
    AttemptStarted,
    /// The provider accepted the message.
    Accepted,
    /// The attempt failed in a way that another may mend.
    RetryPlanned,
    /// The provider, or the hub, refused it for good.
    Refused,
    /// The attempt ended without an answer.
    OutcomeLost,
    /// The provider reports that it reached the client's device.
    DeliveredReceipt,
    /// The provider reports that the client read it.
    ReadReceipt,
    /// A member asks for another attempt after `failed` or `unknown`.
    SendAgain,
    /// A member says that an unknown message did arrive.
    ConsiderSent,
}

impl MessageStatus {
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Unknown,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// The status after `change`, or `None` when the change says nothing new.
    ///
    /// A receipt proves that the message arrived, so it also ends `sending`, `failed` and `unknown`;
    /// nothing leads back from `delivered` or `read`.
    pub const fn after(self, change: StatusChange) -> Option<Self> {
        use MessageStatus as S;
        use StatusChange as C;
        match (self, change) {
            (S::Queued, C::AttemptStarted) => Some(S::Sending),
            (S::Queued | S::Sending, C::Accepted) | (S::Unknown, C::Accepted | C::ConsiderSent) => {
                Some(S::Sent)
            }
            (S::Sending, C::RetryPlanned) | (S::Failed | S::Unknown, C::SendAgain) => {
                Some(S::Queued)
            }
            (S::Queued | S::Sending, C::Refused) => Some(S::Failed),
            (S::Sending, C::OutcomeLost) => Some(S::Unknown),
            (S::Sending | S::Sent | S::Failed | S::Unknown, C::DeliveredReceipt) => {
                Some(S::Delivered)
            }
            (S::Sending | S::Sent | S::Failed | S::Unknown | S::Delivered, C::ReadReceipt) => {
                Some(S::Read)
            }
            _ => None,
        }
    }

    /// How far the provider has confirmed the message; receipts never lower it.
    pub const fn confirmed(self) -> u8 {
        match self {
            Self::Queued | Self::Sending | Self::Failed | Self::Unknown => 0,
            Self::Sent => 1,
            Self::Delivered => 2,
            Self::Read => 3,
        }
    }
}

/// Why an outgoing message failed, or is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Failure {
    /// Stable code, translated by the interface (`client_blocked`, `chat_not_found`, …).
    #[schema(example = "client_blocked")]
    pub code: String,
    /// The provider's own words, where it gave any.
    pub detail: Option<String>,
}

/// A reaction of one side to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reaction {
    #[schema(example = "👍")]
    pub emoji: String,
    /// `true`: the client's; `false`: ours.
    pub by_client: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Message {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    pub direction: Direction,
    /// The member who wrote an outgoing message or a note.
    pub author_member_id: Option<MemberId>,
    /// The id the browser gave to its intention to send.
    pub client_message_id: Option<String>,
    pub content: Content,
    pub attachments: Vec<Attachment>,
    /// Ties the parts of an album.
    pub album_id: Option<String>,
    pub reply_to: Option<ReplyTo>,
    pub forwarded_from: Option<ForwardOrigin>,
    pub reactions: Vec<Reaction>,
    /// Outgoing messages only.
    pub status: Option<MessageStatus>,
    pub failure: Option<Failure>,
    /// When the engine tries again, while `status` is `queued` after a failed attempt.
    pub retry_at: Option<Timestamp>,
    /// Order within the conversation: ascending `(position, ordinal, id)`.
    pub position: i64,
    /// The provider's own order; breaks ties of `position` (a message that came late is given the
    /// position of the one it belongs before).
    pub ordinal: i64,
    /// When it was written, as the provider (incoming) or the hub (outgoing) says.
    pub sent_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Offset of the event that last changed this message. Newer wins, whatever arrives first.
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_change() -> impl Strategy<Value = StatusChange> {
        prop_oneof![
            Just(StatusChange::AttemptStarted),
            Just(StatusChange::Accepted),
            Just(StatusChange::RetryPlanned),
            Just(StatusChange::Refused),
            Just(StatusChange::OutcomeLost),
            Just(StatusChange::DeliveredReceipt),
            Just(StatusChange::ReadReceipt),
            Just(StatusChange::SendAgain),
            Just(StatusChange::ConsiderSent),
        ]
    }

    proptest! {
        #[test]
        fn what_the_provider_confirmed_is_never_taken_back(
            changes in proptest::collection::vec(any_change(), 0..40),
        ) {
            let mut status = MessageStatus::Queued;
            for change in changes {
                let next = status.after(change).unwrap_or(status);
                prop_assert!(next.confirmed() >= status.confirmed(), "{status:?} -> {next:?} by {change:?}");
                status = next;
            }
        }

        #[test]
        fn a_message_is_sent_again_only_when_a_member_asks(
            changes in proptest::collection::vec(any_change(), 0..40),
        ) {
            let mut status = MessageStatus::Queued;
            for change in changes {
                let Some(next) = status.after(change) else { continue };
                if matches!(status, MessageStatus::Failed | MessageStatus::Unknown)
                    && matches!(next, MessageStatus::Queued | MessageStatus::Sending)
                {
                    prop_assert_eq!(change, StatusChange::SendAgain);
                }
                status = next;
            }
        }

        #[test]
        fn receipts_in_any_order_end_in_the_same_status(reversed in any::<bool>()) {
            let mut receipts = vec![StatusChange::DeliveredReceipt, StatusChange::ReadReceipt];
            if reversed { receipts.reverse(); }
            let mut status = MessageStatus::Sending;
            for receipt in receipts.into_iter().chain([StatusChange::Accepted, StatusChange::OutcomeLost]) {
                status = status.after(receipt).unwrap_or(status);
            }
            prop_assert_eq!(status, MessageStatus::Read);
        }
    }

    #[test]
    fn every_status_reads_back_from_its_name() {
        for status in MessageStatus::ALL {
            assert_eq!(MessageStatus::parse(status.as_str()), Some(status));
        }
    }
}
