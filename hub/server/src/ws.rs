//! Realtime: the WebSocket connections of browsers and programs.
//!
//! [`fanout`] knows who is connected; a [`stream`] is one company's log while somebody watches it; a
//! [`recovery::Follower`] is a client's place in it; a [`session`] is one connection. What is sent comes
//! from the event log and nowhere else. `docs/realtime.md` is the protocol for whoever writes a client.

pub mod bell;
mod door;
pub mod fanout;
pub mod protocol;
pub mod recovery;
mod session;
mod stream;

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use hub_domain::{CompanyId, Scope, UserId};

pub use self::bell::Caller;
use self::fanout::Full;
pub use self::fanout::{Fanout, Settings};
use self::protocol::Close;
use crate::app::App;
use crate::error::{ApiError, Code};

/// Largest frame a client may send.
const CLIENT_FRAME_BYTES: usize = 64 * 1024;
/// axum's default is 128 KiB, kept by every idle connection.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Above it frames leave without waiting for the flush.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// Who may come in, and what they may see.
#[async_trait]
pub trait Doorkeeper: Send + Sync + 'static {
    /// Who asks. `None`: nobody we know.
    async fn caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, ApiError>;
    /// Refuses what another site makes a browser ask.
    fn check_origin(&self, headers: &HeaderMap) -> Result<(), ApiError>;
    /// Whether somebody who came in earlier still could.
    async fn is_signed_in(&self, caller: Caller) -> Result<bool, ApiError>;
    /// The user's place in a company; `None` for strangers, whether it exists or not.
    async fn scope(&self, user: UserId, company: CompanyId) -> Result<Option<Scope>, ApiError>;
}

/// `GET /api/v1/realtime`.
pub async fn open(
    State(app): State<App>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    accept(&app.fanout, Arc::new(app.clone()), &headers, upgrade).await
}

/// Turns a request into a connection.
///
/// A browser's program learns nothing of a failed handshake but that it failed. So whoever is not
/// signed in is let in and told with a close code; only a program that sent a wrong token, and what is
/// no handshake at all, get a status.
pub async fn accept(
    fanout: &Fanout,
    door: Arc<dyn Doorkeeper>,
    headers: &HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let with_token = headers.contains_key(http::header::AUTHORIZATION);
    if !with_token {
        door.check_origin(headers)?;
    }
    let caller = door.caller(headers).await?;
    let upgrade = match (caller, upgrade) {
        (None, upgrade) if with_token || upgrade.is_err() => {
            return Err(Code::Unauthenticated.into());
        }
        (_, Err(_)) => {
            let refusal = ApiError::new(Code::InvalidRequest).status(StatusCode::UPGRADE_REQUIRED);
            return Err(refusal.detail("Open this address as a WebSocket."));
        }
        (_, Ok(upgrade)) => upgrade
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_frame_size(CLIENT_FRAME_BYTES)
            .max_message_size(CLIENT_FRAME_BYTES),
    };
    let lifecycle = fanout.lifecycle().clone();
    let admission = match caller.map(|caller| fanout.admit(caller)) {
        Some(Ok(admission)) => admission,
        Some(Err(Full::Node)) => return Err(ApiError::unavailable()),
        Some(Err(Full::User)) => {
            return Err(ApiError::wait(Code::RateLimited, 30)
                .detail("You have as many realtime connections as one user can have."));
        }
        None => {
            let wait = fanout.settings().close_timeout;
            return Ok(upgrade.on_upgrade(move |mut socket| {
                lifecycle.track(async move {
                    session::turn_away(&mut socket, Close::SignedOut, wait).await;
                })
            }));
        }
    };
    Ok(upgrade.on_upgrade(move |socket| {
        // Boxed: each future around it would keep room for it twice.
        lifecycle.track(Box::pin(session::Session::new(socket, admission, door).run()))
    }))
}

#[cfg(test)]
mod tests;
