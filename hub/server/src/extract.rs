//! Reading requests: body, path and query, each refusal with a code of the envelope.
//!
//! Bounds are set here. A body above its limit is read to its end, up to a second bound, before it is
//! refused: a client that is still sending would otherwise see a broken connection, not the answer.

use std::time::Duration;

use axum::body::Body;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, Code};

/// Largest JSON body.
pub const JSON_LIMIT: usize = 256 * 1024;
/// How much of a refused body is read and thrown away.
const DISCARD_LIMIT: usize = 64 * 1024 * 1024;
/// How long a body may stand still.
const STILL_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON body of the right form.
#[derive(Debug, Clone, Copy)]
pub struct JsonBody<T>(pub T);

impl<S, T> FromRequest<S> for JsonBody<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(Code::UnsupportedMediaType.into());
        }
        let bytes = read_body(request.into_body(), JSON_LIMIT).await?;
        parse_json(&bytes).map(Self)
    }
}

/// Whether the body says that it is JSON. A form or plain text, which other sites can make a browser
/// send, does not.
fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    })
}

/// Reads a body of at most `limit` bytes.
pub async fn read_body(mut body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut bytes = BytesMut::new();
    let mut seen = 0_usize;
    while let Some(frame) = next_frame(&mut body).await? {
        seen = seen.saturating_add(frame.len());
        if seen > limit {
            bytes = BytesMut::new();
            if seen > limit.saturating_add(DISCARD_LIMIT) {
                break;
            }
        } else {
            bytes.extend_from_slice(&frame);
        }
    }
    if seen > limit {
        return Err(ApiError::new(Code::BodyTooLarge).param("limit_bytes", limit));
    }
    Ok(bytes.freeze())
}

/// A body piece by piece, for what is too large to be held; standing still for too long is an error.
pub fn body_pieces(body: Body) -> impl Stream<Item = Result<Bytes, ApiError>> + Send {
    stream::unfold(body, |mut body| async move {
        next_frame(&mut body).await.transpose().map(|piece| (piece, body))
    })
}

async fn next_frame(body: &mut Body) -> Result<Option<Bytes>, ApiError> {
    loop {
        let frame = tokio::time::timeout(STILL_TIMEOUT, body.frame())
            .await
            .map_err(|_| ApiError::new(Code::RequestTimeout))?;
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => {
                return Err(ApiError::new(Code::InvalidRequest)
                    .detail("The body broke off.")
                    .status(StatusCode::BAD_REQUEST));
            }
        }
    }
}

/// Reads `bytes` as JSON, naming the field that does not fit.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if !error.is_data() {
            return ApiError::new(Code::InvalidJson).detail(format!(
                "Line {}, column {}.",
                error.line(),
                error.column()
            ));
        }
        let text = error.to_string();
        let mut answer = ApiError::new(Code::InvalidRequest).detail(first_chars(&text, 200));
        match named_field(&text, &path) {
            Some(field) => answer = answer.field(field),
            None if path != "." => answer = answer.field(path),
            None => {}
        }
        answer
    })?;
    reader.end().map_err(|_| {
        ApiError::new(Code::InvalidJson).detail("There is something after the JSON value.")
    })?;
    Ok(value)
}

/// A missing field is named in serde's sentence only.
fn named_field(text: &str, path: &str) -> Option<String> {
    let name = text.strip_prefix("missing field `")?.split('`').next()?;
    Some(if path == "." { name.to_owned() } else { format!("{path}.{name}") })
}

fn first_chars(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

/// Parameters of the path. One that cannot be an id is an address where nothing is.
#[derive(Debug, Clone, Copy)]
pub struct PathParams<T>(pub T);

impl<S, T> FromRequestParts<S> for PathParams<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        state: &S,
    ) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(failed))
                if matches!(failed.kind(), ErrorKind::UnsupportedType { .. }) =>
            {
                Err(ApiError::internal(anyhow::anyhow!("{failed}")))
            }
            Err(_) => Err(ApiError::not_found()),
        }
    }
}

/// Parameters of the query.
#[derive(Debug, Clone, Copy)]
pub struct QueryParams<T>(pub T);

impl<S, T> FromRequestParts<S> for QueryParams<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        state: &S,
    ) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(QueryRejection::FailedToDeserializeQueryString(failed)) => {
                Err(ApiError::new(Code::InvalidRequest)
                    .detail(first_chars(&failed.body_text(), 200))
                    .status(StatusCode::BAD_REQUEST))
            }
            Err(_) => Err(ApiError::new(Code::InvalidRequest).status(StatusCode::BAD_REQUEST)),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its form matters here")]
    struct Wanted {
        text: String,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its form matters here")]
    struct Inner {
        number: i64,
    }

    async fn told(body: &str) -> serde_json::Value {
        let error = parse_json::<Wanted>(body.as_bytes()).expect_err("a refusal");
        let response = error.into_response();
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[tokio::test]
    async fn a_refused_body_names_what_is_wrong() {
        for (body, code, field) in [
            ("{", "invalid_json", None),
            ("{} {}", "invalid_request", Some("text")),
            ("{\"text\":\"a\"} {}", "invalid_json", None),
            ("{}", "invalid_request", Some("text")),
            ("{\"text\":1}", "invalid_request", Some("text")),
            ("{\"text\":\"a\",\"inner\":{}}", "invalid_request", Some("inner.number")),
            (
                "{\"text\":\"a\",\"inner\":{\"number\":\"x\"}}",
                "invalid_request",
                Some("inner.number"),
            ),
        ] {
            let told = told(body).await;
            assert_eq!(told["errors"][0]["code"], code, "{body}");
            assert_eq!(told["errors"][0]["field"].as_str(), field, "{body}");
        }
    }

    #[tokio::test]
    async fn a_body_above_its_limit_is_refused_after_it_was_read() {
        let error = read_body(Body::from(vec![b'x'; 100]), 99).await.expect_err("too large");
        assert_eq!(error.code, Code::BodyTooLarge);
        let bytes = read_body(Body::from(vec![b'x'; 99]), 99).await.expect("fits");
        assert_eq!(bytes.len(), 99);
    }

    #[test]
    fn only_json_passes_as_json() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(value));
            is_json(&headers)
        };
        assert!(of("application/json"));
        assert!(of("Application/JSON; charset=utf-8"));
        assert!(!of("text/plain"));
        assert!(!of("application/x-www-form-urlencoded"));
        assert!(!is_json(&HeaderMap::new()));
    }
}
