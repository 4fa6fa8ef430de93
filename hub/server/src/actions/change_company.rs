//! An administrator changes the company's name.

use hub_domain::company::COMPANY_NAME_LIMIT;
use hub_domain::event::{Changes, EventType};
use hub_domain::{Company, Scope};
use hub_store::Store;

use super::by_member;
use super::set_up::checked_name;
use crate::error::ApiError;

/// What is wanted changed; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct CompanyChange {
    pub name: Option<String>,
}

pub async fn change_company(
    store: &Store,
    scope: &Scope,
    change: CompanyChange,
) -> Result<Company, ApiError> {
    let name =
        change.name.map(|name| checked_name(&name, COMPANY_NAME_LIMIT, "name")).transpose()?;
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let before = tx.db().company(scope.company_id).await?;
                let before = before.ok_or_else(ApiError::not_found)?;
                let company =
                    Company { name: name.unwrap_or_else(|| before.name.clone()), ..before.clone() };
                if company == before {
                    return Ok(before);
                }
                let changes = Changes { company: Some(company.clone()), ..Changes::default() };
                let origin = by_member(&scope);
                let changes = tx.append(EventType::CompanyChanged, origin, None, changes).await?;
                Ok(changes.company.unwrap_or(company))
            })
        })
        .await
}
