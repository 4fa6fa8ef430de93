//! What every request passes through: its id, its log line and metrics, a panic caught, the headers
//! that bound what a browser does with the answer.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue, header};
use tracing::Instrument as _;

use crate::error::{ApiError, Code, REQUEST_ID};
use crate::random;

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob: data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Requests slower than this are worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

/// The outermost layer.
pub async fn follow_request(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = random::short_id();
    let method = request.method().clone();
    // The pattern, not the path: bounded for metrics, and free of ids and tokens in the log.
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let span =
        tracing::info_span!("request", request.id = %id, http.method = %method, http.path = %path);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let scoped = REQUEST_ID.scope(id.clone(), async move {
        answer.await.unwrap_or_else(|panic| {
            tracing::error!(panic = panic_text(&*panic), "a handler panicked");
            ApiError::new(Code::Internal).into_response()
        })
    });
    let mut response = scoped.instrument(span.clone()).await;

    let took = started.elapsed();
    let status = response.status().as_u16();
    metrics::histogram!(
        "uzel_http_request_seconds",
        "method" => method.as_str().to_owned(),
        "path" => path,
        "status" => status.to_string(),
    )
    .record(took.as_secs_f64());
    span.in_scope(|| {
        let milliseconds = took.as_millis() as u64;
        if took > SLOW {
            tracing::warn!(status, milliseconds, "slow request");
        } else {
            tracing::debug!(status, milliseconds, "request");
        }
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    set_security_headers(&mut response);
    response
}

fn set_security_headers(response: &mut Response) {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
}

/// Answers of the API are for this moment and this person.
pub async fn forbid_caching(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}
