//! Whether the process lives, whether it can work, and what it counts.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;

use crate::app::App;
use crate::error::{ApiError, ErrorBody};
use crate::telemetry;

const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    pub status: &'static str,
    #[schema(example = "0.1.0")]
    pub version: &'static str,
}

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", operation_id = "get_health", tag = "operation",
    responses((status = 200, description = "It does", body = Health)))]
pub async fn get_health() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether the process can take requests: the database answers, and it is not about to end.
#[utoipa::path(get, path = "/readyz", operation_id = "get_readiness", tag = "operation",
    responses(
        (status = 200, description = "It can", body = Health),
        (status = 503, description = "It cannot, or not any more", body = ErrorBody),
    ))]
pub async fn get_readiness(State(app): State<App>) -> Result<Json<Health>, ApiError> {
    if app.lifecycle.is_draining() {
        return Err(ApiError::unavailable().detail("The server is shutting down."));
    }
    let ping = async { app.store.reader().await?.db().ping().await };
    match tokio::time::timeout(PATIENCE, ping).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "the database does not answer");
            return Err(ApiError::unavailable().detail("The database does not answer."));
        }
        Err(_) => return Err(ApiError::unavailable().detail("The database does not answer.")),
    }
    Ok(Json(Health { status: "ready", version: env!("CARGO_PKG_VERSION") }))
}

/// Counters for Prometheus.
#[utoipa::path(get, path = "/metrics", operation_id = "get_metrics", tag = "operation",
    responses((status = 200, description = "Prometheus text format", body = String)))]
pub async fn get_metrics() -> Response {
    match telemetry::metrics() {
        Some(handle) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
                .into_response()
        }
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
