//! Site widgets as administrators set them up, and what members see of a visitor.

use axum::Json;
use axum::extract::State;
use channel_widget::WidgetSettings;
use channel_widget::settings::SettingRefused;
use http::StatusCode;
use hub_domain::channel::{Channel, ChannelKind, IntakeMode};
use hub_domain::event::{Changes, EventType};
use hub_domain::{ChannelId, Scope};
use hub_store::records::ChannelSecrets;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::channels::ChannelPath;
use super::conversations::ConversationPath;
use super::members::CompanyPath;
use super::refusals::{OfAdministrators, OfMembers};
use crate::actions::change_widget::change_widget as change_widget_settings;
use crate::actions::connect_channel::{ConnectChannel, SECRET_PURPOSE, connect_channel};
use crate::actions::{by_member, channel_in_use};
use crate::app::App;
use crate::auth::{CurrentMember, RequireAdministrator};
use crate::error::{ApiError, Code};
use crate::extract::{JsonBody, PathParams};
use crate::random;
use crate::widget::settings_of;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewWidget {
    /// For members; «Виджет сайта» unless given.
    #[schema(example = "Сайт школы")]
    pub name: Option<String>,
    #[serde(default)]
    pub settings: WidgetSettings,
}

/// A widget with everything needed to put it on a site.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Widget {
    pub channel: Channel,
    pub settings: WidgetSettings,
    /// What the script tag names.
    #[schema(example = "6b7f0c1d2e3a4b5c")]
    pub key: String,
    /// To be put before `</body>` of every page.
    #[schema(
        example = "<script src=\"https://uzel.example/widget/v1.js\" data-channel=\"6b7f0c1d2e3a4b5c\" async></script>"
    )]
    pub script: String,
    /// Signs the tokens of the site's users (HS256). Never belongs on a page.
    pub secret: String,
    /// A page of this server that shows a widget; `null`: switched off.
    pub demo_url: Option<String>,
}

/// Connects a site widget.
#[utoipa::path(post, path = "/companies/{company_id}/widgets", operation_id = "connect_widget",
    tag = "company", params(CompanyPath), request_body = NewWidget,
    security(("session" = []), ("private_token" = [])),
    responses((status = 201, body = Channel, description = "Connected"), OfAdministrators))]
pub async fn connect(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    JsonBody(body): JsonBody<NewWidget>,
) -> Result<(StatusCode, Json<Channel>), ApiError> {
    let settings = checked(body.settings)?;
    let driver = app.drivers.get(ChannelKind::Widget);
    let driver = driver.ok_or_else(|| ApiError::new(Code::ChannelKindUnknown))?;
    let request = ConnectChannel {
        kind: ChannelKind::Widget,
        credential: SecretString::from(random::token()),
        name: body.name,
        intake: IntakeMode::Webhook,
    };
    let channel = connect_channel(&app.store, driver, &scope, request).await?;
    let channel = if settings == WidgetSettings::default() {
        channel
    } else {
        change_widget_settings(&app.store, &scope, channel.id, settings).await?
    };
    Ok((StatusCode::CREATED, Json(channel)))
}

/// A widget with its settings, its script tag and its secret.
#[utoipa::path(get, path = "/companies/{company_id}/channels/{channel_id}/widget",
    operation_id = "get_widget", tag = "company", params(ChannelPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Widget, description = "As it is now"), OfAdministrators))]
pub async fn get_widget(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    PathParams(path): PathParams<ChannelPath>,
) -> Result<Json<Widget>, ApiError> {
    shown(&app, &scope, path.channel_id).await.map(Json)
}

/// Changes the settings of a widget. Pages show them at their next load.
#[utoipa::path(put, path = "/companies/{company_id}/channels/{channel_id}/widget",
    operation_id = "change_widget", tag = "company", params(ChannelPath),
    request_body = WidgetSettings, security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Widget, description = "As it is now"), OfAdministrators))]
pub async fn change_widget(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    PathParams(path): PathParams<ChannelPath>,
    JsonBody(body): JsonBody<WidgetSettings>,
) -> Result<Json<Widget>, ApiError> {
    widget_of(&app, &scope, path.channel_id).await?;
    change_widget_settings(&app.store, &scope, path.channel_id, checked(body)?).await?;
    shown(&app, &scope, path.channel_id).await.map(Json)
}

/// Gives a widget a new secret. Tokens that sites signed with the old one are not believed any more.
#[utoipa::path(post, path = "/companies/{company_id}/channels/{channel_id}/widget/secret",
    operation_id = "renew_widget_secret", tag = "company", params(ChannelPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Widget, description = "As it is now"), OfAdministrators))]
