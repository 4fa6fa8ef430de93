//! A conversation and what is done to it.

use axum::Json;
use axum::extract::State;
use hub_domain::conversation::ReadMarker;
use hub_domain::{
    CompanyId, Conversation, ConversationId, ConversationState, MemberId, StreamPosition,
};
use serde::{Deserialize, Deserializer, Serialize};

use super::members::position_of;
use super::refusals::{OfChanges, OfMembers};
use crate::actions::assign::assign;
use crate::actions::mark_answered::mark_answered;
use crate::actions::move_read_marker::move_read_marker;
use crate::actions::set_conversation_state::set_conversation_state;
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::{ApiError, Code};
use crate::extract::{JsonBody, PathParams};

/// Entries of a page unless asked for otherwise, and at most.
pub const PAGE: i64 = 50;
pub const PAGE_LIMIT: i64 = 200;

/// The number of entries to answer with.
pub fn page_size(asked: Option<i64>) -> Result<i64, ApiError> {
    match asked.unwrap_or(PAGE) {
        size @ 1..=PAGE_LIMIT => Ok(size),
        _ => Err(ApiError::invalid_field("limit", "limit is 1 to 200.")
            .status(http::StatusCode::BAD_REQUEST)),
    }
}

/// A cursor that is none of ours.
pub fn bad_cursor(field: &'static str) -> ApiError {
    ApiError::invalid_field(field, "This is not a cursor of a former answer.")
        .status(http::StatusCode::BAD_REQUEST)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ConversationPath {
    pub company_id: CompanyId,
    pub conversation_id: ConversationId,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OneConversation {
    pub conversation: Conversation,
    /// Yours; `null` before you have looked.
    pub read_marker: Option<ReadMarker>,
    pub position: StreamPosition,
}

/// A conversation.
#[utoipa::path(get, path = "/companies/{company_id}/conversations/{conversation_id}",
    operation_id = "get_conversation", tag = "conversations", params(ConversationPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = OneConversation, description = "It"), OfMembers))]
pub async fn get_conversation(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ConversationPath>,
) -> Result<Json<OneConversation>, ApiError> {
    let position = position_of(&app, scope.company_id).await?;
    let mut reader = app.store.reader().await?;
    let conversation = reader.db().conversation(&scope, path.conversation_id).await?;
    let conversation = conversation.ok_or(Code::NotFound)?;
    let read_marker = reader.db().read_marker(scope.member_id, conversation.id).await?;
    Ok(Json(OneConversation { conversation, read_marker, position }))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Assignment {
    /// `null`: nobody.
    #[serde(deserialize_with = "given")]
    #[schema(required = true)]
    pub member_id: Option<MemberId>,
}

/// A field that may be `null` and may not be missing: forgetting it must not mean "nobody".
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MemberId>, D::Error> {
    Option::deserialize(deserializer)
}

/// Says who answers.
#[utoipa::path(put, path = "/companies/{company_id}/conversations/{conversation_id}/assignee",
    operation_id = "assign_conversation", tag = "conversations", params(ConversationPath),
    request_body = Assignment, security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Conversation, description = "As it is now"), OfChanges))]
pub async fn put_assignee(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ConversationPath>,
    JsonBody(body): JsonBody<Assignment>,
) -> Result<Json<Conversation>, ApiError> {
    assign(&app.store, &scope, path.conversation_id, body.member_id).await.map(Json)
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewState {
    pub state: ConversationState,
}

/// Archives a conversation, or opens it again.
#[utoipa::path(put, path = "/companies/{company_id}/conversations/{conversation_id}/state",
    operation_id = "set_conversation_state", tag = "conversations", params(ConversationPath),
    request_body = NewState, security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Conversation, description = "As it is now"), OfChanges))]
pub async fn put_state(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ConversationPath>,
    JsonBody(body): JsonBody<NewState>,
) -> Result<Json<Conversation>, ApiError> {
    set_conversation_state(&app.store, &scope, path.conversation_id, body.state).await.map(Json)
}

/// Says that the client needs no answer.
#[utoipa::path(post, path = "/companies/{company_id}/conversations/{conversation_id}/answered",
    operation_id = "mark_answered", tag = "conversations", params(ConversationPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Conversation, description = "As it is now"), OfChanges))]
pub async fn post_answered(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ConversationPath>,
) -> Result<Json<Conversation>, ApiError> {
    mark_answered(&app.store, &scope, path.conversation_id).await.map(Json)
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Seen {
    /// `position` of the last message seen.
    pub position: i64,
}

/// Says up to where you have seen the conversation. Never goes back.
#[utoipa::path(put, path = "/companies/{company_id}/conversations/{conversation_id}/read-marker",
    operation_id = "move_read_marker", tag = "conversations", params(ConversationPath),
    request_body = Seen, security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = ReadMarker, description = "As it is now"), OfChanges))]
pub async fn put_read_marker(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ConversationPath>,
    JsonBody(body): JsonBody<Seen>,
) -> Result<Json<ReadMarker>, ApiError> {
    move_read_marker(&app.store, &scope, path.conversation_id, body.position).await.map(Json)
}
