//! A member becomes responsible for a conversation, or nobody is.

use hub_domain::event::{Changes, EventType};
use hub_domain::{Conversation, ConversationId, MemberId, Scope};
use hub_store::Store;
use serde_json::json;

use super::{by_member, system_line, visible_conversation};
use crate::error::ApiError;

pub async fn assign(
    store: &Store,
    scope: &Scope,
    id: ConversationId,
    assignee: Option<MemberId>,
) -> Result<Conversation, ApiError> {
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let mut conversation = visible_conversation(tx, &scope, id).await?;
                if conversation.assignee_id == assignee {
                    return Ok(conversation);
                }
                if let Some(member) = assignee
                    && tx.db().member(scope.company_id, member).await?.is_none()
                {
                    return Err(ApiError::not_found().field("member_id"));
                }
                conversation.assignee_id = assignee;
                let params = json!({ "by": scope.member_id, "to": assignee });
                let line = system_line(tx, &conversation, "conversation_assigned", params).await?;
                let channel_id = Some(conversation.channel_id);
                let changes = Changes {
                    message: Some(line),
                    conversation: Some(conversation.clone()),
                    ..Changes::default()
                };
                let changes = tx
                    .append(EventType::ConversationAssigned, by_member(&scope), channel_id, changes)
                    .await?;
                Ok(changes.conversation.unwrap_or(conversation))
            })
        })
        .await
}
