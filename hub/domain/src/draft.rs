//! What a member has begun to write in a conversation and not sent. Nobody else ever sees it, so it is
//! no part of the company's log: it is kept for the member's other devices, which ask for it.

use serde::{Deserialize, Serialize};

use crate::{ConversationId, MessageId, Timestamp};

/// Longest draft, in UTF-16 code units: more than any channel takes.
pub const DRAFT_LIMIT: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Draft {
    pub conversation_id: ConversationId,
    /// The answer to the client.
    pub text: String,
    /// The internal comment.
    pub note: String,
    pub reply_to_message_id: Option<MessageId>,
    pub changed_at: Timestamp,
}
