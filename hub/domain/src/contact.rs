//! A client: who wrote, as far as the channels tell.

use serde::{Deserialize, Serialize};

use crate::ContactId;

/// Longest name, in characters.
pub const CONTACT_NAME_LIMIT: usize = 120;
/// Longest comment, in characters.
pub const CONTACT_COMMENT_LIMIT: usize = 2000;

/// A client as embedded in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ContactCard {
    pub id: ContactId,
    /// The client's name; empty when no channel has told one.
    #[schema(example = "Катя Орлова")]
    pub name: String,
    /// A member gave the name: what the messenger says no longer changes it.
    #[serde(default)]
    pub named_by_member: bool,
    /// E.164 digits without `+`: verified by the channel, or written by a member.
    #[schema(example = "79261234567")]
    pub phone: Option<String>,
    /// A member wrote the phone: what the messenger says no longer changes it.
    #[serde(default)]
    pub phone_by_member: bool,
    /// The client's public name on the conversation's channel, without `@`.
    pub username: Option<String>,
    /// What colleagues noted about the client.
    pub comment: String,
}
