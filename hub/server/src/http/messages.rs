//! Messages of a conversation: pages of them, and what is done to one.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use hub_domain::{
    AttachmentId, CompanyId, ConversationId, Message, MessageId, Scope, StreamPosition,
};
use hub_store::Db;
use hub_store::records::MessageKey;
use serde::{Deserialize, Serialize};

use super::conversations::{ConversationPath, bad_cursor, page_size};
use super::members::position_of;
use super::refusals::{OfChanges, OfMembers};
use crate::actions::add_note::{AddNote, add_note};
use crate::actions::change_message::{MessageChange, change_message};
use crate::actions::send_message::{SendMessage, send_message};
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::{ApiError, Code, ErrorBody};
use crate::extract::{JsonBody, PathParams, QueryParams};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MessagePath {
    pub company_id: CompanyId,
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MessageQuery {
    /// `older_cursor` of a former answer: the page before it.
    before: Option<String>,
    /// `newer_cursor` of a former answer: the page after it.
    after: Option<String>,
    /// A page with this message in its middle. Without any of the three: the newest page.
    around: Option<MessageId>,
    /// 1 to 200, 50 unless given.
    limit: Option<i64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Messages {
    /// In the order of the conversation.
    pub items: Vec<Message>,
    /// `null`: nothing is older.
    pub older_cursor: Option<String>,
    /// `null`: nothing is newer.
    pub newer_cursor: Option<String>,
    pub position: StreamPosition,
}

/// A page of the messages of a conversation.
#[utoipa::path(get, path = "/companies/{company_id}/conversations/{conversation_id}/messages",
    operation_id = "list_messages", tag = "conversations",
    params(ConversationPath, MessageQuery), security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Messages, description = "A page"), OfMembers))]
pub async fn list_messages(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ConversationPath>,
    QueryParams(query): QueryParams<MessageQuery>,
) -> Result<Json<Messages>, ApiError> {
    let size = page_size(query.limit)?;
    let place = place_of(&query)?;
    let position = position_of(&app, scope.company_id).await?;
    let mut reader = app.store.reader().await?;
    let id = path.conversation_id;
    reader.db().conversation(&scope, id).await?.ok_or(Code::NotFound)?;
    let page = match place {
        Place::Newest => before(&mut reader.db(), id, MessageKey::END, size, false).await?,
        Place::Before(key) => before(&mut reader.db(), id, key, size, true).await?,
        Place::After(key) => after(&mut reader.db(), id, key, size).await?,
        Place::Around(message) => around(&mut reader.db(), &scope, id, message, size).await?,
    };
    let cursor = |wanted: bool, message: Option<&Message>| {
        message.filter(|_| wanted).map(|message| MessageKey::of(message).to_string())
    };
    Ok(Json(Messages {
        older_cursor: cursor(page.older, page.items.first()),
        newer_cursor: cursor(page.newer, page.items.last()),
        items: page.items,
        position,
    }))
}

enum Place {
    Newest,
    Before(MessageKey),
    After(MessageKey),
    Around(MessageId),
}

fn place_of(query: &MessageQuery) -> Result<Place, ApiError> {
    let key = |text: &str, field| text.parse::<MessageKey>().map_err(|_| bad_cursor(field));
    match (&query.before, &query.after, query.around) {
        (None, None, None) => Ok(Place::Newest),
        (Some(text), None, None) => key(text, "before").map(Place::Before),
        (None, Some(text), None) => key(text, "after").map(Place::After),
        (None, None, Some(id)) => Ok(Place::Around(id)),
        _ => Err(ApiError::new(Code::InvalidRequest)
            .detail("Give one of before, after and around.")
            .status(StatusCode::BAD_REQUEST)),
    }
}

struct Page {
    items: Vec<Message>,
    /// Whether there are messages before the first, and after the last.
    older: bool,
    newer: bool,
}

async fn before(
    db: &mut Db<'_>,
    conversation: ConversationId,
    key: MessageKey,
    size: i64,
    newer: bool,
) -> Result<Page, ApiError> {
    let mut items = db.messages_before(conversation, key, size + 1).await?;
    let surplus = items.len().saturating_sub(size as usize);
    items.drain(..surplus);
    Ok(Page { items, older: surplus > 0, newer })
}

async fn after(
    db: &mut Db<'_>,
    conversation: ConversationId,
    key: MessageKey,
    size: i64,
) -> Result<Page, ApiError> {
    let mut items = db.messages_after(conversation, key, size + 1).await?;
    let newer = items.len() as i64 > size;
    items.truncate(size as usize);
    Ok(Page { items, older: true, newer })
}

async fn around(
    db: &mut Db<'_>,
    scope: &Scope,
    conversation: ConversationId,
    id: MessageId,
    size: i64,
) -> Result<Page, ApiError> {
    let middle = db.message(scope.company_id, id).await?;
    let middle = middle.filter(|message| message.conversation_id == conversation);
    let middle = middle.ok_or(Code::NotFound)?;
    let key = MessageKey::of(&middle);
    let earlier = before(db, conversation, key, size / 2, true).await?;
    let later = after(db, conversation, key, size - size / 2).await?;
    let mut items = earlier.items;
    items.push(middle);
    items.extend(later.items);
    Ok(Page { items, older: earlier.older, newer: later.newer })
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewMessage {
    /// Made by the client for this intention; sending it again returns the first message.
    #[schema(example = "0b0f1c9e-6f6f-4d0a-9a55-1f0c1f6f3a11", max_length = 64)]
    pub client_message_id: String,
    /// The text, or the caption of the file.
    #[schema(example = "Добрый день!")]
    pub text: Option<String>,
    /// At most one, uploaded before.
    #[serde(default)]
    pub attachment_ids: Vec<AttachmentId>,
    pub reply_to_message_id: Option<MessageId>,
}

/// Sends a message to the client. It is queued in the order of asking.
#[utoipa::path(post, path = "/companies/{company_id}/conversations/{conversation_id}/messages",
    operation_id = "send_message", tag = "conversations", params(ConversationPath),
    request_body = NewMessage, security(("session" = []), ("private_token" = [])),
    responses(
        (status = 202, body = Message, description = "Queued"),
        (status = 200, body = Message, description = "This intention was stored before"),
        (status = 409, body = ErrorBody, description = "`client_message_id_conflict`, `channel_disabled`, `channel_deleted`, `conversation_unreachable`"),
        OfChanges,
    ))]
