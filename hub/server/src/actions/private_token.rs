//! A user's private token: shown to its owner again, and replaced.
//!
//! It opens everything its owner may do, so who looked at it and who replaced it stands in the log of
//! the server. The token itself never does.

use hub_domain::UserId;
use hub_store::{StoreError, Tx, Vault};
use secrecy::SecretString;

use crate::app::App;
use crate::auth::{CurrentUser, Proof, Visitor, token_hash};
use crate::error::ApiError;
use crate::random;

/// What the sealed private token is bound to.
pub const TOKEN_PURPOSE: &str = "api_token";

/// Makes a token in place of the one before.
pub async fn new_private_token(
    tx: &mut Tx,
    vault: &Vault,
    user: UserId,
) -> Result<SecretString, StoreError> {
    let token = random::token();
    let sealed = vault.seal(TOKEN_PURPOSE, &token.clone().into());
    let now = tx.now();
    tx.db().put_api_token(user, &token_hash(&token), &sealed, now).await?;
    Ok(token.into())
}

/// The token as it is; `None` when there is none yet.
pub async fn reveal_private_token(
    app: &App,
    user: &CurrentUser,
    visitor: &Visitor,
) -> Result<Option<SecretString>, ApiError> {
    let id = user.user.id;
    let Some(held) = app.store.reader().await?.db().api_token(id).await? else { return Ok(None) };
    let token = app.store.vault().open(TOKEN_PURPOSE, &held.token_sealed)?;
    tracing::info!(
        user.id = id.0,
        by = spoken(user.proof),
        address = %visitor.address,
        "the private token of a user was shown"
    );
    Ok(Some(token))
}

/// Makes a new token. The one before opens nothing from now on, live connections included.
pub async fn reissue_private_token(
    app: &App,
    user: &CurrentUser,
    visitor: &Visitor,
) -> Result<SecretString, ApiError> {
    let id = user.user.id;
    let vault = app.store.vault().clone();
    let token = app
        .store
        .write_system(move |tx| {
            Box::pin(async move { new_private_token(tx, &vault, id).await.map_err(ApiError::from) })
        })
        .await?;
    tracing::info!(
        user.id = id.0,
        by = spoken(user.proof),
        address = %visitor.address,
        "the private token of a user was replaced"
    );
    app.fanout.private_token_replaced(id);
    Ok(token)
}

const fn spoken(proof: Proof) -> &'static str {
    match proof {
        Proof::Session(_) => "session",
        Proof::PrivateToken(_) => "private_token",
    }
}
