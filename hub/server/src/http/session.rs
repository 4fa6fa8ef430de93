//! Setting up, signing in and out, and who is signed in.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hub_domain::{Company, Member, MemberId, Preferences, SessionId, UserId};
use serde::{Deserialize, Serialize};

use crate::actions::set_up::{self, SetUp};
use crate::actions::sign_in::{self, Opened};
use crate::app::App;
use crate::auth::{self, CurrentUser, Visitor};
use crate::checks;
use crate::error::{ApiError, Code, ErrorBody};
use crate::extract::{JsonBody, PathParams};

/// A request that a page of ours, or a program, makes; for what is public and changes something.
#[derive(Debug, Clone, Copy)]
pub struct SameOrigin;

impl FromRequestParts<App> for SameOrigin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        auth::check_origin(app, &parts.headers).map(|()| Self)
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SetUpLink {
    pub valid: bool,
    pub checks: Vec<SetUpCheck>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SetUpCheck {
    #[schema(example = "database")]
    pub name: &'static str,
    pub ok: bool,
    #[schema(example = "SQLite")]
    pub detail: String,
}

/// Whether a set-up link is valid, and whether the server is fit to be set up.
#[utoipa::path(get, path = "/setup/{token}", operation_id = "get_setup", tag = "session",
    params(("token" = String, Path, description = "From the link that the first start prints")),
    responses(
        (status = 200, description = "It is valid", body = SetUpLink),
        (status = 404, description = "`setup_link_invalid`", body = ErrorBody),
        (status = 429, description = "`rate_limited`", body = ErrorBody),
    ))]
pub async fn get_setup(
    State(app): State<App>,
    visitor: Visitor,
    PathParams(token): PathParams<String>,
) -> Result<Json<SetUpLink>, ApiError> {
    if !set_up::link_is_valid(&app, &visitor, &token).await? {
        return Err(Code::SetupLinkInvalid.into());
    }
    let (database, files, bus) = tokio::join!(
        checks::database(&app.store),
        checks::files(&app.config, &app.files),
        checks::bus(&app.config),
    );
    let mut checks: Vec<SetUpCheck> = [database, files, bus]
        .into_iter()
        .map(|check| SetUpCheck { name: check.name, ok: check.ok(), detail: check.detail })
        .collect();
    let public_url = app.public_url().to_string();
    checks.insert(2, SetUpCheck { name: "public_url", ok: true, detail: public_url });
    Ok(Json(SetUpLink { valid: true, checks }))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct SetUpRequest {
    #[schema(example = "Точка роста")]
    pub company_name: String,
    #[schema(example = "Марина Белова")]
    pub name: String,
    #[schema(example = "+7 926 123-45-67")]
    pub phone: String,
    #[schema(example = "Europe/Moscow")]
    pub time_zone: Option<String>,
}

/// Creates the first company with its administrator and signs that person in. The link is used up.
#[utoipa::path(post, path = "/setup/{token}", operation_id = "set_up", tag = "session",
    params(("token" = String, Path, description = "From the link that the first start prints")),
    request_body = SetUpRequest,
    responses(
        (status = 201, description = "Set up, signed in", body = Session),
        (status = 404, description = "`setup_link_invalid`", body = ErrorBody),
        (status = 422, description = "`name_invalid`, `phone_invalid`, `invalid_request`", body = ErrorBody),
    ))]
pub async fn post_setup(
    State(app): State<App>,
    _: SameOrigin,
    visitor: Visitor,
    PathParams(token): PathParams<String>,
    JsonBody(body): JsonBody<SetUpRequest>,
) -> Result<Response, ApiError> {
    let request = SetUp {
        company_name: body.company_name,
        name: body.name,
        phone: body.phone,
        time_zone: body.time_zone,
    };
    let opened = set_up::set_up(&app, &visitor, &token, request).await?;
    signed_in(&app, opened, StatusCode::CREATED).await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct CodeRequest {
    #[schema(example = "+7 926 123-45-67")]
    pub phone: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CodeRequested {
    /// When another code may be asked for.
    #[schema(example = 60)]
    pub resend_after_seconds: u32,
    #[schema(example = 300)]
    pub expires_in_seconds: u32,
}

/// Asks for a one-time code. The answer is the same for numbers without a login.
#[utoipa::path(post, path = "/session/codes", operation_id = "request_code", tag = "session",
    request_body = CodeRequest,
    responses(
        (status = 202, description = "On its way, if the number has a login", body = CodeRequested),
        (status = 422, description = "`phone_invalid`", body = ErrorBody),
        (status = 429, description = "`code_resend_too_early`, `rate_limited`", body = ErrorBody),
    ))]
pub async fn request_code(
    State(app): State<App>,
    _: SameOrigin,
    visitor: Visitor,
    JsonBody(body): JsonBody<CodeRequest>,
) -> Result<Response, ApiError> {
    let requested = sign_in::request_code(&app, &visitor, &body.phone).await?;
    let lifetime = i64::from(requested.expires_in_seconds);
    let cookie = auth::set_cookie(
        app.pre_session_cookie(),
        &requested.pre_session,
        lifetime,
        app.is_secure(),
    );
    let answer = CodeRequested {
        resend_after_seconds: requested.resend_after_seconds,
        expires_in_seconds: requested.expires_in_seconds,
    };
    Ok((StatusCode::ACCEPTED, [(header::SET_COOKIE, cookie)], Json(answer)).into_response())
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct SignInRequest {
    #[schema(example = "123456")]
    pub code: String,
}

/// Signs in with a one-time code, in the browser that asked for it.
#[utoipa::path(post, path = "/session", operation_id = "sign_in", tag = "session",
    request_body = SignInRequest,
    responses(
        (status = 200, description = "Signed in", body = Session),
        (status = 422, description = "`code_wrong`, `code_expired`, `code_too_many_attempts`", body = ErrorBody),
        (status = 429, description = "`rate_limited`", body = ErrorBody),
    ))]
