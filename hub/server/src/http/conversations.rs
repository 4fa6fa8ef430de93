//! The chat list and what is done to a conversation.

use axum::Json;
use axum::extract::State;
use hub_domain::conversation::ReadMarker;
use hub_domain::{
    ChannelId, CompanyId, Conversation, ConversationId, ConversationState, MemberId, StreamPosition,
};
use hub_store::records::{ConversationFilter, ConversationPage};
use serde::{Deserialize, Deserializer, Serialize};

use super::members::{CompanyPath, position_of};
use super::refusals::{OfChanges, OfMembers};
use crate::actions::assign::assign;
use crate::actions::mark_answered::mark_answered;
use crate::actions::move_read_marker::move_read_marker;
use crate::actions::set_conversation_state::set_conversation_state;
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::{ApiError, Code};
use crate::extract::{JsonBody, PathParams, QueryParams};

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

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConversationQuery {
    /// `open` (unless given), `all`, `mine`, `unassigned`, `unanswered` or `archived`.
    filter: Option<String>,
    /// Only of this channel.
    channel_id: Option<ChannelId>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
    /// 1 to 200, 50 unless given.
    limit: Option<i64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Conversations {
    /// Latest activity first.
    pub items: Vec<Conversation>,
    /// Yours, of these conversations.
    pub read_markers: Vec<ReadMarker>,
    /// `null` on the last page.
    pub next_cursor: Option<String>,
    pub position: StreamPosition,
}

/// A page of the chat list.
#[utoipa::path(get, path = "/companies/{company_id}/conversations",
    operation_id = "list_conversations", tag = "conversations",
    params(CompanyPath, ConversationQuery), security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Conversations, description = "A page"), OfMembers))]
pub async fn list_conversations(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    QueryParams(query): QueryParams<ConversationQuery>,
) -> Result<Json<Conversations>, ApiError> {
    let filter = match query.filter.as_deref() {
        None => ConversationFilter::default(),
        Some(name) => ConversationFilter::parse(name).ok_or_else(|| {
            ApiError::invalid_field("filter", "There is no such filter.")
                .status(http::StatusCode::BAD_REQUEST)
        })?,
    };
    let before_activity = match query.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(cursor.parse().map_err(|_| bad_cursor("cursor"))?),
    };
    let size = page_size(query.limit)?;
    let page =
        ConversationPage { filter, channel_id: query.channel_id, before_activity, limit: size + 1 };
    let position = position_of(&app, scope.company_id).await?;
    let mut reader = app.store.reader().await?;
    let mut items = reader.db().conversations(&scope, &page).await?;
    let more = items.len() as i64 > size;
    items.truncate(size as usize);
    let ids: Vec<i64> = items.iter().map(|conversation| conversation.id.0).collect();
    let read_markers = reader.db().read_markers(scope.member_id, &ids).await?;
    let next_cursor = if more { items.last().map(|last| last.activity.to_string()) } else { None };
    Ok(Json(Conversations { items, read_markers, next_cursor, position }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Counts {
    pub open: i64,
    pub mine: i64,
    pub unassigned: i64,
    pub archived: i64,
    pub unanswered: i64,
    pub position: StreamPosition,
}

/// How many conversations each filter shows.
#[utoipa::path(get, path = "/companies/{company_id}/conversations/counts",
    operation_id = "count_conversations", tag = "conversations", params(CompanyPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Counts, description = "Counts"), OfMembers))]
pub async fn count_conversations(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
) -> Result<Json<Counts>, ApiError> {
    let position = position_of(&app, scope.company_id).await?;
    let counts = app.store.reader().await?.db().conversation_counts(&scope).await?;
    Ok(Json(Counts {
        open: counts.open,
        mine: counts.mine,
        unassigned: counts.unassigned,
        archived: counts.archived,
        unanswered: counts.unanswered,
        position,
    }))
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
