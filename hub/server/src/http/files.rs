//! Files of messages: uploading, and reading them back.

use std::ops::Range;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hub_domain::{
    Attachment, AttachmentId, AttachmentKind, AttachmentState, ChannelId, CompanyId, Scope,
};
use hub_store::records::AttachmentRecord;
use serde::Deserialize;

use super::members::CompanyPath;
use super::refusals::{OfChanges, OfMembers};
use crate::actions::fetch_attachment::fetch_attachment;
use crate::actions::upload_attachment::{Upload, upload_attachment};
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::{ApiError, Code, ErrorBody};
use crate::extract::{PathParams, body_pieces};
use crate::files::{FilesError, StoredFile};

/// Longest text field beside the file.
const TEXT_LIMIT: usize = 256;
/// Most parts of a form.
const PARTS_LIMIT: usize = 8;
/// How much of a file that is too big is read and thrown away, so that the answer gets through.
const DISCARD_LIMIT: u64 = 64 * 1024 * 1024;
/// How long an upload may stand still.
const STILL_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AttachmentPath {
    pub company_id: CompanyId,
    pub attachment_id: AttachmentId,
}

/// The form of an upload.
#[derive(Debug, utoipa::ToSchema)]
pub struct UploadForm {
    /// The channel the file is for: its limits hold.
    pub channel_id: ChannelId,
    /// As what the file is to be sent; by its content unless given.
    pub kind: Option<AttachmentKind>,
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

/// Uploads a file for a message to be sent.
#[utoipa::path(post, path = "/companies/{company_id}/files", operation_id = "upload_file",
    tag = "files", params(CompanyPath),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 201, body = Attachment, description = "Stored"),
        (status = 413, body = ErrorBody, description = "`file_too_big`"),
        (status = 415, body = ErrorBody, description = "`file_kind_refused`"),
        OfChanges,
    ))]
pub async fn upload(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    request: Request,
) -> Result<(StatusCode, Json<Attachment>), ApiError> {
    app.limits.file_uploaded(scope.user_id.0)?;
    let form = Multipart::from_request(request, &app)
        .await
        .map_err(|_| ApiError::new(Code::UnsupportedMediaType).detail("Send a multipart form."))?;
    let mut received = Received::default();
    let outcome = match receive(&app, &scope, form, &mut received).await {
        Ok(()) => keep(&app, &scope, &received).await,
        Err(error) => Err(error),
    };
    if outcome.is_err()
        && let Some(stored) = &received.stored
        && let Err(error) = app.files.delete(&stored.key).await
    {
        tracing::warn!(error = %error, "a refused file could not be removed");
    }
    outcome.map(|attachment| (StatusCode::CREATED, Json(attachment)))
}

/// What has come in so far.
#[derive(Debug, Default)]
struct Received {
    channel_id: Option<ChannelId>,
    kind: Option<AttachmentKind>,
    file_name: String,
    stored: Option<StoredFile>,
}

async fn keep(app: &App, scope: &Scope, received: &Received) -> Result<Attachment, ApiError> {
    let channel_id = received
        .channel_id
        .ok_or_else(|| ApiError::invalid_field("channel_id", "Name the channel."))?;
    let stored = received.stored.clone();
    let stored = stored.ok_or_else(|| ApiError::invalid_field("file", "There is no file."))?;
    let upload =
        Upload { channel_id, stored, file_name: received.file_name.clone(), kind: received.kind };
    upload_attachment(&app.store, scope, upload).await
}

async fn receive(
    app: &App,
    scope: &Scope,
    mut form: Multipart,
    received: &mut Received,
) -> Result<(), ApiError> {
    for _ in 0..PARTS_LIMIT {
        let Some(field) = within(form.next_field()).await? else { return Ok(()) };
        match field.name() {
            Some("channel_id") => {
                let id = text_of(field).await?.parse();
                received.channel_id = Some(id.map_err(|_| {
                    ApiError::invalid_field("channel_id", "This is not the id of a channel.")
                })?);
            }
            Some("kind") => {
                let kind = AttachmentKind::parse(&text_of(field).await?);
                received.kind = Some(kind.ok_or_else(|| {
                    ApiError::invalid_field("kind", "There is no such kind of file.")
                })?);
            }
            Some("file") if received.stored.is_none() => {
                received.file_name = field.file_name().map(str::to_owned).unwrap_or_default();
                received.stored = Some(store_file(app, scope, field).await?);
            }
            _ => {
                return Err(ApiError::new(Code::InvalidRequest)
                    .detail("The form has the fields channel_id, kind and one file."));
            }
        }
    }
    Err(ApiError::new(Code::InvalidRequest).detail("The form has too many parts."))
}

