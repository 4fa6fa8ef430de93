//! Clients: their cards, and the search for them.

use axum::Json;
use axum::extract::State;
use hub_domain::content::without_nul;
use hub_domain::conversation::ReadMarker;
use hub_domain::{CompanyId, ContactId, Conversation, StreamPosition, terms};
use hub_store::records::{ContactHit, ContactHits, ContactSearch};
use serde::{Deserialize, Serialize};

use super::conversations::bad_cursor;
use super::members::{CompanyPath, position_of};
use super::refusals::{OfChanges, OfMembers};
use crate::actions::change_contact::{CommentChange, ContactChange, change_contact};
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::{ApiError, Code};
use crate::extract::{JsonBody, PathParams, QueryParams};

/// Most clients with one phone whose conversations are shown together.
const SAME_PHONE_LIMIT: i64 = 20;

/// Clients of a page unless asked for otherwise, and at most.
const PAGE: i64 = 20;
const PAGE_LIMIT: i64 = 50;
/// Longest search, in characters.
const QUERY_LIMIT: usize = 200;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ContactPath {
    pub company_id: CompanyId,
    pub contact_id: ContactId,
}

/// What is to be changed; what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ContactPatch {
    /// At most 120 characters. Empty: as the messenger calls the client.
    #[schema(example = "Катя Орлова")]
    pub name: Option<String>,
    /// In any spelling. Empty: as the messenger tells.
    #[schema(example = "+7 926 123-45-67")]
    pub phone: Option<String>,
    /// At most 2,000 characters. Goes with `comment_before`.
    pub comment: Option<String>,
    /// What the comment said when the new one was begun. When it says something else by now, the answer
    /// is `comment_conflict` with the present one in `params`.
    pub comment_before: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ContactConversations {
    /// Latest activity first.
    pub items: Vec<Conversation>,
    pub position: StreamPosition,
}

/// Writes on a client's card. Every conversation of the client changes.
#[utoipa::path(patch, path = "/companies/{company_id}/contacts/{contact_id}",
    operation_id = "change_contact", tag = "contacts", params(ContactPath),
    request_body = ContactPatch, security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = ContactConversations, description = "Those you see, as they are now"),
        (status = 409, body = crate::error::ErrorBody, description = "`comment_conflict`"),
        OfChanges,
    ))]
pub async fn change(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ContactPath>,
    JsonBody(body): JsonBody<ContactPatch>,
) -> Result<Json<ContactConversations>, ApiError> {
    let comment = match (body.comment, body.comment_before) {
        (Some(after), Some(before)) => Some(CommentChange { before, after }),
        (None, _) => None,
        (Some(_), None) => {
            return Err(ApiError::invalid_field("comment_before", "Say what the comment said."));
        }
    };
    let change = ContactChange { name: body.name, phone: body.phone, comment };
    let position = position_of(&app, scope.company_id).await?;
    let items = change_contact(&app.store, &scope, path.contact_id, change).await?;
    Ok(Json(ContactConversations { items, position }))
}

/// The conversations with a client on every channel, and with clients of the same phone.
#[utoipa::path(get, path = "/companies/{company_id}/contacts/{contact_id}/conversations",
    operation_id = "list_contact_conversations", tag = "contacts", params(ContactPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = ContactConversations, description = "Those you see"), OfMembers))]
pub async fn list_conversations(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ContactPath>,
) -> Result<Json<ContactConversations>, ApiError> {
    let position = position_of(&app, scope.company_id).await?;
    let mut reader = app.store.reader().await?;
    let db = &mut reader.db();
    let own = db.conversations_of_contacts(&scope, &[path.contact_id.0]).await?;
    let Some(first) = own.first() else { return Err(Code::NotFound.into()) };
    let Some(phone) = &first.contact.phone else {
        return Ok(Json(ContactConversations { items: own, position }));
    };
    let mut ids = db.contacts_with_phone(scope.company_id, phone, SAME_PHONE_LIMIT).await?;
    if !ids.contains(&path.contact_id.0) {
        ids.push(path.contact_id.0);
    }
    let items = db.conversations_of_contacts(&scope, &ids).await?;
    Ok(Json(ContactConversations { items, position }))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContactQuery {
    /// Beginnings of words of the name, the nickname or the comment, or a phone in any spelling, in part
    /// or whole. All of them must be found. At most 200 characters.
    query: String,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
    /// 1 to 50, 20 unless given.
    limit: Option<i64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FoundContacts {
    /// The latest conversation of each client that was found, among those you see.
    pub items: Vec<Conversation>,
    /// Yours, of these conversations.
    pub read_markers: Vec<ReadMarker>,
    /// `null` on the last page.
    pub next_cursor: Option<String>,
    pub position: StreamPosition,
}

/// `lead.contact.term`: which word led, and the two that hits are ordered by.
fn cursor_of(lead: usize, hit: &ContactHit) -> String {
    format!("{lead}.{}.{}", hit.contact_id, hit.term)
}

fn parse_cursor(text: &str) -> Result<(usize, ContactHit), ApiError> {
    let mut parts = text.splitn(3, '.');
    let mut read = || {
        let (lead, contact_id) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some((lead, ContactHit { contact_id, term: without_nul(parts.next()?.to_owned()) }))
    };
    read().ok_or_else(|| bad_cursor("cursor"))
}

/// Finds clients by name, nickname, phone or comment.
#[utoipa::path(get, path = "/companies/{company_id}/contacts", operation_id = "search_contacts",
    tag = "contacts", params(CompanyPath, ContactQuery),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = FoundContacts, description = "A page"), OfMembers))]
pub async fn search(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    QueryParams(query): QueryParams<ContactQuery>,
) -> Result<Json<FoundContacts>, ApiError> {
    let bad = |field, detail| {
        ApiError::invalid_field(field, detail).status(http::StatusCode::BAD_REQUEST)
    };
    let size = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE_LIMIT).contains(&size) {
        return Err(bad("limit", "limit is 1 to 50."));
    }
    if query.query.chars().count() > QUERY_LIMIT {
        return Err(bad("query", "query has at most 200 characters."));
    }
    let after = query.cursor.as_deref().map(parse_cursor).transpose()?;
    let search = ContactSearch { terms: terms::asked(&query.query), after, limit: size + 1 };
    let position = position_of(&app, scope.company_id).await?;
    let mut reader = app.store.reader().await?;
    let db = &mut reader.db();
    let ContactHits { lead, mut hits } = db.search_contacts(&scope, &search).await?;
    let more = hits.len() as i64 > size;
    hits.truncate(size as usize);
    let ids: Vec<i64> = hits.iter().map(|hit| hit.contact_id).collect();
    let mut latest = std::collections::HashMap::new();
    for conversation in db.conversations_of_contacts(&scope, &ids).await? {
        latest.entry(conversation.contact.id.0).or_insert(conversation);
    }
    let items: Vec<Conversation> = ids.iter().filter_map(|id| latest.remove(id)).collect();
    let ids: Vec<i64> = items.iter().map(|conversation| conversation.id.0).collect();
    let read_markers = db.read_markers(scope.member_id, &ids).await?;
    let next_cursor = if more { hits.last().map(|hit| cursor_of(lead, hit)) } else { None };
    Ok(Json(FoundContacts { items, read_markers, next_cursor, position }))
}
