//! Connected messenger accounts.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use hub_domain::channel::{Capabilities, Channel, ChannelKind, IntakeMode, SharedDriver};
use hub_domain::{ChannelId, CompanyId, Scope, StreamPosition, Timestamp};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::members::{CompanyPath, position_of};
use super::refusals::{OfAdministrators, OfMembers};
use crate::actions::change_channel::{ChannelChange, change_channel};
use crate::actions::connect_channel::{self, ConnectChannel};
use crate::actions::delete_channel::delete_channel;
use crate::app::App;
use crate::auth::{CurrentMember, RequireAdministrator};
use crate::error::{ApiError, Code};
use crate::extract::{JsonBody, PathParams, QueryParams};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ChannelPath {
    pub company_id: CompanyId,
    pub channel_id: ChannelId,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Channels {
    pub items: Vec<Channel>,
    pub position: StreamPosition,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChannelQuery {
    /// `true`: also deleted ones, which their conversations still name.
    #[serde(default)]
    include_deleted: bool,
}

/// The channels of the company that you may see.
#[utoipa::path(get, path = "/companies/{company_id}/channels", operation_id = "list_channels",
    tag = "company", params(CompanyPath, ChannelQuery), security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Channels, description = "All of them"), OfMembers))]
pub async fn list_channels(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    QueryParams(query): QueryParams<ChannelQuery>,
) -> Result<Json<Channels>, ApiError> {
    let position = position_of(&app, scope.company_id).await?;
    let mut items = app.store.reader().await?.db().channels(&scope).await?;
    items.retain(|channel| query.include_deleted || channel.deleted_at.is_none());
    Ok(Json(Channels { items, position }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChannelKinds {
    pub items: Vec<ConnectableKind>,
}

/// A kind of channel that can be connected.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ConnectableKind {
    pub kind: ChannelKind,
    pub capabilities: Capabilities,
}

/// What can be connected, and what each kind can do.
#[utoipa::path(get, path = "/companies/{company_id}/channel-kinds",
    operation_id = "list_channel_kinds", tag = "company", params(CompanyPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = ChannelKinds, description = "All of them"), OfMembers))]
pub async fn list_channel_kinds(
    State(app): State<App>,
    CurrentMember(_): CurrentMember,
) -> Json<ChannelKinds> {
    let items = app
        .drivers
        .iter()
        .map(|driver| ConnectableKind { kind: driver.kind(), capabilities: driver.capabilities() })
        .collect();
    Json(ChannelKinds { items })
}

/// What went through the channels in the last 24 hours.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Traffic {
    /// Channels without messages in that time are absent.
    pub items: Vec<ChannelTraffic>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChannelTraffic {
    pub channel_id: ChannelId,
    /// Messages of clients.
    pub received: i64,
    /// Our messages that the provider took.
    pub sent: i64,
    pub last_message_at: Timestamp,
}

const TRAFFIC_MS: i64 = 24 * 3_600_000;

/// How many messages each channel took and sent in the last 24 hours.
#[utoipa::path(get, path = "/companies/{company_id}/channel-traffic",
    operation_id = "get_channel_traffic", tag = "company", params(CompanyPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Traffic, description = "By channel"), OfMembers))]
pub async fn get_traffic(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
) -> Result<Json<Traffic>, ApiError> {
    let since = Timestamp::from_millis(app.clock.now().0 - TRAFFIC_MS);
    let found = app.store.reader().await?.db().channel_traffic(&scope, since).await?;
    let items = found
        .into_iter()
        .map(|traffic| ChannelTraffic {
            channel_id: traffic.channel_id,
            received: traffic.received,
            sent: traffic.sent,
            last_message_at: traffic.last_message_at,
        })
        .collect();
    Ok(Json(Traffic { items }))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct CredentialCheck {
    pub kind: ChannelKind,
    /// A bot's token.
    #[schema(value_type = String, example = "100200300:AAH_example")]
    pub credential: SecretString,
}

/// The account behind a credential.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CheckedAccount {
    pub external_id: String,
    pub name: String,
    pub username: Option<String>,
}

/// Asks the provider whose credential this is. Changes nothing.
#[utoipa::path(post, path = "/companies/{company_id}/channels/check",
    operation_id = "check_channel", tag = "company", params(CompanyPath),
    request_body = CredentialCheck, security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = CheckedAccount, description = "The provider accepts it"),
        (status = 502, body = crate::error::ErrorBody, description = "`provider_unreachable`"),
        OfAdministrators,
    ))]
pub async fn check_channel(
    State(app): State<App>,
    RequireAdministrator(_): RequireAdministrator,
    JsonBody(body): JsonBody<CredentialCheck>,
) -> Result<Json<CheckedAccount>, ApiError> {
    let driver = driver_of(&app, body.kind)?;
    let account = connect_channel::check_credential(driver, &body.credential).await?;
    Ok(Json(CheckedAccount {
        external_id: account.external_id,
        name: account.name,
        username: account.username,
    }))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewChannel {
    pub kind: ChannelKind,
    /// A bot's token.
    #[schema(value_type = String, example = "100200300:AAH_example")]
    pub credential: SecretString,
    /// The account's name at the provider unless given.
    #[schema(example = "Бот поддержки")]
    pub name: Option<String>,
    /// `polling` unless given.
    pub intake: Option<IntakeMode>,
}

/// Connects an account.
#[utoipa::path(post, path = "/companies/{company_id}/channels", operation_id = "connect_channel",
    tag = "company", params(CompanyPath), request_body = NewChannel,
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 201, body = Channel, description = "Connected"),
        (status = 409, body = crate::error::ErrorBody, description = "`channel_exists`"),
        (status = 502, body = crate::error::ErrorBody, description = "`provider_unreachable`"),
        OfAdministrators,
    ))]
