//! What goes out: for administrators what waits, what could not be delivered, what nobody knows of; for
//! every member what was done for one message.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use hub_domain::delivery::{DeliveryKind, DeliveryState};
use hub_domain::{CompanyId, DeliveryId, Timestamp};
use hub_store::Db;
use hub_store::records::{Attempt, Delivery, DeliveryCounts, DeliverySubject};
use serde::{Deserialize, Serialize};

use super::conversations::{bad_cursor, page_size};
use super::members::CompanyPath;
use super::messages::MessagePath;
use super::refusals::{OfAdministrators, OfMembers};
use crate::actions::replay_delivery::replay_delivery;
use crate::app::App;
use crate::auth::{CurrentMember, RequireAdministrator};
use crate::error::{ApiError, Code, ErrorBody};
use crate::extract::{PathParams, QueryParams};

/// Most deliveries told of one message: an edit a minute is told for hours.
const OF_ONE_MESSAGE: i64 = 200;

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
    /// The same in words.
    pub subject: DeliverySubject,
    /// Not tried before.
    pub not_before: Timestamp,
    /// Of the last attempt.
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
    pub created_at: Timestamp,
    /// Since when it is in a state that is an end (`done`, `dead`, `unknown`, `cancelled`).
    pub finished_at: Option<Timestamp>,
    /// In their order. Empty: it was not tried yet.
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
            subject: DeliverySubject::default(),
            not_before: delivery.not_before,
            error_code: delivery.error_code,
            error_detail: delivery.error_detail,
            created_at: delivery.created_at,
            finished_at: delivery.finished_at,
            attempts: Vec::new(),
        }
    }

    /// With what they are about and how each attempt went.
    async fn all(db: &mut Db<'_>, deliveries: Vec<Delivery>) -> Result<Vec<Self>, ApiError> {
        let ids: Vec<i64> = deliveries.iter().map(|delivery| delivery.id.0).collect();
        let mut subjects: HashMap<i64, DeliverySubject> =
            db.delivery_subjects(&ids).await?.into_iter().collect();
        let mut attempts: HashMap<i64, Vec<Attempt>> = HashMap::new();
        for (id, attempt) in db.attempts_of(&ids).await? {
            attempts.entry(id).or_default().push(attempt);
        }
        Ok(deliveries
            .into_iter()
            .map(|delivery| {
                let id = delivery.id.0;
                Self {
                    subject: subjects.remove(&id).unwrap_or_default(),
                    attempts: attempts.remove(&id).unwrap_or_default(),
                    ..Self::new(delivery)
                }
            })
            .collect())
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
    let items = DeliveryItem::all(&mut reader.db(), found).await?;
    let next_cursor = if more { items.last().map(|item| item.id.to_string()) } else { None };
    Ok(Json(Deliveries { items, next_cursor }))
}

/// How many deliveries of the company wait, are under way, are dead or unknown.
#[utoipa::path(get, path = "/companies/{company_id}/deliveries/counts",
    operation_id = "count_deliveries", tag = "deliveries", params(CompanyPath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = DeliveryCounts, description = "Counts"), OfAdministrators))]
pub async fn count_deliveries(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
) -> Result<Json<DeliveryCounts>, ApiError> {
    let mut reader = app.store.reader().await?;
    Ok(Json(reader.db().delivery_counts_of_company(scope.company_id).await?))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MessageDeliveries {
    /// Oldest first; of very many the latest 200.
    pub items: Vec<DeliveryItem>,
}

/// What was done outside for a message, attempt by attempt: sending, editing, deleting, fetching its
/// files. What ended well is kept for some days.
#[utoipa::path(get,
    path = "/companies/{company_id}/conversations/{conversation_id}/messages/{message_id}/deliveries",
    operation_id = "list_message_deliveries", tag = "conversations", params(MessagePath),
    security(("session" = []), ("private_token" = [])),
    responses((status = 200, body = MessageDeliveries, description = "All of them"), OfMembers))]
pub async fn list_message_deliveries(
    State(app): State<App>,
    CurrentMember(scope): CurrentMember,
    PathParams(path): PathParams<MessagePath>,
) -> Result<Json<MessageDeliveries>, ApiError> {
    let company = scope.company_id;
    let mut reader = app.store.reader().await?;
    let conversation = reader.db().conversation(&scope, path.conversation_id).await?;
    let conversation = conversation.ok_or(Code::NotFound)?;
    let message = reader.db().message(company, path.message_id).await?;
    let message = message.filter(|message| message.conversation_id == conversation.id);
    let message = message.ok_or(Code::NotFound)?;
    let found = reader.db().deliveries_of_message(company, message.id, OF_ONE_MESSAGE).await?;
    let items = DeliveryItem::all(&mut reader.db(), found).await?;
    Ok(Json(MessageDeliveries { items }))
}

/// Tries a dead delivery again.
#[utoipa::path(post, path = "/companies/{company_id}/deliveries/{delivery_id}/replay",
    operation_id = "replay_delivery", tag = "deliveries", params(DeliveryPath),
    security(("session" = []), ("private_token" = [])),
    responses(
        (status = 202, body = DeliveryItem, description = "It waits for its turn"),
        (status = 409, body = ErrorBody, description = "`status_conflict`, `channel_deleted`"),
        OfAdministrators,
    ))]
pub async fn replay(
    State(app): State<App>,
    RequireAdministrator(scope): RequireAdministrator,
    PathParams(path): PathParams<DeliveryPath>,
) -> Result<(StatusCode, Json<DeliveryItem>), ApiError> {
    let delivery = replay_delivery(&app.store, &scope, path.delivery_id).await?;
    let mut reader = app.store.reader().await?;
    let mut items = DeliveryItem::all(&mut reader.db(), vec![delivery]).await?;
    let item = items.pop().ok_or_else(ApiError::not_found)?;
    Ok((StatusCode::ACCEPTED, Json(item)))
}