pub async fn renew_secret(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    PathParams(path): PathParams<ChannelPath>,
) -> Result<Json<Widget>, ApiError> {
    let id = path.channel_id;
    widget_of(&app, &scope, id).await?;
    let sealed = app.store.vault().seal(SECRET_PURPOSE, &SecretString::from(random::token()));
    let by = by_member(&scope);
    app.store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let company = tx.company_id()?;
                tx.db().save_channel_secret(id, &sealed).await?;
                let channel = channel_in_use(tx, company, id).await?;
                let changes = Changes { channel: Some(channel), ..Changes::default() };
                tx.append(EventType::ChannelChanged, by, Some(id), changes).await?;
                Ok::<_, ApiError>(())
            })
        })
        .await?;
    shown(&app, &scope, id).await.map(Json)
}

async fn widget_of(app: &App, scope: &Scope, id: ChannelId) -> Result<ChannelSecrets, ApiError> {
    if !scope.sees_channel(Some(id)) {
        return Err(ApiError::not_found());
    }
    let found = app.store.reader().await?.db().channel_secrets(id).await?;
    let found = found.filter(|found| {
        found.channel.company_id == scope.company_id && found.channel.kind == ChannelKind::Widget
    });
    let found = found.ok_or_else(ApiError::not_found)?;
    // Its secret is forgotten, and no page shows it any more.
    if found.channel.deleted_at.is_some() { Err(Code::ChannelDeleted.into()) } else { Ok(found) }
}

async fn shown(app: &App, scope: &Scope, id: ChannelId) -> Result<Widget, ApiError> {
    let found = widget_of(app, scope, id).await?;
    let secret = app.store.vault().open(SECRET_PURPOSE, &found.secret_sealed)?;
    let settings = settings_of(app.store.reader().await?.db().widget_settings(id).await?);
    let key = found.channel.external_id.clone();
    let script = app.public_link("/widget/v1.js");
    Ok(Widget {
        script: format!("<script src=\"{script}\" data-channel=\"{key}\" async></script>"),
        key,
        channel: found.channel,
        settings,
        secret: secret.expose_secret().to_owned(),
        demo_url: app.config.widget.demo_site.then(|| app.public_link("/demo/site")),
    })
}

fn checked(settings: WidgetSettings) -> Result<WidgetSettings, ApiError> {
    settings.checked().map_err(|refused| {
        let detail = refused.to_string();
        match refused {
            SettingRefused::TooLong { field, limit } | SettingRefused::TooMany { field, limit } => {
                ApiError::new(Code::WidgetSettingInvalid).field(field).param("limit", limit)
            }
            SettingRefused::NoColour => ApiError::new(Code::WidgetSettingInvalid).field("colour"),
            SettingRefused::ColourTooLight => ApiError::new(Code::ColourTooLight).field("colour"),
            SettingRefused::NoOrigin { origin } => {
                ApiError::new(Code::OriginInvalid).field("allowed_origins").param("origin", origin)
            }
        }
        .detail(detail)
    })
}

/// Who writes through a widget, as far as the visitor, the site and the browser tell.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WidgetVisitor {
    /// What the visitor is called while nothing else is known.
    pub number: i64,
    /// The site's own id of its user; `null`: the site does not vouch for the visitor.
    pub user_id: Option<String>,
    pub name: Option<String>,
    /// Digits; checked by nobody unless `user_id` is there.
    pub phone: Option<String>,
    pub email: Option<String>,
    /// The page of the last message.
    pub page_url: Option<String>,
    pub page_title: Option<String>,
    pub user_agent: String,
}

/// The visitor of a conversation on a site widget.
#[utoipa::path(get, path = "/companies/{company_id}/conversations/{conversation_id}/visitor",
    operation_id = "get_visitor", tag = "conversations", params(ConversationPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = WidgetVisitor, description = "As of the last message"), OfMembers))]
pub async fn get_visitor(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<ConversationPath>,
) -> Result<Json<WidgetVisitor>, ApiError> {
    let id = path.conversation_id;
    let mut reader = app.store.reader().await?;
    reader.db().conversation(&scope, id).await?.ok_or(Code::NotFound)?;
    let found = reader.db().visitor_of_conversation(scope.company_id, id).await?;
    let visitor = found.ok_or(Code::NotFound)?;
    Ok(Json(WidgetVisitor {
        number: visitor.number,
        user_id: visitor.user_id,
        name: visitor.name,
        phone: visitor.phone,
        email: visitor.email,
        page_url: visitor.page_url,
        page_title: visitor.page_title,
        user_agent: visitor.user_agent,
    }))
}
