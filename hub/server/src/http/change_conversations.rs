//! One thing done to many conversations.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use hub_domain::{Conversation, ConversationId};
use serde::{Deserialize, Serialize};

use super::members::CompanyPath;
use super::refusals::OfChanges;
use crate::actions::change_conversations::{AT_ONCE, ConversationChange, change_conversations};
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::{ApiError, ErrorItem};
use crate::extract::JsonBody;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ConversationChanges {
    /// 1 to 200, each once.
    pub conversation_ids: Vec<ConversationId>,
    pub change: ConversationChange,
}

/// What became of one of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChangedConversation {
    pub conversation_id: ConversationId,
    /// As it is now; `null` when the change was refused.
    pub conversation: Option<Conversation>,
    pub refusal: Option<ErrorItem>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChangedConversations {
    /// For each that was asked for, in that order.
    pub items: Vec<ChangedConversation>,
}

/// Archives, reopens, assigns or marks as answered many conversations at once. Each is answered for.
#[utoipa::path(post, path = "/companies/{company_id}/conversations/changes",
    operation_id = "change_conversations", tag = "conversations", params(CompanyPath),
    request_body = ConversationChanges, security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = ChangedConversations, description = "What became of each"), OfChanges))]
pub async fn post_changes(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    JsonBody(body): JsonBody<ConversationChanges>,
) -> Result<Json<ChangedConversations>, ApiError> {
    let ids = body.conversation_ids;
    let distinct: HashSet<ConversationId> = ids.iter().copied().collect();
    if ids.is_empty() || ids.len() > AT_ONCE || distinct.len() < ids.len() {
        return Err(ApiError::invalid_field("conversation_ids", "1 to 200 ids, each once.")
            .param("limit", AT_ONCE));
    }
    let answers = change_conversations(&app.store, &scope, &ids, body.change).await?;
    let items = ids
        .into_iter()
        .zip(answers)
        .map(|(conversation_id, answer)| match answer {
            Ok(conversation) => ChangedConversation {
                conversation_id,
                conversation: Some(conversation),
                refusal: None,
            },
            Err(error) => ChangedConversation {
                conversation_id,
                conversation: None,
                refusal: Some(error.into_item()),
            },
        })
        .collect();
    Ok(Json(ChangedConversations { items }))
}
