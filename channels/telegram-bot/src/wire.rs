//! The provider's objects as they are on the wire, as far as we use them.
//!
//! Tolerant on purpose: unknown fields are ignored, and an optional field that is not what it should be
//! counts as absent, so that one strange part never costs a whole message. What a message *is* gets
//! decided on the raw JSON in [`crate::inbound`]; these types only read its parts.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads a part; `None` when it lacks what it must have.
pub fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// An optional field: absent when it cannot be read.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).ok())
}

/// A list: without the items that cannot be read.
fn lenient_list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let Value::Array(items) = Value::deserialize(deserializer)? else { return Ok(Vec::new()) };
    Ok(items.into_iter().filter_map(|item| T::deserialize(item).ok()).collect())
}

#[derive(Debug, Clone, Deserialize)]
pub struct User {
    pub id: i64,
    #[serde(default, deserialize_with = "lenient")]
    pub first_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub last_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub username: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub language_code: Option<String>,
}

impl User {
    pub fn full_name(&self) -> String {
        full_name(self.first_name.as_deref(), self.last_name.as_deref())
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Chat {
    pub id: i64,
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub first_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub last_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub username: Option<String>,
}

impl Chat {
    pub fn is_private(&self) -> bool {
        // Only people have positive ids.
        self.kind.as_deref().map_or(self.id > 0, |kind| kind == "private")
    }

    pub fn is_channel(&self) -> bool {
        self.kind.as_deref() == Some("channel")
    }

    /// A private chat is its person: who it is when `from` is not told.
    pub fn as_user(&self) -> User {
        User {
            id: self.id,
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            username: self.username.clone(),
            language_code: None,
        }
    }

    pub fn display_name(&self) -> String {
        match &self.title {
            Some(title) => title.trim().to_owned(),
            None => full_name(self.first_name.as_deref(), self.last_name.as_deref()),
        }
    }
}

fn full_name(first: Option<&str>, last: Option<&str>) -> String {
    let parts = [first, last].into_iter().flatten().map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

/// A message without its content.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the provider's names")]
pub struct Message {
    pub message_id: i64,
    pub chat: Chat,
    #[serde(default, deserialize_with = "lenient")]
    pub from: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub date: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub edit_date: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub media_group_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub text: Option<String>,
    #[serde(default, deserialize_with = "lenient_list")]
    pub entities: Vec<Entity>,
    #[serde(default, deserialize_with = "lenient")]
    pub caption: Option<String>,
    #[serde(default, deserialize_with = "lenient_list")]
    pub caption_entities: Vec<Entity>,
    #[serde(default, deserialize_with = "lenient")]
    pub reply_to_message: Option<Quoted>,
    #[serde(default, deserialize_with = "lenient")]
    pub external_reply: Option<ExternalReply>,
    #[serde(default, deserialize_with = "lenient")]
    pub quote: Option<Quote>,
    #[serde(default, deserialize_with = "lenient")]
    pub forward_origin: Option<Origin>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: String,
    pub offset: u32,
    pub length: u32,
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
}

/// A message that another one answers, or under which a button was pressed. It may be inaccessible:
/// then its date is 0 and it has no content.
#[derive(Debug, Clone, Deserialize)]
pub struct Quoted {
    pub message_id: i64,
    pub chat: Chat,
    #[serde(default, deserialize_with = "lenient")]
    pub text: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub caption: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Quote {
    #[serde(default, deserialize_with = "lenient")]
    pub text: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ExternalReply {
    #[serde(default, deserialize_with = "lenient")]
    pub origin: Option<Origin>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Origin {
    #[serde(default, deserialize_with = "lenient")]
    pub sender_user: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub sender_user_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub sender_chat: Option<Chat>,
    #[serde(default, deserialize_with = "lenient")]
    pub chat: Option<Chat>,
}

impl Origin {
    pub fn name(&self) -> String {
        if let Some(user) = &self.sender_user {
            return user.full_name();
        }
        if let Some(name) = &self.sender_user_name {
            return name.trim().to_owned();
        }
        let chat = self.sender_chat.as_ref().or(self.chat.as_ref());
        chat.map(Chat::display_name).unwrap_or_default()
    }
}

/// Any file: photo size, document, video, voice, sticker and so on differ only in which fields they have.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the provider's names")]
pub struct File {
    pub file_id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub file_unique_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub file_size: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub file_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub mime_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub width: Option<i32>,
    #[serde(default, deserialize_with = "lenient")]
    pub height: Option<i32>,
    /// Side of a video note.
    #[serde(default, deserialize_with = "lenient")]
    pub length: Option<i32>,
    #[serde(default, deserialize_with = "lenient")]
    pub duration: Option<i32>,
    #[serde(default, deserialize_with = "lenient")]
    pub emoji: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub is_animated: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub is_video: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub struct Contact {
    #[serde(default, deserialize_with = "lenient")]
    pub phone_number: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub first_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub last_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub user_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub vcard: Option<String>,
}

impl Contact {
    pub fn full_name(&self) -> String {
        full_name(self.first_name.as_deref(), self.last_name.as_deref())
    }
}

#[derive(Debug, Deserialize)]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
    #[serde(default, deserialize_with = "lenient")]
    pub live_period: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub struct Venue {
    pub location: Location,
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub address: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Poll {
    pub question: String,
    #[serde(default, deserialize_with = "lenient_list")]
    pub options: Vec<PollOption>,
}

#[derive(Debug, Deserialize)]
pub struct PollOption {
    pub text: String,
}

#[derive(Debug, Deserialize)]
pub struct Dice {
    pub emoji: String,
    pub value: i64,
}

#[derive(Debug, Deserialize)]
pub struct CallbackQuery {
    pub id: String,
    pub from: User,
    #[serde(default, deserialize_with = "lenient")]
    pub message: Option<Quoted>,
    #[serde(default, deserialize_with = "lenient")]
    pub data: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub game_short_name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct ChatMemberUpdated {
    pub chat: Chat,
    #[serde(default, deserialize_with = "lenient")]
    pub from: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub date: Option<i64>,
    pub new_chat_member: ChatMember,
}

#[derive(Debug, Deserialize)]
pub struct ChatMember {
    pub status: String,
}

#[derive(Debug, Deserialize)]
pub struct ReactionUpdated {
    pub chat: Chat,
    pub message_id: i64,
    #[serde(default, deserialize_with = "lenient")]
    pub user: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub date: Option<i64>,
    pub new_reaction: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub struct Reaction {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, deserialize_with = "lenient")]
    pub emoji: Option<String>,
}

/// Result of `getFile`.
#[derive(Debug, Deserialize)]
pub struct FilePath {
    pub file_path: String,
    #[serde(default, deserialize_with = "lenient")]
    pub file_size: Option<i64>,
}

/// Result of a send.
#[derive(Debug, Deserialize)]
pub struct Sent {
    pub message_id: i64,
    #[serde(default, deserialize_with = "lenient")]
    pub chat: Option<Chat>,
}

/// The envelope of every answer.
#[derive(Debug, Deserialize)]
pub struct Envelope {
    pub ok: bool,
    #[serde(default)]
    pub result: Option<Value>,
    #[serde(default, deserialize_with = "lenient")]
    pub error_code: Option<u16>,
    #[serde(default, deserialize_with = "lenient")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub parameters: Option<Parameters>,
}

#[derive(Debug, Deserialize)]
pub struct Parameters {
    #[serde(default, deserialize_with = "lenient")]
    pub retry_after: Option<u64>,
}