pub async fn connect(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    JsonBody(body): JsonBody<NewChannel>,
) -> Result<(StatusCode, Json<Channel>), ApiError> {
    let intake = body.intake.unwrap_or(IntakeMode::Polling);
    check_intake(&app, intake)?;
    let driver = driver_of(&app, body.kind)?;
    let request =
        ConnectChannel { kind: body.kind, credential: body.credential, name: body.name, intake };
    let channel = connect_channel::connect_channel(&app.store, driver, &scope, request).await?;
    Ok((StatusCode::CREATED, Json(channel)))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ChannelPatch {
    pub name: Option<String>,
    /// A new one of the same account; brings a channel back that was disabled for the old one.
    #[schema(value_type = Option<String>)]
    pub credential: Option<SecretString>,
    pub intake: Option<IntakeMode>,
}

/// Changes a channel.
#[utoipa::path(patch, path = "/companies/{company_id}/channels/{channel_id}",
    operation_id = "change_channel", tag = "company", params(ChannelPath),
    request_body = ChannelPatch, security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = Channel, description = "As it is now"),
        (status = 409, body = crate::error::ErrorBody, description = "`channel_deleted`"),
        OfAdministrators,
    ))]
pub async fn change(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    PathParams(path): PathParams<ChannelPath>,
    JsonBody(body): JsonBody<ChannelPatch>,
) -> Result<Json<Channel>, ApiError> {
    if let Some(intake) = body.intake {
        check_intake(&app, intake)?;
    }
    let change = ChannelChange {
        name: body.name,
        credential: body.credential,
        intake: body.intake,
        enabled: None,
    };
    apply(&app, &scope, path.channel_id, change).await
}

/// Switches a channel off. What is queued waits.
#[utoipa::path(post, path = "/companies/{company_id}/channels/{channel_id}/disable",
    operation_id = "disable_channel", tag = "company", params(ChannelPath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = Channel, description = "As it is now"),
        (status = 409, body = crate::error::ErrorBody, description = "`channel_deleted`"),
        OfAdministrators,
    ))]
pub async fn disable(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    PathParams(path): PathParams<ChannelPath>,
) -> Result<Json<Channel>, ApiError> {
    apply(&app, &scope, path.channel_id, enabled(false)).await
}

/// Switches a channel on again.
#[utoipa::path(post, path = "/companies/{company_id}/channels/{channel_id}/enable",
    operation_id = "enable_channel", tag = "company", params(ChannelPath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = Channel, description = "As it is now"),
        (status = 409, body = crate::error::ErrorBody, description = "`channel_deleted`"),
        OfAdministrators,
    ))]
pub async fn enable(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    PathParams(path): PathParams<ChannelPath>,
) -> Result<Json<Channel>, ApiError> {
    apply(&app, &scope, path.channel_id, enabled(true)).await
}

/// Deletes a channel for good: nothing comes in or goes out by it any more, and what waits is cancelled.
/// Its conversations stay. The account can be connected again, as another channel.
#[utoipa::path(delete, path = "/companies/{company_id}/channels/{channel_id}",
    operation_id = "delete_channel", tag = "company", params(ChannelPath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 200, body = Channel, description = "As it is now; the same when it was deleted before"),
        OfAdministrators,
    ))]
pub async fn delete(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    PathParams(path): PathParams<ChannelPath>,
) -> Result<Json<Channel>, ApiError> {
    delete_channel(&app.store, &scope, path.channel_id).await.map(Json)
}

const fn enabled(enabled: bool) -> ChannelChange {
    ChannelChange { name: None, credential: None, intake: None, enabled: Some(enabled) }
}

async fn apply(
    app: &App,
    scope: &Scope,
    id: ChannelId,
    change: ChannelChange,
) -> Result<Json<Channel>, ApiError> {
    if !scope.sees_channel(Some(id)) {
        return Err(Code::NotFound.into());
    }
    let channel = app.store.reader().await?.db().channel(scope.company_id, id).await?;
    let kind = channel.ok_or(Code::NotFound)?.kind;
    let driver = driver_of(app, kind)?;
    change_channel(&app.store, driver, scope, id, change).await.map(Json)
}

fn driver_of(app: &App, kind: ChannelKind) -> Result<&SharedDriver, ApiError> {
    app.drivers.get(kind).ok_or_else(|| ApiError::new(Code::ChannelKindUnknown).field("kind"))
}

/// A provider cannot call an address of this machine.
fn check_intake(app: &App, intake: IntakeMode) -> Result<(), ApiError> {
    let reachable = app.config.security.allow_loopback_urls || !app.config.public_url_is_loopback();
    if intake == IntakeMode::Webhook && !reachable {
        return Err(ApiError::new(Code::PublicUrlNeeded).field("intake"));
    }
    Ok(())
}
