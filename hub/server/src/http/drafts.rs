//! What the asking member has begun to write; nobody else's.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use hub_domain::{Draft, MessageId};
use serde::{Deserialize, Serialize};

use super::conversations::ConversationPath;
use super::members::CompanyPath;
use super::refusals::{OfChanges, OfMembers};
use crate::actions::save_draft::{SaveDraft, save_draft};
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::ApiError;
use crate::extract::{JsonBody, PathParams};

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Drafts {
    pub items: Vec<Draft>,
}

/// Your drafts, written on any device.
#[utoipa::path(get, path = "/companies/{company_id}/drafts", operation_id = "list_drafts",
    tag = "conversations", params(CompanyPath), security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Drafts, description = "All of them"), OfMembers))]
pub async fn list_drafts(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
) -> Result<Json<Drafts>, ApiError> {
    let items = app.store.reader().await?.db().drafts(scope.member_id).await?;
    Ok(Json(Drafts { items }))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct DraftBody {
    /// The answer to the client.
    #[serde(default)]
    pub text: String,
    /// The internal comment.
    #[serde(default)]
    pub note: String,
    pub reply_to_message_id: Option<MessageId>,
}

/// Keeps your draft of a conversation; an empty one is removed.
#[utoipa::path(put, path = "/companies/{company_id}/conversations/{conversation_id}/draft",
    operation_id = "save_draft", tag = "conversations", params(ConversationPath),
    request_body = DraftBody, security(("session" = []), ("private_token" = [])),
    responses((status = 204, description = "Kept"), OfChanges))]
pub async fn put_draft(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ConversationPath>,
    JsonBody(body): JsonBody<DraftBody>,
) -> Result<StatusCode, ApiError> {
    let request = SaveDraft {
        conversation_id: path.conversation_id,
        text: body.text,
        note: body.note,
        reply_to_message_id: body.reply_to_message_id,
    };
    save_draft(&app.store, &scope, request).await?;
    Ok(StatusCode::NO_CONTENT)
}