pub async fn sign_in(
    State(app): State<App>,
    _: SameOrigin,
    visitor: Visitor,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SignInRequest>,
) -> Result<Response, ApiError> {
    let pre_session = auth::cookie(&headers, app.pre_session_cookie());
    let opened = sign_in::sign_in_with_code(&app, &visitor, pre_session, &body.code).await?;
    signed_in(&app, opened, StatusCode::OK).await
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct LinkRequest {
    pub token: String,
}

/// Signs in with a one-time link.
#[utoipa::path(post, path = "/session/link", operation_id = "sign_in_with_link", tag = "session",
    request_body = LinkRequest,
    responses(
        (status = 200, description = "Signed in", body = Session),
        (status = 404, description = "`sign_in_link_invalid`", body = ErrorBody),
        (status = 429, description = "`rate_limited`", body = ErrorBody),
    ))]
pub async fn sign_in_with_link(
    State(app): State<App>,
    _: SameOrigin,
    visitor: Visitor,
    JsonBody(body): JsonBody<LinkRequest>,
) -> Result<Response, ApiError> {
    let opened = sign_in::sign_in_with_link(&app, &visitor, &body.token).await?;
    signed_in(&app, opened, StatusCode::OK).await
}

/// Who is signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Session {
    pub user: SessionUser,
    /// For the `X-CSRF-Token` header of unsafe requests. Empty with a private token, which needs none.
    pub csrf_token: String,
    pub companies: Vec<SessionCompany>,
    /// Of the server.
    #[schema(example = "0.1.0")]
    pub version: &'static str,
    /// The data are invented; the interface says so.
    pub demo: bool,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionUser {
    pub id: UserId,
    pub name: String,
    #[schema(example = "79261234567")]
    pub phone: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionCompany {
    pub company: Company,
    /// The user's place in it.
    pub member: Member,
    /// What the user has chosen there.
    pub preferences: Preferences,
}

/// Who is signed in, and where.
#[utoipa::path(get, path = "/session", operation_id = "get_session", tag = "session",
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, description = "The session", body = Session),
        (status = 401, description = "`unauthenticated`", body = ErrorBody),
    ))]
pub async fn get_session(
    State(app): State<App>,
    user: CurrentUser,
) -> Result<Json<Session>, ApiError> {
    session_of(&app, user.user.id, user.proof.session()).await.map(Json)
}

/// Signs out. The browser forgets what it kept.
#[utoipa::path(delete, path = "/session", operation_id = "sign_out", tag = "session",
    security(("session" = [])),
    responses(
        (status = 204, description = "Signed out"),
        (status = 401, description = "`unauthenticated`", body = ErrorBody),
        (status = 403, description = "`csrf`", body = ErrorBody),
    ))]
pub async fn sign_out(State(app): State<App>, user: CurrentUser) -> Result<Response, ApiError> {
    if let Some(id) = user.proof.session() {
        sign_in::sign_out(&app, id).await?;
    }
    let cookie = auth::set_cookie(app.session_cookie(), "", 0, app.is_secure());
    let forget = (
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie), forget]).into_response())
}

async fn session_of(
    app: &App,
    user: UserId,
    session: Option<SessionId>,
) -> Result<Session, ApiError> {
    let mut reader = app.store.reader().await?;
    let user = reader.db().user(user).await?.ok_or(Code::Unauthenticated)?;
    let companies = reader.db().memberships(user.id).await?;
    let preferences: HashMap<MemberId, Preferences> =
        reader.db().preferences_of_user(user.id).await?.into_iter().collect();
    Ok(Session {
        user: SessionUser { id: user.id, name: user.name, phone: user.phone },
        csrf_token: session.map(|id| auth::csrf_token(app, id)).unwrap_or_default(),
        companies: companies
            .into_iter()
            .map(|(company, member)| {
                let preferences = preferences.get(&member.id).copied().unwrap_or_default();
                SessionCompany { company, member, preferences }
            })
            .collect(),
        version: env!("CARGO_PKG_VERSION"),
        demo: app.config.demo.banner,
    })
}

async fn signed_in(app: &App, opened: Opened, status: StatusCode) -> Result<Response, ApiError> {
    let session = session_of(app, opened.user_id, Some(opened.id)).await?;
    let lifetime = i64::from(app.config.sessions.absolute_hours) * 3600;
    let cookie = auth::set_cookie(app.session_cookie(), &opened.token, lifetime, app.is_secure());
    let spent = auth::set_cookie(app.pre_session_cookie(), "", 0, app.is_secure());
    let mut response = (status, Json(session)).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response.headers_mut().append(header::SET_COOKIE, spent);
    Ok(response)
}
