//! A member takes a conversation out of the unanswered ones without writing.

use hub_domain::event::{Changes, EventType};
use hub_domain::{Conversation, ConversationId, Scope};
use hub_store::Store;

use super::{by_member, visible_conversation};
use crate::error::ApiError;

pub async fn mark_answered(
    store: &Store,
    scope: &Scope,
    id: ConversationId,
) -> Result<Conversation, ApiError> {
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let mut conversation = visible_conversation(tx, &scope, id).await?;
                if conversation.unanswered_count == 0 {
                    return Ok(conversation);
                }
                conversation.unanswered_count = 0;
                conversation.waiting_since = None;
                let channel_id = Some(conversation.channel_id);
                let changes =
                    Changes { conversation: Some(conversation.clone()), ..Changes::default() };
                let changes = tx
                    .append(EventType::ConversationAnswered, by_member(&scope), channel_id, changes)
                    .await?;
                Ok(changes.conversation.unwrap_or(conversation))
            })
        })
        .await
}