async fn store_file(
    app: &App,
    scope: &Scope,
    mut field: Field<'_>,
) -> Result<StoredFile, ApiError> {
    let limit = app.config.files.max_upload_bytes;
    // What the browser says is believed only where the content says nothing.
    let claimed = field.content_type().map(str::to_owned).filter(|text| is_plain_type(text));
    let chunks = stream::unfold(&mut field, |field| async move {
        match within(field.chunk()).await {
            Ok(Some(chunk)) => Some((Ok::<Bytes, ApiError>(chunk), field)),
            Ok(None) => None,
            Err(error) => Some((Err(error), field)),
        }
    });
    let stored = app.files.put(scope.company_id, Box::pin(chunks), limit, claimed).await;
    match stored {
        Ok(stored) => Ok(stored),
        Err(FilesError::TooBig { limit }) => {
            discard(&mut field).await;
            Err(ApiError::new(Code::FileTooBig).field("file").param("limit_bytes", limit))
        }
        Err(FilesError::Source(_)) => Err(broken_off()),
        Err(error) => Err(ApiError::internal(error)),
    }
}

/// Stores a body that is the file itself. What the sender says of its type is believed only where the
/// content says nothing.
pub async fn store_body(
    app: &App,
    company: CompanyId,
    headers: &HeaderMap,
    body: Body,
    limit: u64,
) -> Result<StoredFile, ApiError> {
    let claimed = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let claimed = claimed.filter(|text| is_plain_type(text)).map(str::to_owned);
    let stored = app.files.put(company, Box::pin(body_pieces(body)), limit, claimed).await;
    stored.map_err(|error| match error {
        FilesError::TooBig { limit } => {
            ApiError::new(Code::FileTooBig).field("file").param("limit_bytes", limit)
        }
        FilesError::Source(_) => broken_off(),
        error => ApiError::internal(error),
    })
}

/// Removes bytes that nothing points at. They do no harm but for the room they take.
pub async fn forget_file(app: &App, key: &str) {
    if let Err(error) = app.files.delete(key).await {
        tracing::warn!(error = %error, "a file that is no longer needed could not be removed");
    }
}

/// A type without parameters that a browser may be given back.
fn is_plain_type(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '+' | '_');
    text.len() <= 100 && text.matches('/').count() == 1 && text.chars().all(plain)
}

async fn discard(field: &mut Field<'_>) {
    let mut seen = 0_u64;
    while let Ok(Some(chunk)) = within(field.chunk()).await {
        seen += chunk.len() as u64;
        if seen > DISCARD_LIMIT {
            return;
        }
    }
}

async fn text_of(mut field: Field<'_>) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = within(field.chunk()).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > TEXT_LIMIT {
            return Err(ApiError::new(Code::InvalidRequest).detail("A field is too long."));
        }
    }
    String::from_utf8(bytes)
        .map(|text| text.trim().to_owned())
        .map_err(|_| ApiError::new(Code::InvalidRequest).detail("A field is not text."))
}

async fn within<T>(next: impl Future<Output = Result<T, MultipartError>>) -> Result<T, ApiError> {
    match tokio::time::timeout(STILL_TIMEOUT, next).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) => Err(broken_off()),
        Err(_) => Err(Code::RequestTimeout.into()),
    }
}

fn broken_off() -> ApiError {
    ApiError::new(Code::InvalidRequest)
        .detail("The file cannot be read to its end.")
        .status(StatusCode::BAD_REQUEST)
}

/// The bytes of a file, or a part of them.
#[utoipa::path(get, path = "/companies/{company_id}/attachments/{attachment_id}/content",
    operation_id = "get_attachment_content", tag = "files", params(AttachmentPath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = 206, description = "The part asked for by `Range`", content_type = "application/octet-stream"),
        (status = 409, body = ErrorBody, description = "`file_not_ready`"),
        (status = 416, description = "There is no such part"),
        OfMembers,
    ))]
pub async fn get_content(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<AttachmentPath>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let record =
        app.store.reader().await?.db().attachment(scope.company_id, path.attachment_id).await?;
    let record = record
        .filter(|record| scope.sees_channel(Some(record.channel_id)))
        // What somebody uploads is nobody else's until it is sent.
        .filter(|record| record.message_id.is_some() || record.uploaded_by == Some(scope.member_id))
        .ok_or(Code::NotFound)?;
    content_of(&app, record, &headers).await
}

