//! A member leaves an internal comment in a conversation.
//!
//! A note goes nowhere: no delivery is written for it, the chat list does not move, the client still
//! waits. Colleagues learn of it from the log, as of everything.

use hub_domain::content::{self, Content};
use hub_domain::event::{Changes, EventType};
use hub_domain::message::NOTE_LIMIT;
use hub_domain::{ConversationId, Direction, Message, Scope};
use hub_store::records::NewMessage;
use hub_store::{Store, Tx};
use sha2::{Digest, Sha256};

use super::send_message::{check_client_id, check_text, earlier_call};
use super::{by_member, stored_message, visible_conversation};
use crate::error::{ApiError, Code};

/// What a member wants noted.
#[derive(Debug, Clone)]
pub struct AddNote {
    pub conversation_id: ConversationId,
    /// The same for every try of one intention.
    pub client_message_id: String,
    pub text: String,
}

impl AddNote {
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"note");
        hash.update(self.conversation_id.0.to_be_bytes());
        hash.update(self.text.as_bytes());
        hex::encode(&hash.finalize()[..16])
    }
}

/// The note, and whether this call made it (`false`: an earlier call of the same intention did).
pub async fn add_note(
    store: &Store,
    scope: &Scope,
    mut request: AddNote,
) -> Result<(Message, bool), ApiError> {
    check_client_id(&request.client_message_id)?;
    request.text = content::without_nul(request.text);
    if request.text.trim().is_empty() {
        return Err(ApiError::from(Code::NoteEmpty).field("text"));
    }
    check_text(&request.text, NOTE_LIMIT, Code::NoteTooLong)?;
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| Box::pin(async move { add(tx, &scope, request).await }))
        .await
}

async fn add(tx: &mut Tx, scope: &Scope, request: AddNote) -> Result<(Message, bool), ApiError> {
    let conversation = visible_conversation(tx, scope, request.conversation_id).await?;
    let fingerprint = request.fingerprint();
    let earlier = earlier_call(tx, scope, &request.client_message_id, &fingerprint).await?;
    if let Some(message) = earlier {
        return Ok((message, false));
    }
    let position = tx.next_offset()?;
    let now = tx.now();
    let id = tx
        .db()
        .insert_message(&NewMessage {
            company_id: scope.company_id,
            channel_id: conversation.channel_id,
            conversation_id: conversation.id,
            direction: Direction::Note,
            author_member_id: Some(scope.member_id),
            client_message_id: Some(request.client_message_id),
            intention_hash: Some(fingerprint),
            content: Content::text(request.text),
            reply_to: None,
            status: None,
            position,
            sent_at: now,
            version: position,
        })
        .await?;
    let note = stored_message(tx, &conversation, id).await?;
    let channel_id = Some(conversation.channel_id);
    let changes = Changes { message: Some(note), ..Changes::default() };
    let changes =
        tx.append(EventType::MessageCreated, by_member(scope), channel_id, changes).await?;
    changes
        .message
        .map(|message| (message, true))
        .ok_or_else(|| ApiError::internal(anyhow::anyhow!("an appended note has gone")))
}