pub async fn send(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ConversationPath>,
    JsonBody(body): JsonBody<NewMessage>,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let attachment_id = match body.attachment_ids.as_slice() {
        [] => None,
        [one] => Some(*one),
        _ => {
            return Err(ApiError::invalid_field("attachment_ids", "A message carries one file."));
        }
    };
    let request = SendMessage {
        conversation_id: path.conversation_id,
        client_message_id: body.client_message_id,
        text: body.text.unwrap_or_default(),
        attachment_id,
        reply_to_message_id: body.reply_to_message_id,
    };
    let (message, created) = send_message(&app.store, &scope, request).await?;
    let status = if created { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(message)))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewNote {
    /// Made by the client for this intention; sending it again returns the first note.
    #[schema(max_length = 64)]
    pub client_message_id: String,
    #[schema(example = "Мама Сони, 5 класс", max_length = 10000)]
    pub text: String,
}

/// Leaves an internal comment. The client never sees it.
#[utoipa::path(post, path = "/companies/{company_id}/conversations/{conversation_id}/notes",
    operation_id = "add_note", tag = "conversations", params(ConversationPath),
    request_body = NewNote, security(("session" = []), ("private_token" = [])),
    responses(
        (status = 201, body = Message, description = "Stored"),
        (status = 200, body = Message, description = "This intention was stored before"),
        (status = 409, body = ErrorBody, description = "`client_message_id_conflict`"),
        OfChanges,
    ))]
pub async fn post_note(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ConversationPath>,
    JsonBody(body): JsonBody<NewNote>,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let request = AddNote {
        conversation_id: path.conversation_id,
        client_message_id: body.client_message_id,
        text: body.text,
    };
    let (note, created) = add_note(&app.store, &scope, request).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(note)))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct EditedText {
    pub text: String,
}

/// Replaces the text of a message of your side.
#[utoipa::path(patch,
    path = "/companies/{company_id}/conversations/{conversation_id}/messages/{message_id}",
    operation_id = "edit_message", tag = "conversations", params(MessagePath),
    request_body = EditedText, security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = Message, description = "As it is now"),
        (status = 409, body = ErrorBody, description = "`not_outgoing`, `status_conflict`, `edit_not_supported`, `channel_deleted`"),
        OfChanges,
    ))]
pub async fn edit(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<MessagePath>,
    JsonBody(body): JsonBody<EditedText>,
) -> Result<Json<Message>, ApiError> {
    apply(&app, &scope, &path, MessageChange::Edit { text: body.text }).await
}

/// Deletes a message of your side, at the client's too where it arrived.
#[utoipa::path(delete,
    path = "/companies/{company_id}/conversations/{conversation_id}/messages/{message_id}",
    operation_id = "delete_message", tag = "conversations", params(MessagePath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = Message, description = "As it is now"),
        (status = 409, body = ErrorBody, description = "`not_outgoing`, `status_conflict`, `delete_not_supported`, `channel_deleted`"),
        OfChanges,
    ))]
pub async fn delete(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<MessagePath>,
) -> Result<Json<Message>, ApiError> {
    apply(&app, &scope, &path, MessageChange::Delete).await
}

/// Sends a failed or unknown message again, as a new attempt. An unknown one may arrive twice.
#[utoipa::path(post,
    path = "/companies/{company_id}/conversations/{conversation_id}/messages/{message_id}/retry",
    operation_id = "retry_message", tag = "conversations", params(MessagePath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = Message, description = "As it is now"),
        (status = 409, body = ErrorBody, description = "`not_outgoing`, `status_conflict`, `channel_deleted`"),
        OfChanges,
    ))]
pub async fn retry(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<MessagePath>,
) -> Result<Json<Message>, ApiError> {
    apply(&app, &scope, &path, MessageChange::SendAgain).await
}

/// Says that a message of unknown outcome did arrive.
#[utoipa::path(post,
    path = "/companies/{company_id}/conversations/{conversation_id}/messages/{message_id}/consider-sent",
    operation_id = "consider_message_sent", tag = "conversations", params(MessagePath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = Message, description = "As it is now"),
        (status = 409, body = ErrorBody, description = "`not_outgoing`, `status_conflict`"),
        OfChanges,
    ))]
pub async fn consider_sent(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<MessagePath>,
) -> Result<Json<Message>, ApiError> {
    apply(&app, &scope, &path, MessageChange::ConsiderSent).await
}

async fn apply(
    app: &App,
    scope: &Scope,
    path: &MessagePath,
    change: MessageChange,
) -> Result<Json<Message>, ApiError> {
    change_message(&app.store, scope, path.conversation_id, path.message_id, change).await.map(Json)
}
