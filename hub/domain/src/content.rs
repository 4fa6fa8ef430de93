//! What a message says: text with its marks, a place, a contact card, or something we cannot show.
//!
//! Text is always plain; marks are ranges over it. Ranges count UTF-16 code units, which is what
//! messengers and browsers both count.

use serde::{Deserialize, Serialize};

use crate::MessageId;

/// A mark over a range of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Entity {
    /// `bold`, `italic`, `underline`, `strikethrough`, `spoiler`, `code`, `pre`, `blockquote`, `url`,
    /// `text_link`, `email`, `phone_number`, `mention`, `hashtag`, `bot_command`, …; unknown kinds are kept.
    #[schema(example = "bold")]
    pub kind: String,
    /// Start, in UTF-16 code units.
    pub offset: u32,
    /// Length, in UTF-16 code units.
    pub length: u32,
    /// Target of a `text_link`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The content of a message beside its attachments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Text, or the caption of the attachments (empty when they have none).
    Text {
        text: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entities: Vec<Entity>,
    },
    Location {
        latitude: f64,
        longitude: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// Whether the place moves (a live location).
        #[serde(default)]
        live: bool,
    },
    Contact {
        name: String,
        phone: Option<String>,
        /// The sender shared their own, verified number.
        own: bool,
    },
    /// The client pressed a button; `data` is what the button carries.
    Button { data: String, text: Option<String> },
    /// A line about what happened (`conversation_assigned`, `client_blocked`, …).
    System {
        code: String,
        #[serde(default)]
        params: serde_json::Value,
    },
    /// Something this version cannot show; the provider's payload is kept beside the message.
    Unsupported {
        /// What the provider calls it, where known (`poll`, `dice`, …).
        what: String,
        /// A readable stand-in, where one could be made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
}

impl Content {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), entities: Vec::new() }
    }

    /// The words of the content, for previews; empty when it has none.
    pub fn words(&self) -> &str {
        match self {
            Self::Text { text, .. } => text,
            Self::Location { title, .. } => title.as_deref().unwrap_or_default(),
            Self::Contact { name, .. } => name,
            Self::Button { text, data } => text.as_deref().unwrap_or(data),
            Self::System { .. } => "",
            Self::Unsupported { text, .. } => text.as_deref().unwrap_or_default(),
        }
    }
}

/// What a message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReplyTo {
    /// Ours, when the quoted message is stored.
    pub message_id: Option<MessageId>,
    /// The quoted words, as a fallback.
    pub text: String,
}

/// Where a forwarded message comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ForwardOrigin {
    #[schema(example = "Школьный совет")]
    pub name: String,
}

/// Cleans text from outside: NUL bytes, which PostgreSQL cannot store, become U+FFFD. All else,
/// bidirectional marks and zero-width characters included, stays as it came.
pub fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text }
}

/// Length as messengers count it.
pub fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}
