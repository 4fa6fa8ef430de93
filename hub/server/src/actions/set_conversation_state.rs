//! A member archives a conversation, or takes it back.

use hub_domain::event::{Changes, EventType};
use hub_domain::{Conversation, ConversationId, ConversationState, Scope};
use hub_store::Store;
use serde_json::json;

use super::{by_member, system_line, visible_conversation};
use crate::error::ApiError;

pub async fn set_conversation_state(
    store: &Store,
    scope: &Scope,
    id: ConversationId,
    state: ConversationState,
) -> Result<Conversation, ApiError> {
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let mut conversation = visible_conversation(tx, &scope, id).await?;
                if conversation.state == state {
                    return Ok(conversation);
                }
                let (event_type, code) = match state {
                    ConversationState::Archived => {
                        (EventType::ConversationArchived, "conversation_archived")
                    }
                    ConversationState::Open => {
                        (EventType::ConversationReopened, "conversation_reopened")
                    }
                };
                conversation.state = state;
                let params = json!({ "by": scope.member_id });
                let line = system_line(tx, &conversation, code, params).await?;
                let channel_id = Some(conversation.channel_id);
                let changes = Changes {
                    message: Some(line),
                    conversation: Some(conversation.clone()),
                    ..Changes::default()
                };
                let changes = tx.append(event_type, by_member(&scope), channel_id, changes).await?;
                Ok(changes.conversation.unwrap_or(conversation))
            })
        })
        .await
}
