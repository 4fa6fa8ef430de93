//! The company itself.

use axum::Json;
use axum::extract::State;
use hub_domain::{Company, StreamPosition};
use serde::{Deserialize, Serialize};

use super::members::{CompanyPath, position_of};
use super::refusals::{OfAdministrators, OfMembers};
use crate::actions::change_company::{CompanyChange, change_company};
use crate::app::App;
use crate::auth::{CurrentMember, RequireAdministrator};
use crate::error::{ApiError, Code};
use crate::extract::JsonBody;

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OneCompany {
    pub company: Company,
    pub position: StreamPosition,
}

/// The company.
#[utoipa::path(get, path = "/companies/{company_id}", operation_id = "get_company",
    tag = "company", params(CompanyPath), security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = OneCompany, description = "As it is"), OfMembers))]
pub async fn get_company(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
) -> Result<Json<OneCompany>, ApiError> {
    let position = position_of(&app, scope.company_id).await?;
    let company = app.store.reader().await?.db().company(scope.company_id).await?;
    Ok(Json(OneCompany { company: company.ok_or(Code::NotFound)?, position }))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct CompanyPatch {
    #[schema(example = "Точка роста")]
    pub name: Option<String>,
}

/// Changes the company.
#[utoipa::path(patch, path = "/companies/{company_id}", operation_id = "change_company",
    tag = "company", params(CompanyPath), request_body = CompanyPatch,
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Company, description = "As it is now"), OfAdministrators))]
pub async fn change(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    JsonBody(body): JsonBody<CompanyPatch>,
) -> Result<Json<Company>, ApiError> {
    let change = CompanyChange { name: body.name };
    change_company(&app.store, &scope, change).await.map(Json)
}
