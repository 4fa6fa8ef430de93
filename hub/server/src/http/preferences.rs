//! What a member chooses for themselves in a company.

use axum::Json;
use axum::extract::State;
use hub_domain::{ChatOrder, Preferences};
use serde::Deserialize;

use super::members::CompanyPath;
use super::refusals::OfChanges;
use crate::actions::change_preferences::change_preferences;
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::ApiError;
use crate::extract::JsonBody;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct PreferencesPatch {
    pub chat_order: Option<ChatOrder>,
}

/// Changes what you have chosen for yourself. The session tells what holds.
#[utoipa::path(patch, path = "/companies/{company_id}/preferences",
    operation_id = "change_preferences", tag = "profile", params(CompanyPath),
    request_body = PreferencesPatch, security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Preferences, description = "As they are now"), OfChanges))]
pub async fn change(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    JsonBody(body): JsonBody<PreferencesPatch>,
) -> Result<Json<Preferences>, ApiError> {
    change_preferences(&app.store, &scope, body.chat_order).await.map(Json)
}
