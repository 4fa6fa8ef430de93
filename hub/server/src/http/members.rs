//! Colleagues.

use axum::Json;
use axum::extract::State;
use hub_domain::{CompanyId, Member, StreamPosition};
use serde::Serialize;

use super::refusals::OfMembers;
use crate::app::App;
use crate::auth::CurrentMember;
use crate::error::{ApiError, Code};

/// The company of a route.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CompanyPath {
    pub company_id: CompanyId,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Members {
    pub items: Vec<Member>,
    pub position: StreamPosition,
}

/// Where the log of a company stands. Read it *before* what it goes with: what changes in between is
/// then told twice, never missed.
pub async fn position_of(app: &App, company: CompanyId) -> Result<StreamPosition, ApiError> {
    app.store.position(company).await?.ok_or_else(|| Code::NotFound.into())
}

/// The members of the company.
#[utoipa::path(get, path = "/companies/{company_id}/members", operation_id = "list_members",
    tag = "company", params(CompanyPath), security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Members, description = "All of them"), OfMembers))]
pub async fn list_members(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
) -> Result<Json<Members>, ApiError> {
    let position = position_of(&app, scope.company_id).await?;
    let items = app.store.reader().await?.db().members(scope.company_id).await?;
    Ok(Json(Members { items, position }))
}
