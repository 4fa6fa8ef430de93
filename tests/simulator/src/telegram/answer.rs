//! The envelope of the Bot API and the refusals it knows, with the provider's own texts.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

/// A refusal as the provider words it. The HTTP status equals the code.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub code: u16,
    pub description: Cow<'static, str>,
    pub parameters: Option<Value>,
}

impl Refusal {
    pub fn new(code: u16, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: description.into(), parameters: None }
    }

    /// 400; the text goes after `Bad Request: `.
    pub fn bad(reason: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", reason.as_ref()))
    }

    /// 403; the text goes after `Forbidden: `.
    pub fn forbidden(reason: impl AsRef<str>) -> Self {
        Self::new(403, format!("Forbidden: {}", reason.as_ref()))
    }

    /// 409; the text goes after `Conflict: `.
    pub fn conflict(reason: &str) -> Self {
        Self::new(409, format!("Conflict: {reason}"))
    }

    pub fn too_many_requests(retry_after: u32) -> Self {
        Self {
            code: 429,
            description: format!("Too Many Requests: retry after {retry_after}").into(),
            parameters: Some(json!({ "retry_after": retry_after })),
        }
    }

    pub fn upgraded(to: i64) -> Self {
        Self {
            code: 400,
            description: "Bad Request: group chat was upgraded to a supergroup chat".into(),
            parameters: Some(json!({ "migrate_to_chat_id": to })),
        }
    }

    pub const UNAUTHORIZED: Self = Self::plain(401, "Unauthorized");
    pub const NOT_FOUND: Self = Self::plain(404, "Not Found");
    pub const METHOD_NOT_FOUND: Self = Self::plain(404, "Not Found: method not found");
    pub const TOO_LARGE: Self = Self::plain(413, "Request Entity Too Large");
    pub const CHAT_NOT_FOUND: Self = Self::plain(400, "Bad Request: chat not found");

    const fn plain(code: u16, description: &'static str) -> Self {
        Self { code, description: Cow::Borrowed(description), parameters: None }
    }

    pub fn body(&self) -> String {
        let mut body =
            json!({ "ok": false, "error_code": self.code, "description": self.description });
        if let Some(parameters) = &self.parameters {
            body["parameters"] = parameters.clone();
        }
        body.to_string()
    }
}

/// What a method gives when it is not refused.
#[derive(Debug, Clone)]
pub(super) struct Success {
    pub result: Value,
    pub description: Option<&'static str>,
    pub message_ids: Vec<i64>,
}

impl Success {
    /// `true`, the result of methods that only do.
    pub fn done() -> Self {
        Self { result: Value::Bool(true), description: None, message_ids: Vec::new() }
    }

    pub fn done_with(description: &'static str) -> Self {
        Self { description: Some(description), ..Self::done() }
    }

    pub fn of(result: Value) -> Self {
        Self { result, ..Self::done() }
    }

    pub fn message(id: i64, message: Value) -> Self {
        Self { message_ids: vec![id], ..Self::of(message) }
    }

    pub fn body(&self) -> String {
        let description =
            self.description.map(|text| format!(",\"description\":\"{text}\"")).unwrap_or_default();
        format!("{{\"ok\":true,\"result\":{}{description}}}", self.result)
    }
}

pub(super) type Answer = Result<Success, Refusal>;

pub(super) fn json_response(code: u16, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

pub(super) fn refused(refusal: &Refusal) -> Response {
    json_response(refusal.code, refusal.body())
}

/// What a front server says when the API behind it is away.
pub(super) fn bad_gateway_page() -> Response {
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html"));
    response
}