/// The bytes of a file that whoever asks may have, or the part asked for.
pub(super) async fn content_of(
    app: &App,
    record: AttachmentRecord,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let ready = record.attachment.state == AttachmentState::Ready;
    let key = record.file_key.filter(|_| ready).ok_or(Code::FileNotReady)?;
    let size = record.attachment.size_bytes.and_then(|size| u64::try_from(size).ok());
    let range = match (headers.get(header::RANGE), size) {
        (Some(value), Some(size)) => asked_range(value, size),
        _ => Asked::Whole,
    };
    let part = match range {
        Asked::Whole => None,
        Asked::Part(part) => Some(part),
        Asked::Nothing => {
            let all = format!("bytes */{}", size.unwrap_or_default());
            return Ok(
                (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, all)]).into_response()
            );
        }
    };
    let (total, bytes) = app.files.get(&key, part.clone()).await.map_err(|error| match error {
        FilesError::Missing => Code::NotFound.into(),
        error => ApiError::internal(error),
    })?;
    let mut response = Response::new(Body::from_stream(bytes));
    let length = part.as_ref().map_or(total, |part| part.end - part.start);
    let Attachment { mime_type, file_name, .. } = &record.attachment;
    describe(response.headers_mut(), mime_type.as_deref(), file_name.as_deref(), length);
    if let Some(part) = part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let text = format!("bytes {}-{}/{total}", part.start, part.end.saturating_sub(1));
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(header::CONTENT_RANGE, value);
        }
    }
    Ok(response)
}

/// The headers under which a file may be handed out, whoever it is from.
pub fn describe(
    headers: &mut HeaderMap,
    mime_type: Option<&str>,
    file_name: Option<&str>,
    length: u64,
) {
    let mime_type = mime_type.unwrap_or("application/octet-stream");
    let shown = may_be_shown(mime_type);
    let mime_type = if shown { mime_type } else { "application/octet-stream" };
    let disposition = if shown { "inline" } else { "attachment" };
    let name = file_name.unwrap_or("file");
    let disposition = format!("{disposition}; filename*=UTF-8''{}", percent_encoded(name));
    let mut set = |name, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, mime_type);
    set(header::CONTENT_DISPOSITION, &disposition);
    set(header::CONTENT_LENGTH, &length.to_string());
    set(header::ACCEPT_RANGES, "bytes");
    set(header::CACHE_CONTROL, "private, max-age=86400");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Opened by itself, a file of a stranger may do nothing.
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
}

/// Images, audio and video; not SVG, which is a program.
fn may_be_shown(mime_type: &str) -> bool {
    let family = mime_type.split('/').next().unwrap_or_default();
    matches!(family, "image" | "audio" | "video") && !mime_type.contains("svg")
}

fn percent_encoded(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    Nothing,
}

/// One range of bytes. Several, and what cannot be read, are answered with the whole file.
fn asked_range(value: &HeaderValue, size: u64) -> Asked {
    let parsed = value.to_str().ok().and_then(|text| text.trim().strip_prefix("bytes="));
    let Some((first, last)) = parsed.and_then(|text| text.split_once('-')) else {
        return Asked::Whole;
    };
    let range = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..size,
        (Err(_), Ok(count)) if first.trim().is_empty() => size.saturating_sub(count)..size,
        _ => return Asked::Whole,
    };
    if range.start < range.end { Asked::Part(range) } else { Asked::Nothing }
}

/// Tries to get a client's file again that could not be had.
#[utoipa::path(post, path = "/companies/{company_id}/attachments/{attachment_id}/fetch",
    operation_id = "fetch_attachment", tag = "files", params(AttachmentPath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 202, description = "Under way; an event tells of the outcome"),
        (status = 409, body = ErrorBody, description = "`status_conflict`"),
        OfChanges,
    ))]
pub async fn fetch(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<AttachmentPath>,
) -> Result<StatusCode, ApiError> {
    fetch_attachment(&app.store, &scope, path.attachment_id).await?;
    Ok(StatusCode::ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_within_the_file_or_nothing() {
        let of = |text: &'static str| asked_range(&HeaderValue::from_static(text), 100);
        assert_eq!(of("bytes=0-0"), Asked::Part(0..1));
        assert_eq!(of("bytes=10-"), Asked::Part(10..100));
        assert_eq!(of("bytes=-5"), Asked::Part(95..100));
        assert_eq!(of("bytes=-500"), Asked::Part(0..100));
        assert_eq!(of("bytes=90-500"), Asked::Part(90..100));
        assert_eq!(of("bytes=100-"), Asked::Nothing);
        assert_eq!(of("bytes=-0"), Asked::Nothing);
        for whole in ["bytes=5-1", "bytes=a-b", "bytes=0-1,5-6", "items=0-1", "bytes=-"] {
            assert_eq!(of(whole), Asked::Whole, "{whole}");
        }
    }

    #[test]
    fn only_what_cannot_run_is_shown() {
        assert!(may_be_shown("image/png"));
        assert!(may_be_shown("video/mp4"));
        assert!(!may_be_shown("image/svg+xml"));
        assert!(!may_be_shown("text/html"));
        assert!(!may_be_shown("application/pdf"));
    }

    #[test]
    fn a_name_of_any_script_fits_into_a_header() {
        assert_eq!(percent_encoded("a b\".pdf"), "a%20b%22.pdf");
        assert_eq!(percent_encoded("я"), "%D1%8F");
    }
}
