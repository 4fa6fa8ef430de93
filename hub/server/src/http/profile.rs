//! What a user changes of their own account: the name, the private token.

use axum::Json;
use axum::extract::State;
use hub_domain::Timestamp;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::refusals::OfOwn;
use super::session::SessionUser;
use crate::actions::change_profile::change_name;
use crate::actions::private_token::{reissue_private_token, reveal_private_token};
use crate::app::App;
use crate::auth::{CurrentUser, Visitor};
use crate::error::{ApiError, Code};
use crate::extract::JsonBody;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ProfilePatch {
    /// As colleagues see it.
    #[schema(example = "Марина Белова")]
    pub name: String,
}

/// Changes your own name; every company you are in is told.
#[utoipa::path(patch, path = "/profile", operation_id = "change_profile", tag = "profile",
    request_body = ProfilePatch, security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = SessionUser, description = "As it is now"), OfOwn))]
pub async fn change_profile(
    State(app): State<App>,
    user: CurrentUser,
    JsonBody(body): JsonBody<ProfilePatch>,
) -> Result<Json<SessionUser>, ApiError> {
    let name = change_name(&app, user.user.id, &body.name).await?;
    Ok(Json(SessionUser { id: user.user.id, name, phone: user.user.phone }))
}

/// What is known of a private token without showing it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PrivateToken {
    /// `null` while there is none.
    pub created_at: Option<Timestamp>,
    /// To the minute; `null` when it was never used.
    pub last_used_at: Option<Timestamp>,
}

/// A private token, shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShownToken {
    pub token: String,
}

/// Whether you have a private token, and when it was last used.
#[utoipa::path(get, path = "/profile/private-token", operation_id = "get_private_token",
    tag = "profile", security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = PrivateToken, description = "Without the token itself"), OfOwn))]
pub async fn get_private_token(
    State(app): State<App>,
    user: CurrentUser,
) -> Result<Json<PrivateToken>, ApiError> {
    let held = app.store.reader().await?.db().api_token(user.user.id).await?;
    Ok(Json(PrivateToken {
        created_at: held.as_ref().map(|held| held.created_at),
        last_used_at: held.and_then(|held| held.last_used_at),
    }))
}

/// Makes a private token. The one before stops working at once.
#[utoipa::path(post, path = "/profile/private-token", operation_id = "reissue_private_token",
    tag = "profile", security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = ShownToken, description = "The new one"), OfOwn))]
pub async fn reissue(
    State(app): State<App>,
    user: CurrentUser,
    visitor: Visitor,
) -> Result<Json<ShownToken>, ApiError> {
    let token = reissue_private_token(&app, &user, &visitor).await?;
    Ok(Json(ShownToken { token: token.expose_secret().to_owned() }))
}

/// Shows your private token. The server's log says that it was shown.
#[utoipa::path(post, path = "/profile/private-token/reveal", operation_id = "reveal_private_token",
    tag = "profile", security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = ShownToken, description = "As it is"), OfOwn))]
pub async fn reveal(
    State(app): State<App>,
    user: CurrentUser,
    visitor: Visitor,
) -> Result<Json<ShownToken>, ApiError> {
    let token = reveal_private_token(&app, &user, &visitor).await?.ok_or(Code::NotFound)?;
    Ok(Json(ShownToken { token: token.expose_secret().to_owned() }))
}
