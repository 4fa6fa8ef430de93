//! The description of the API, made from the routes themselves.

use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use http::header;
use utoipa::Modify;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::error::{ErrorBody, ErrorItem};

/// What the document says beside the routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Uzel",
        description = "The HTTP interface of Uzel. Times are RFC 3339 in UTC, ids are 64-bit integers. \
            A refusal is `{errors: [{code, detail}], request_id}` with a stable code. Lists and events \
            carry a `version` for each entity: the newer one wins, whatever arrives first. \
            Sign in with the cookie of a session (unsafe methods then need the `X-CSRF-Token` header), \
            or send a private token as `Authorization: Bearer`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ErrorBody, ErrorItem)),
    modifiers(&Security),
    tags(
        (name = "session", description = "Setting up, signing in and out"),
        (name = "company", description = "Members and channels of a company"),
        (name = "conversations", description = "Conversations and their messages"),
        (name = "files", description = "Files of messages"),
        (name = "deliveries", description = "What goes out, and what could not"),
        (name = "intake", description = "What providers call"),
        (name = "operation", description = "For whoever runs the server"),
    ),
)]
pub struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let Some(components) = document.components.as_mut() else { return };
        components.add_security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("uzel_session"))),
        );
        components.add_security_scheme(
            "private_token",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        );
    }
}

/// The document as it is served and committed.
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut text = crate::router::document()
            .to_pretty_json()
            .expect("the document is made of strings and maps");
        text.push('\n');
        text
    })
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "get_openapi", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub async fn get_openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text()).into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_document_is_the_one_the_routes_make() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == super::text(), "docs/openapi.json is stale: run `make regen`");
    }
}
