//! The application as the doorkeeper of realtime connections: the same rules as for requests.

use async_trait::async_trait;
use http::{HeaderMap, header};
use hub_domain::{CompanyId, Scope, UserId};

use super::{Caller, Doorkeeper};
use crate::app::App;
use crate::auth;
use crate::error::{ApiError, Code};

#[async_trait]
impl Doorkeeper for App {
    async fn caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, ApiError> {
        let current = known(auth::authenticate(self, headers).await, Code::Unauthenticated)?;
        Ok(current.map(|current| Caller { user_id: current.user.id, proof: current.proof }))
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        // A browser's handshake always names its origin. What it says beside that in Sec-Fetch-Site
        // differs between browsers: some compare the schemes ws and http.
        let mut named = HeaderMap::new();
        for name in [header::ORIGIN, header::HOST] {
            if let Some(value) = headers.get(&name) {
                named.insert(name, value.clone());
            }
        }
        auth::check_origin(self, &named)
    }

    async fn is_signed_in(&self, caller: Caller) -> Result<bool, ApiError> {
        auth::is_still_valid(self, caller.proof).await
    }

    async fn scope(&self, user: UserId, company: CompanyId) -> Result<Option<Scope>, ApiError> {
        known(auth::scope_of(self, user, company).await, Code::NotFound)
    }
}

/// A refusal with this code is an answer, not an error.
fn known<T>(result: Result<T, ApiError>, refusal: Code) -> Result<Option<T>, ApiError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.code == refusal => Ok(None),
        Err(error) => Err(error),
    }
}
