//! A saved answer of a company: written once, inserted into many chats.
//!
//! Owns its shape and bounds. What `@name@` becomes is for whoever inserts it: the text goes through the
//! composer, where a person reads it before it is sent.

use serde::{Deserialize, Serialize};

use crate::{MemberId, QuickReplyId, Timestamp};

/// Longest name, in characters.
pub const QUICK_REPLY_NAME_LIMIT: usize = 120;
/// Longest text, in UTF-16 code units.
pub const QUICK_REPLY_TEXT_LIMIT: usize = 4096;
/// Most of them in one company.
pub const QUICK_REPLIES_LIMIT: i64 = 1000;

/// The file that goes with a quick reply. Its bytes are at
/// `/api/v1/companies/{company}/quick-replies/{id}/file`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuickReplyFile {
    #[schema(example = "Договор_оферты.pdf")]
    pub name: String,
    #[schema(example = "application/pdf")]
    pub mime_type: String,
    pub size_bytes: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuickReply {
    pub id: QuickReplyId,
    /// Seen by members only.
    #[schema(example = "Оплата частями")]
    pub name: String,
    /// `@name@` stands for the client's name, or the phone when no name is known.
    #[schema(example = "Да, @name@, курс можно оплатить двумя частями.")]
    pub text: String,
    pub file: Option<QuickReplyFile>,
    /// Who changed it last.
    pub author_member_id: MemberId,
    pub changed_at: Timestamp,
    pub created_at: Timestamp,
    /// Once set, it is offered no more.
    pub deleted_at: Option<Timestamp>,
    /// Offset of the event that last changed it. Newer wins, whatever arrives first.
    pub version: i64,
}
