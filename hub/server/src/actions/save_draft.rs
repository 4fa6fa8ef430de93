//! A member's other devices are to find what was begun. No event tells of it: the log is the company's,
//! and a draft is nobody's business but the member's.

use hub_domain::content::{self, utf16_len};
use hub_domain::draft::DRAFT_LIMIT;
use hub_domain::{ConversationId, Draft, MessageId, Scope};
use hub_store::Store;

use super::visible_conversation;
use crate::error::{ApiError, Code};

/// What the composer holds.
#[derive(Debug, Clone)]
pub struct SaveDraft {
    pub conversation_id: ConversationId,
    pub text: String,
    pub note: String,
    pub reply_to_message_id: Option<MessageId>,
}

/// Keeps the draft; an empty one is removed.
pub async fn save_draft(store: &Store, scope: &Scope, request: SaveDraft) -> Result<(), ApiError> {
    for (field, text) in [("text", &request.text), ("note", &request.note)] {
        if text.len() > DRAFT_LIMIT * 3 || utf16_len(text) > DRAFT_LIMIT {
            return Err(ApiError::from(Code::DraftTooLong)
                .field(field)
                .param("limit", DRAFT_LIMIT));
        }
    }
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let conversation =
                    visible_conversation(tx, &scope, request.conversation_id).await?;
                let SaveDraft { text, note, reply_to_message_id, .. } = request;
                if text.is_empty() && note.is_empty() && reply_to_message_id.is_none() {
                    tx.db().delete_draft(scope.member_id, conversation.id).await?;
                    return Ok(());
                }
                let draft = Draft {
                    conversation_id: conversation.id,
                    text: content::without_nul(text),
                    note: content::without_nul(note),
                    reply_to_message_id,
                    changed_at: tx.now(),
                };
                tx.db().save_draft(scope.member_id, &draft).await?;
                Ok(())
            })
        })
        .await
}
