//! What the widget on a foreign page asks: `/widget/v1/{key}/...`. The protocol belongs to the widget
//! alone and changes with it; `docs/widget.md` tells what a site's owner needs to know.
//!
//! No cookie is read or set here. A visitor proves to be one by a bearer token, a page by its origin.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use channel_widget::identity::{VisitorId, site_user};
use channel_widget::settings::{WidgetForm, WidgetLanguage, WidgetScheme, WidgetSide};
use channel_widget::{FILE_LIMIT_BYTES, TEXT_LIMIT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hub_domain::{AttachmentId, StreamPosition};
use hub_store::records::MessageKey;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::conversations::bad_cursor;
use super::files::{content_of, forget_file, store_body};
use super::members::position_of;
use crate::actions::upload_attachment::{Upload, keep_attachment};
use crate::actions::visitor_writes::{Page, Profile, VisitorWrites, visitor_writes};
use crate::app::App;
use crate::auth::Visitor;
use crate::error::{ApiError, Code};
use crate::extract::{JsonBody, PathParams, QueryParams};
use crate::limits::Network;
use crate::random;
use crate::widget::view::{View, VisitorFile, VisitorMessage};
use crate::widget::{KnownVisitor, OpenWidget, live, visitor_of};

/// Messages of a page.
const PAGE: i64 = 50;
/// Since when a member counts as there.
const ATTENDED_SECONDS: i64 = 180;
/// Largest frame a visitor may send.
const FRAME_BYTES: usize = 8 * 1024;
/// Files that a click starts as a program: nobody has reason to send one to a shop.
const PROGRAMS: [&str; 18] = [
    "apk", "app", "bat", "cmd", "com", "cpl", "dll", "exe", "hta", "jar", "js", "lnk", "msi",
    "ps1", "reg", "scr", "vbs", "wsf",
];

/// The routes of one widget.
pub fn routes(app: App) -> Router<App> {
    // A browser asks whether it may ask; the gate has answered.
    let preflight = async || StatusCode::NO_CONTENT;
    Router::new()
        .route("/config", get(get_config))
        .route("/session", post(open_session).options(preflight))
        .route("/messages", get(list_messages).post(write_message).options(preflight))
        .route("/files", post(send_file).options(preflight))
        .route("/files/{attachment_id}/{pass}", get(get_file))
        .route("/live", get(open_live))
        .layer(middleware::from_fn_with_state(app, gate))
}

/// Finds the widget, asks where the page is from, and tells the browser that it may read the answer.
async fn gate(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let origin = parts.headers.get(header::ORIGIN).cloned();
    let mut response = match admitted(&app, &mut parts).await {
        Ok(widget) => {
            parts.extensions.insert(widget);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => {
            // Readable on any page, so that the widget can keep quiet for the right reason.
            error.into_response()
        }
    };
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: HeaderValue| {
        headers.insert(HeaderName::from_static(name), value);
    };
    if let Some(origin) = origin {
        set("access-control-allow-origin", origin);
        set("access-control-allow-methods", HeaderValue::from_static("GET, POST"));
        set(
            "access-control-allow-headers",
            HeaderValue::from_static("authorization, content-type"),
        );
        set("access-control-expose-headers", HeaderValue::from_static("retry-after"));
        set("access-control-max-age", HeaderValue::from_static("600"));
    }
    set("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn admitted(app: &App, parts: &mut Parts) -> Result<OpenWidget, ApiError> {
    let visitor = Visitor::from_request_parts(parts, app).await?;
    app.visitor_limits.request_made(visitor.address)?;
    let params = RawPathParams::from_request_parts(parts, app).await;
    let params = params.map_err(|_| Code::NotFound)?;
    let key = params.iter().find(|(name, _)| *name == "key").map(|(_, key)| key.to_owned());
    let widget = OpenWidget::by_key(app, &key.ok_or(Code::NotFound)?).await?;
    widget.check_origin(app, &parts.method, &parts.headers)?;
    if !widget.channel.state.works() {
        return Err(Code::ChannelDisabled.into());
    }
    Ok(widget)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn asking(app: &App, widget: &OpenWidget, headers: &HeaderMap) -> Result<KnownVisitor, ApiError> {
    let token = bearer(headers).ok_or(Code::VisitorTokenInvalid)?;
    visitor_of(app, widget.channel.id, token)
}

/// What a widget needs to show itself.
#[derive(Debug, Serialize)]
struct WidgetConfig {
    title: String,
    subtitle: String,
    greeting: String,
    offline_text: String,
    suggestions: Vec<String>,
    colour: String,
    scheme: WidgetScheme,
    side: WidgetSide,
    language: WidgetLanguage,
    form: WidgetForm,
    powered_by: bool,
    /// Whether a member is there.
    attended: bool,
    text_limit: usize,
    file_limit_bytes: i64,
}

async fn get_config(
    State(app): State<App>,
    Extension(widget): Extension<OpenWidget>,
) -> Result<Json<WidgetConfig>, ApiError> {
    let company = widget.channel.company_id;
    let since = app.clock.now().plus_seconds(-ATTENDED_SECONDS);
    let mut reader = app.store.reader().await?;
    let name = reader.db().company(company).await?.map(|company| company.name);
    let attended = reader.db().company_is_attended(company, since).await?;
    let settings = widget.settings;
    let title = if settings.title.is_empty() { name.unwrap_or_default() } else { settings.title };
    Ok(Json(WidgetConfig {
        title,
        subtitle: settings.subtitle,
        greeting: settings.greeting,
        offline_text: settings.offline_text,
        suggestions: settings.suggestions,
        colour: settings.colour,
        scheme: settings.scheme,
        side: settings.side,
        language: settings.language,
        form: settings.form,
        powered_by: settings.powered_by,
        attended,
        text_limit: TEXT_LIMIT,
        file_limit_bytes: FILE_LIMIT_BYTES,
    }))
}

#[derive(Debug, Deserialize)]
struct Introduction {
    /// The site's token for its user.
    identity: Option<String>,
}

#[derive(Debug, Serialize)]
struct Session {
    token: String,
}

/// Makes a visitor. Nothing is stored: the token says everything.
async fn open_session(
    State(app): State<App>,
    Extension(widget): Extension<OpenWidget>,
    visitor: Visitor,
    JsonBody(body): JsonBody<Introduction>,
) -> Result<Json<Session>, ApiError> {
    let (key, channel) = (&app.keys.widget, widget.channel.id);
    let token = match body.identity {
        None => {
            app.visitor_limits.visitor_came(visitor.address)?;
            VisitorId::anonymous(random::bytes()).token(key, channel, None)
        }
        // Asked anew by every page of the site that vouches.
        Some(identity) => {
            let secret = widget.secret(&app)?;
            let user = site_user(secret.expose_secret(), &identity, app.clock.now());
            let user = user.map_err(|refusal| {
                ApiError::new(Code::IdentityNotBelieved)
                    .field("identity")
                    .detail(refusal.to_string())
            })?;
            VisitorId::of_user(key, channel, &user.user_id).token(key, channel, Some(&user))
        }
    };
    Ok(Json(Session { token }))
}

#[derive(Debug, Deserialize)]
struct MessageQuery {
    before: Option<String>,
}

#[derive(Debug, Serialize)]
struct VisitorMessages {
    items: Vec<VisitorMessage>,
    /// `null`: nothing is older.
    older_cursor: Option<String>,
    /// Members have seen the conversation up to this position.
    seen_position: i64,
    position: StreamPosition,
}

async fn list_messages(
    State(app): State<App>,
    Extension(widget): Extension<OpenWidget>,
    headers: HeaderMap,
    QueryParams(query): QueryParams<MessageQuery>,
) -> Result<Json<VisitorMessages>, ApiError> {
    let visitor = asking(&app, &widget, &headers)?;
    let before = match query.before {
        None => MessageKey::END,
        Some(text) => text.parse().map_err(|_| bad_cursor("before"))?,
    };
    let company = widget.channel.company_id;
    // Read before the messages: what changes in between is told twice, never missed.
    let position = position_of(&app, company).await?;
    let mut reader = app.store.reader().await?;
    let found =
        reader.db().conversation_of_identity(widget.channel.id, visitor.id.as_str()).await?;
    let Some(conversation) = found else {
        return Ok(Json(VisitorMessages {
            items: Vec::new(),
            older_cursor: None,
            seen_position: 0,
            position,
        }));
    };
    let id = conversation.id;
    let mut messages = reader.db().client_messages_before(id, before, PAGE + 1).await?;
    let seen_position = reader.db().seen_position(company, id).await?;
    drop(reader);
    let surplus = messages.len().saturating_sub(PAGE as usize);
    messages.drain(..surplus);
    let oldest = messages.first().map(|message| MessageKey::of(message).to_string());
    let older_cursor = oldest.filter(|_| surplus > 0);
    let items = View::new(&app, widget, visitor.id).messages(&messages).await?;
    Ok(Json(VisitorMessages { items, older_cursor, seen_position, position }))
}

#[derive(Debug, Deserialize)]
struct SentFile {
    id: AttachmentId,
    pass: String,
}

#[derive(Debug, Default, Deserialize)]
struct ProfileBody {
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct PageBody {
    url: Option<String>,
    title: Option<String>,
}

#[derive(Debug, Deserialize)]
struct NewMessage {
    client_message_id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    files: Vec<SentFile>,
    #[serde(default)]
    profile: ProfileBody,
    #[serde(default)]
    page: PageBody,
}

async fn write_message(
    State(app): State<App>,
    Extension(widget): Extension<OpenWidget>,
    from: Visitor,
    headers: HeaderMap,
    JsonBody(body): JsonBody<NewMessage>,
) -> Result<(StatusCode, Json<VisitorMessage>), ApiError> {
    let visitor = asking(&app, &widget, &headers)?;
    app.visitor_limits.message_written(from.address, &visitor.id)?;
    let mut files = Vec::with_capacity(body.files.len());
    for file in body.files {
        let owner = VisitorId::of_file_pass(&app.keys.widget, file.id, &file.pass);
        if owner.as_ref() != Some(&visitor.id) {
            return Err(ApiError::not_found().field("files"));
        }
        files.push(file.id);
    }
    let id = visitor.id.clone();
    let request = VisitorWrites {
        visitor,
        client_message_id: body.client_message_id,
        text: body.text,
        files,
        profile: Profile {
            name: body.profile.name,
            phone: body.profile.phone,
            email: body.profile.email,
        },
        page: Page { url: body.page.url, title: body.page.title },
        user_agent: from.user_agent,
    };
    let (message, created) =
        visitor_writes(&app.store, &widget.channel, &widget.settings, request).await?;
    let mut shown = View::new(&app, widget, id).messages(std::slice::from_ref(&message)).await?;
    let shown = shown.pop().ok_or_else(|| {
        ApiError::internal(anyhow::anyhow!("a visitor does not see what they wrote"))
    })?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown)))
}

#[derive(Debug, Deserialize)]
struct FileQuery {
    name: Option<String>,
}

#[derive(Debug, Serialize)]
struct KeptFile {
    #[serde(flatten)]
    file: VisitorFile,
    /// Proves that this visitor sent it, when it becomes part of a message.
    pass: String,
}

/// Takes a file as the body of the request.
async fn send_file(
    State(app): State<App>,
    Extension(widget): Extension<OpenWidget>,
    from: Visitor,
    QueryParams(query): QueryParams<FileQuery>,
    request: Request,
) -> Result<(StatusCode, Json<KeptFile>), ApiError> {
    let visitor = asking(&app, &widget, request.headers())?;
    app.visitor_limits.file_sent(from.address)?;
    let file_name = query.name.unwrap_or_default();
    let ending = file_name.rsplit('.').next().unwrap_or_default().trim().to_ascii_lowercase();
    if PROGRAMS.contains(&ending.as_str()) {
        return Err(ApiError::new(Code::FileKindRefused).field("file").param("kind", ending));
    }
    let limit = u64::try_from(FILE_LIMIT_BYTES).unwrap_or(u64::MAX);
    let company = widget.channel.company_id;
    let (parts, body) = request.into_parts();
    let stored = store_body(&app, company, &parts.headers, body, limit).await?;
    let upload = Upload { channel_id: widget.channel.id, stored, file_name, kind: None };
    let key = upload.stored.key.clone();
    match keep_attachment(&app.store, &widget.channel, None, upload).await {
        Ok(attachment) => {
            let pass = visitor.id.file_pass(&app.keys.widget, attachment.id);
            let file = View::new(&app, widget, visitor.id).file(&attachment);
            Ok((StatusCode::CREATED, Json(KeptFile { file, pass })))
        }
        Err(error) => {
            forget_file(&app, &key).await;
            Err(error)
        }
    }
}

#[derive(Debug, Deserialize)]
struct FilePath {
    attachment_id: AttachmentId,
    pass: String,
}

/// The bytes of a file of the visitor's own conversation.
async fn get_file(
    State(app): State<App>,
    Extension(widget): Extension<OpenWidget>,
    PathParams(path): PathParams<FilePath>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let id = path.attachment_id;
    VisitorId::of_file_pass(&app.keys.widget, id, &path.pass).ok_or(Code::NotFound)?;
    let company = widget.channel.company_id;
    let mut reader = app.store.reader().await?;
    let record = reader.db().attachment(company, id).await?;
    let record = record.filter(|record| record.channel_id == widget.channel.id);
    let record = record.ok_or(Code::NotFound)?;
    // A pass outlives what it was given for.
    if let Some(message) = record.message_id {
        let message = reader.db().message(company, message).await?;
        message.filter(|message| message.deleted_at.is_none()).ok_or(Code::NotFound)?;
    }
    drop(reader);
    content_of(&app, record, &headers).await
}

/// `GET /widget/v1/{key}/live`.
async fn open_live(
    State(app): State<App>,
    Extension(widget): Extension<OpenWidget>,
    from: Visitor,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| {
        let refusal = ApiError::new(Code::InvalidRequest).status(StatusCode::UPGRADE_REQUIRED);
        refusal.detail("Open this address as a WebSocket.")
    })?;
    let config = &app.config.widget;
    let network = Network::of(from.address);
    let room = app.visitors.admit(network, config.connections, config.connections_per_network);
    let room = room.ok_or_else(|| ApiError::wait(Code::RateLimited, 30))?;
    let lifecycle = app.lifecycle.clone();
    Ok(upgrade
        .read_buffer_size(4 * 1024)
        .write_buffer_size(16 * 1024)
        .max_frame_size(FRAME_BYTES)
        .max_message_size(FRAME_BYTES)
        .on_upgrade(move |socket| {
            lifecycle.track(Box::pin(live::converse(app, widget, socket, room)))
        }))
}
