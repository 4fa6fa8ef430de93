//! A client: who wrote, as far as the channels tell.

use serde::{Deserialize, Serialize};

use crate::ContactId;

/// A client as embedded in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ContactCard {
    pub id: ContactId,
    /// The client's name; empty when no channel has told one.
    #[schema(example = "Катя Орлова")]
    pub name: String,
    /// E.164 digits without `+`, only when verified by the channel.
    #[schema(example = "79261234567")]
    pub phone: Option<String>,
    /// The client's public name on the conversation's channel, without `@`.
    pub username: Option<String>,
    /// What colleagues noted about the client.
    pub comment: String,
}
