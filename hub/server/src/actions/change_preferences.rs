//! A member chooses how the interface serves them. No event tells of it: the log is the company's, and
//! what somebody likes is nobody else's business.

use hub_domain::{ChatOrder, Preferences, Scope};
use hub_store::Store;

use crate::error::ApiError;

/// `None` stays as it is.
pub async fn change_preferences(
    store: &Store,
    scope: &Scope,
    chat_order: Option<ChatOrder>,
) -> Result<Preferences, ApiError> {
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let held = tx.db().preferences_of_user(scope.user_id).await?;
                let held = held.into_iter().find(|(member, _)| *member == scope.member_id);
                let (_, before) = held.ok_or_else(ApiError::not_found)?;
                let after = Preferences { chat_order: chat_order.unwrap_or(before.chat_order) };
                if after != before {
                    tx.db().save_preferences(scope.company_id, scope.member_id, after).await?;
                }
                Ok(after)
            })
        })
        .await
}
