//! The control interface: what a test in another process, a script or the terminal chat uses. JSON over HTTP.
//!
//! Every provider has its own folder under `/control`; here is what belongs to none of them.

use axum::extract::{FromRequest, Request, State as Held};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{State, telegram};

pub(crate) fn router(state: State) -> Router<State> {
    Router::new()
        .route("/control/health", get(async || Json(json!({ "ok": true }))))
        .route("/control/reset", post(reset))
        .nest("/control/telegram", telegram::control::router())
        .with_state(state)
}

async fn reset(Held(state): Held<State>) -> Json<Value> {
    state.reset();
    Json(json!({ "ok": true }))
}

/// A refusal of the control interface.
pub(crate) struct Refused(pub StatusCode, pub String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

/// A JSON body whatever its content type; an empty one is an empty object, so that a script may leave it out.
pub(crate) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let wrong = |reason: String| Refused(StatusCode::BAD_REQUEST, reason);
        let bytes =
            Bytes::from_request(request, state).await.map_err(|error| wrong(error.to_string()))?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(Self).map_err(|error| wrong(error.to_string()))
    }
}
