//! What goes out, for administrators: what waits, what could not be delivered, what nobody knows of.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use hub_domain::delivery::{DeliveryKind, DeliveryState};
use hub_domain::{CompanyId, DeliveryId, Timestamp};
use hub_store::records::{Attempt, Delivery};
use serde::{Deserialize, Serialize};

use super::conversations::{bad_cursor, page_size};
use super::members::CompanyPath;
use super::refusals::OfAdministrators;
use crate::actions::replay_delivery::replay_delivery;
use crate::app::App;
use crate::auth::RequireAdministrator;
use crate::error::{ApiError, ErrorBody};
use crate::extract::{PathParams, QueryParams};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeliveryPath {
    pub company_id: CompanyId,
    pub delivery_id: DeliveryId,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// `dead` unless given.
    state: Option<DeliveryState>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
    /// 1 to 200, 50 unless given.
    limit: Option<i64>,
}

/// An effect outside and its attempts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DeliveryItem {
    pub id: DeliveryId,
    pub kind: DeliveryKind,
    pub state: DeliveryState,
    /// What it goes to: `channel:7`.
    pub target: String,
    /// The message, attachment or channel it is about.
    pub subject_id: i64,
    pub not_before: Timestamp,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub attempts: Vec<Attempt>,
}

impl DeliveryItem {
    fn new(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            kind: delivery.kind,
            state: delivery.state,
            target: delivery.target,
            subject_id: delivery.subject_id,
            not_before: delivery.not_before,
            error_code: delivery.error_code,
            error_detail: delivery.error_detail,
            created_at: delivery.created_at,
            finished_at: delivery.finished_at,
            attempts: Vec::new(),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Deliveries {
    /// Latest first.
    pub items: Vec<DeliveryItem>,
    /// `null` on the last page.
    pub next_cursor: Option<String>,
}

/// Deliveries of the company in one state.
#[utoipa::path(get, path = "/companies/{company_id}/deliveries", operation_id = "list_deliveries",
    tag = "deliveries", params(CompanyPath, DeliveryQuery),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = Deliveries, description = "A page"), OfAdministrators))]
pub async fn list_deliveries(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    QueryParams(query): QueryParams<DeliveryQuery>,
) -> Result<Json<Deliveries>, ApiError> {
    let state = query.state.unwrap_or(DeliveryState::Dead);
    let size = page_size(query.limit)?;
    let before = match query.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(cursor.parse().map_err(|_| bad_cursor("cursor"))?),
    };
    let mut reader = app.store.reader().await?;
    let mut found = reader.db().deliveries(scope.company_id, state, before, size + 1).await?;
    let more = found.len() as i64 > size;
    found.truncate(size as usize);
    let ids: Vec<i64> = found.iter().map(|delivery| delivery.id.0).collect();
    let attempts = reader.db().attempts_of(&ids).await?;
    let mut items: Vec<DeliveryItem> = found.into_iter().map(DeliveryItem::new).collect();
    for (id, attempt) in attempts {
        if let Some(item) = items.iter_mut().find(|item| item.id.0 == id) {
            item.attempts.push(attempt);
        }
    }
    let next_cursor = if more { items.last().map(|item| item.id.to_string()) } else { None };
    Ok(Json(Deliveries { items, next_cursor }))
}

/// Tries a dead delivery again.
#[utoipa::path(post, path = "/companies/{company_id}/deliveries/{delivery_id}/replay",
    operation_id = "replay_delivery", tag = "deliveries", params(DeliveryPath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 202, body = DeliveryItem, description = "It waits for its turn"),
        (status = 409, body = ErrorBody, description = "`status_conflict`"),
        OfAdministrators,
    ))]
pub async fn replay(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    PathParams(path): PathParams<DeliveryPath>,
) -> Result<(StatusCode, Json<DeliveryItem>), ApiError> {
    let delivery = replay_delivery(&app.store, &scope, path.delivery_id).await?;
    Ok((StatusCode::ACCEPTED, Json(DeliveryItem::new(delivery))))
}
