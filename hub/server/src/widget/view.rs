//! What a visitor sees of a conversation. Owns the filter between the company's log and strangers: notes,
//! system lines and what was not sent never pass, and of a member nothing but the first name.

use std::collections::HashMap;

use channel_widget::identity::VisitorId;
use hub_domain::content::Content;
use hub_domain::{
    AttachmentId, AttachmentKind, AttachmentState, ConversationId, Direction, Event, MemberId,
    Message, MessageId, MessageStatus, Timestamp,
};
use hub_store::Store;
use serde::Serialize;

use super::OpenWidget;
use crate::app::App;
use crate::error::ApiError;

/// Whose message it is, from where the visitor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    Visitor,
    Operator,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VisitorFile {
    pub id: AttachmentId,
    pub kind: AttachmentKind,
    pub name: String,
    pub mime_type: Option<String>,
    pub size_bytes: Option<i64>,
    /// Path under this server; opens for this visitor only.
    pub url: String,
}

/// A message as its visitor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VisitorMessage {
    pub id: MessageId,
    pub version: i64,
    pub from: Author,
    /// First name of the member who wrote.
    pub author: Option<String>,
    /// Of the visitor's own messages: under which the visitor sent it.
    pub client_message_id: Option<String>,
    pub text: String,
    pub files: Vec<VisitorFile>,
    /// The words answered.
    pub reply_to: Option<String>,
    /// Of members' messages: `sent`, `delivered` or `read`.
    pub status: Option<MessageStatus>,
    pub position: i64,
    pub ordinal: i64,
    pub sent_at: Timestamp,
    pub edited: bool,
    pub deleted: bool,
}

/// What travels to a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    Message {
        message: Box<VisitorMessage>,
    },
    /// Members have seen the conversation up to this position.
    Seen {
        position: i64,
    },
}

/// Which conversation an event is about, when it is one that may concern its visitor.
pub fn conversation_of(event: &Event) -> Option<ConversationId> {
    let of_message = event.changes.message.as_ref().map(|message| message.conversation_id);
    of_message.or(event.changes.read_marker.map(|marker| marker.conversation_id))
}

fn passes(message: &Message) -> bool {
    match message.direction {
        Direction::Incoming => true,
        Direction::Outgoing => matches!(
            message.status,
            Some(MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Read)
        ),
        Direction::System | Direction::Note => false,
    }
}

/// The eyes of one visitor. Keeps the names it has looked up.
#[derive(Debug)]
pub struct View {
    store: Store,
    widget: OpenWidget,
    visitor: VisitorId,
    key: [u8; 32],
    names: HashMap<MemberId, Option<String>>,
}

impl View {
    pub fn new(app: &App, widget: OpenWidget, visitor: VisitorId) -> Self {
        let (store, key) = (app.store.clone(), app.keys.widget);
        Self { store, widget, visitor, key, names: HashMap::new() }
    }

    /// What an event about the visitor's conversation shows.
    pub async fn item(&mut self, event: &Event) -> Result<Option<Item>, ApiError> {
        if let Some(message) = &event.changes.message {
            let mut shown = self.messages(std::slice::from_ref(message)).await?;
            return Ok(shown.pop().map(|message| Item::Message { message: Box::new(message) }));
        }
        Ok(event.changes.read_marker.map(|marker| Item::Seen { position: marker.position }))
    }

    /// First name of a member.
    pub async fn name_of(&mut self, member: MemberId) -> Result<Option<String>, ApiError> {
        if !self.names.contains_key(&member) {
            let company = self.widget.channel.company_id;
            let found = self.store.reader().await?.db().member(company, member).await?;
            self.names.insert(member, found.and_then(|member| first_name(&member.name)));
        }
        Ok(self.names.get(&member).cloned().flatten())
    }

    pub async fn messages(
        &mut self,
        messages: &[Message],
    ) -> Result<Vec<VisitorMessage>, ApiError> {
        for member in messages.iter().filter_map(|message| message.author_member_id) {
            self.name_of(member).await?;
        }
        let own: Vec<i64> = messages
            .iter()
            .filter(|message| message.direction == Direction::Incoming)
            .map(|message| message.id.0)
            .collect();
        let mut external = HashMap::new();
        if !own.is_empty() {
            external.extend(self.store.reader().await?.db().external_ids(&own).await?);
        }
        let shown = messages.iter().filter(|message| passes(message));
        Ok(shown.map(|message| self.message(message, external.get(&message.id.0))).collect())
    }

    fn message(&self, message: &Message, external: Option<&Option<String>>) -> VisitorMessage {
        let deleted = message.deleted_at.is_some();
        let incoming = message.direction == Direction::Incoming;
        let text = match &message.content {
            _ if deleted => String::new(),
            Content::Text { text, .. } => text.clone(),
            other => other.words().to_owned(),
        };
        let files = message
            .attachments
            .iter()
            .filter(|file| !deleted && file.state == AttachmentState::Ready);
        let prefix = format!("{}:", self.visitor.as_str());
        VisitorMessage {
            id: message.id,
            version: message.version,
            from: if incoming { Author::Visitor } else { Author::Operator },
            author: message.author_member_id.and_then(|id| self.names.get(&id).cloned().flatten()),
            client_message_id: external
                .and_then(Option::as_deref)
                .and_then(|id| id.strip_prefix(&prefix))
                .map(ToOwned::to_owned),
            text,
            files: files.map(|file| self.file(file)).collect(),
            reply_to: message
                .reply_to
                .as_ref()
                .map(|reply| reply.text.clone())
                .filter(|text| !deleted && !text.is_empty()),
            status: message.status.filter(|_| !incoming),
            position: message.position,
            ordinal: message.ordinal,
            sent_at: message.sent_at,
            edited: message.edited_at.is_some(),
            deleted,
        }
    }

    pub fn file(&self, file: &hub_domain::Attachment) -> VisitorFile {
        let pass = self.visitor.file_pass(&self.key, file.id);
        VisitorFile {
            id: file.id,
            kind: file.kind,
            name: file.file_name.clone().unwrap_or_else(|| "file".to_owned()),
            mime_type: file.mime_type.clone(),
            size_bytes: file.size_bytes,
            url: format!("/widget/v1/{}/files/{}/{pass}", self.widget.channel.external_id, file.id),
        }
    }
}

/// Of a member's name, what a stranger is told.
fn first_name(name: &str) -> Option<String> {
    name.split_whitespace().next().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_told_a_first_name_only() {
        assert_eq!(first_name(" Анна Королёва "), Some("Анна".to_owned()));
        assert_eq!(first_name(""), None);
    }
}
