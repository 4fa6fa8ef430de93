//! Site widgets as visitors meet them: who comes in, what they may see, and how they follow it live.
//!
//! A visitor sees one conversation: what they wrote, and what members sent. Nothing else of the company
//! passes [`view`]. [`live`] tells it as it happens, from the event log like everything else.

mod limits;
pub mod live;
pub mod view;

use channel_widget::WidgetSettings;
use channel_widget::identity::{SiteUser, VisitorId};
use http::{HeaderMap, Method, header};
use hub_domain::ChannelId;
use hub_domain::channel::Channel;
use hub_store::records::ChannelSecrets;
use secrecy::SecretString;

pub use self::limits::VisitorLimits;
pub use self::live::Visitors;
use crate::actions::connect_channel::SECRET_PURPOSE;
use crate::app::App;
use crate::error::{ApiError, Code};

/// A widget, as far as a request about it needs to know.
#[derive(Debug, Clone)]
pub struct OpenWidget {
    pub channel: Channel,
    pub settings: WidgetSettings,
    secret: ChannelSecrets,
}

impl OpenWidget {
    /// The widget of a script tag.
    pub async fn by_key(app: &App, key: &str) -> Result<Self, ApiError> {
        let mut reader = app.store.reader().await?;
        let secret = reader.db().widget_by_key(key).await?.ok_or(Code::NotFound)?;
        let settings = settings_of(reader.db().widget_settings(secret.channel.id).await?);
        Ok(Self { channel: secret.channel.clone(), settings, secret })
    }

    /// What sites sign the tokens of their users with.
    pub fn secret(&self, app: &App) -> Result<SecretString, ApiError> {
        Ok(app.store.vault().open(SECRET_PURPOSE, &self.secret.secret_sealed)?)
    }

    /// Refuses pages that may not show this widget. Our own pages always may. Browsers name the origin
    /// of whatever changes something, and of every WebSocket.
    pub fn check_origin(
        &self,
        app: &App,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<(), ApiError> {
        let socket = headers.contains_key(header::UPGRADE);
        let Some(origin) = headers.get(header::ORIGIN) else {
            let harmless = method.is_safe() && !socket;
            return if harmless || self.settings.allowed_origins.is_empty() {
                Ok(())
            } else {
                Err(Code::OriginNotAllowed.into())
            };
        };
        let origin = origin.to_str().map_err(|_| Code::OriginNotAllowed)?;
        if self.settings.allows(origin) || is_our_own(app, origin, headers) {
            Ok(())
        } else {
            Err(Code::OriginNotAllowed.into())
        }
    }
}

/// Settings as they lie in the table. A widget is never lost over a setting nobody knows any more.
pub fn settings_of(stored: Option<String>) -> WidgetSettings {
    stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn is_our_own(app: &App, origin: &str, headers: &HeaderMap) -> bool {
    let Ok(url) = url::Url::parse(origin) else { return false };
    if url.origin() == app.public_url().origin() {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.and_then(|host| url::Url::parse(&format!("{}://{host}", url.scheme())).ok())
        .is_some_and(|same| same.origin() == url.origin())
}

/// Somebody at a widget.
#[derive(Debug, Clone)]
pub struct KnownVisitor {
    pub id: VisitorId,
    pub user: Option<SiteUser>,
}

/// Whose token this is.
pub fn visitor_of(app: &App, channel: ChannelId, token: &str) -> Result<KnownVisitor, ApiError> {
    let known = VisitorId::of_token(&app.keys.widget, channel, token);
    let (id, user) = known.ok_or(Code::VisitorTokenInvalid)?;
    Ok(KnownVisitor { id, user })
}
