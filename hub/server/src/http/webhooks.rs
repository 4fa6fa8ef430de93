//! What providers call. Genuine, stored, acknowledged: in this order, and nothing else happens here.

use axum::extract::{Request, State};
use http::StatusCode;
use hub_domain::ChannelId;
use hub_domain::channel::{ChannelKind, ChannelState};
use hub_store::StoreError;
use serde::Deserialize;

use crate::actions::apply_updates::{apply_updates, keep_raw};
use crate::app::App;
use crate::error::{ApiError, Code, ErrorBody};
use crate::extract::{PathParams, read_body};

/// Largest body of a webhook.
const BODY_LIMIT: usize = 1024 * 1024;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WebhookPath {
    /// Kind of the channel.
    #[param(example = "telegram_bot")]
    pub driver: String,
    pub channel_id: ChannelId,
}

/// Takes the updates of a provider. Answers after they are durable; the same update may come often.
#[utoipa::path(post, path = "/webhooks/{driver}/{channel_id}", operation_id = "receive_webhook",
    tag = "intake", params(WebhookPath),
    request_body(content = String, description = "The provider's own format", content_type = "application/json"),
    responses(
        (status = 200, description = "Stored; also what cannot be read, which is kept as it came"),
        (status = 401, body = ErrorBody, description = "`webhook_secret_wrong`"),
        (status = 404, body = ErrorBody, description = "`not_found`"),
        (status = 409, body = ErrorBody, description = "`channel_disabled`: ask again later"),
        (status = 413, body = ErrorBody, description = "`body_too_large`"),
        (status = 503, body = ErrorBody, description = "`unavailable`: ask again later"),
    ))]
pub async fn receive(
    State(app): State<App>,
    PathParams(path): PathParams<WebhookPath>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let (parts, body) = request.into_parts();
    let body = read_body(body, BODY_LIMIT).await?;
    let kind = ChannelKind::parse(&path.driver).ok_or(Code::NotFound)?;
    let driver = app.drivers.get(kind).ok_or(Code::NotFound)?;
    let opened = app.webhook_channels.find(path.channel_id).await?;
    let opened = opened.filter(|opened| opened.channel.kind == kind).ok_or(Code::NotFound)?;
    let (channel, access) = (&opened.channel, &opened.access);
    if !driver.webhook_is_genuine(access, &parts.headers, &body) {
        metrics::counter!("uzel_webhooks_refused_total").increment(1);
        return Err(Code::WebhookSecretWrong.into());
    }
    // The provider keeps what is not acknowledged, until the channel is switched on again.
    if channel.state == ChannelState::Disabled {
        return Err(Code::ChannelDisabled.into());
    }
    let stored = match driver.parse_webhook(access, &body) {
        Ok(updates) => apply_updates(&app.store, &**driver, channel, updates).await,
        Err(error) => {
            // Refused, it would come again and hold up everything behind it.
            tracing::warn!(channel.id = path.channel_id.0, error = %error, "an update cannot be read");
            let body = String::from_utf8_lossy(&body).into_owned();
            keep_raw(&app.store, channel, "unreadable", body).await
        }
    };
    match stored {
        Ok(()) => Ok(StatusCode::OK),
        // As a moment later.
        Err(StoreError::ChannelDeleted) => Err(Code::NotFound.into()),
        Err(error) => Err(error.into()),
    }
}
