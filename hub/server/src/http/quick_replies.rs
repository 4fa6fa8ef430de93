//! Quick replies: saved answers that any member writes and inserts.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use hub_domain::{CompanyId, QuickReply, QuickReplyFile, QuickReplyId, Scope, StreamPosition};
use serde::{Deserialize, Serialize};

use super::files::{describe, forget_file, store_body};
use super::members::{CompanyPath, position_of};
use super::refusals::{OfChanges, OfMembers};
use crate::actions::change_quick_reply::{
    NewFile, QuickReplyChange, Wording, add_quick_reply, change_quick_reply,
};
use crate::actions::upload_attachment::clean_name;
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::{ApiError, Code, ErrorBody};
use crate::extract::{JsonBody, PathParams, QueryParams};
use crate::files::FilesError;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct QuickReplyPath {
    pub company_id: CompanyId,
    pub quick_reply_id: QuickReplyId,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct QuickReplies {
    pub items: Vec<QuickReply>,
    pub position: StreamPosition,
}

/// The quick replies of the company.
#[utoipa::path(get, path = "/companies/{company_id}/quick-replies",
    operation_id = "list_quick_replies", tag = "quick_replies", params(CompanyPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = QuickReplies, description = "All of them"), OfMembers))]
pub async fn list_quick_replies(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
) -> Result<Json<QuickReplies>, ApiError> {
    let position = position_of(&app, scope.company_id).await?;
    let items = app.store.reader().await?.db().quick_replies(scope.company_id, false).await?;
    Ok(Json(QuickReplies { items, position }))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct QuickReplyBody {
    /// Seen by members only.
    #[schema(example = "Оплата частями", max_length = 120)]
    pub name: String,
    /// `@name@` stands for the client's name, or the phone when no name is known.
    #[schema(max_length = 4096)]
    pub text: String,
}

impl From<QuickReplyBody> for Wording {
    fn from(body: QuickReplyBody) -> Self {
        Self { name: body.name, text: body.text }
    }
}

/// Adds a quick reply. A file is given to it afterwards.
#[utoipa::path(post, path = "/companies/{company_id}/quick-replies",
    operation_id = "add_quick_reply", tag = "quick_replies", params(CompanyPath),
    request_body = QuickReplyBody, security(("session" = []), ("private_token" = [])),
    responses(
        (status = 201, body = QuickReply, description = "Stored"),
        (status = 409, body = ErrorBody, description = "`too_many_quick_replies`"),
        OfChanges,
    ))]
pub async fn add(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    JsonBody(body): JsonBody<QuickReplyBody>,
) -> Result<(StatusCode, Json<QuickReply>), ApiError> {
    let added = add_quick_reply(&app.store, &scope, body.into()).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Replaces name and text.
#[utoipa::path(put, path = "/companies/{company_id}/quick-replies/{quick_reply_id}",
    operation_id = "change_quick_reply", tag = "quick_replies", params(QuickReplyPath),
    request_body = QuickReplyBody, security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = QuickReply, description = "As it is now"), OfChanges))]
pub async fn change(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<QuickReplyPath>,
    JsonBody(body): JsonBody<QuickReplyBody>,
) -> Result<Json<QuickReply>, ApiError> {
    apply(&app, &scope, path.quick_reply_id, QuickReplyChange::Word(body.into())).await
}

/// Deletes a quick reply and its file. Messages made from it stay.
#[utoipa::path(delete, path = "/companies/{company_id}/quick-replies/{quick_reply_id}",
    operation_id = "delete_quick_reply", tag = "quick_replies", params(QuickReplyPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = QuickReply, description = "With the time of its end"), OfChanges))]
pub async fn delete(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<QuickReplyPath>,
) -> Result<Json<QuickReply>, ApiError> {
    apply(&app, &scope, path.quick_reply_id, QuickReplyChange::Delete).await
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// The name the client will see.
    pub name: String,
}

/// Gives a quick reply its file; the body is the file itself.
#[utoipa::path(put, path = "/companies/{company_id}/quick-replies/{quick_reply_id}/file",
    operation_id = "put_quick_reply_file", tag = "quick_replies", params(QuickReplyPath, FileQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = QuickReply, description = "As it is now"),
        (status = 413, body = ErrorBody, description = "`file_too_big`"),
        OfChanges,
    ))]
pub async fn put_file(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<QuickReplyPath>,
    QueryParams(query): QueryParams<FileQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<QuickReply>, ApiError> {
    app.limits.file_uploaded(scope.user_id.0)?;
    // Nothing is read for what is not there.
    record(&app, &scope, path.quick_reply_id).await?;
    let limit = app.config.files.max_upload_bytes;
    let stored = store_body(&app, scope.company_id, &headers, body, limit).await?;
    let given = if stored.size_bytes == 0 {
        Err(ApiError::new(Code::FileEmpty).field("file"))
    } else {
        let mime_type = stored.mime_type.clone();
        let file = QuickReplyFile {
            name: clean_name(&query.name),
            mime_type: mime_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            size_bytes: stored.size_bytes,
        };
        let new = NewFile { key: stored.key.clone(), file };
        apply(&app, &scope, path.quick_reply_id, QuickReplyChange::File(Some(new))).await
    };
    if given.is_err() {
        forget_file(&app, &stored.key).await;
    }
    given
}

/// Takes the file from a quick reply.
#[utoipa::path(delete, path = "/companies/{company_id}/quick-replies/{quick_reply_id}/file",
    operation_id = "delete_quick_reply_file", tag = "quick_replies", params(QuickReplyPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = QuickReply, description = "As it is now"), OfChanges))]
pub async fn delete_file(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<QuickReplyPath>,
) -> Result<Json<QuickReply>, ApiError> {
    apply(&app, &scope, path.quick_reply_id, QuickReplyChange::File(None)).await
}

/// The file of a quick reply.
#[utoipa::path(get, path = "/companies/{company_id}/quick-replies/{quick_reply_id}/file",
    operation_id = "get_quick_reply_file", tag = "quick_replies", params(QuickReplyPath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream"),
        OfMembers,
    ))]
pub async fn get_file(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<QuickReplyPath>,
) -> Result<Response, ApiError> {
    let record = record(&app, &scope, path.quick_reply_id).await?;
    let (Some(file), Some(key)) = (record.quick_reply.file, record.file_key) else {
        return Err(Code::NotFound.into());
    };
    let (total, bytes) = app.files.get(&key, None).await.map_err(|error| match error {
        FilesError::Missing => Code::NotFound.into(),
        error => ApiError::internal(error),
    })?;
    let mut response = Response::new(Body::from_stream(bytes));
    describe(response.headers_mut(), Some(&file.mime_type), Some(&file.name), total);
    // The file behind this address may be replaced.
    response.headers_mut().remove(header::CACHE_CONTROL);
    Ok(response)
}

async fn record(
    app: &App,
    scope: &Scope,
    id: QuickReplyId,
) -> Result<hub_store::records::QuickReplyRecord, ApiError> {
    let record = app.store.reader().await?.db().quick_reply(scope.company_id, id).await?;
    record.filter(|record| record.quick_reply.deleted_at.is_none()).ok_or_else(ApiError::not_found)
}

async fn apply(
    app: &App,
    scope: &Scope,
    id: QuickReplyId,
    change: QuickReplyChange,
) -> Result<Json<QuickReply>, ApiError> {
    let changed = change_quick_reply(&app.store, scope, id, change).await?;
    if let Some(key) = &changed.dropped_file {
        forget_file(app, key).await;
    }
    Ok(Json(changed.quick_reply))
}
