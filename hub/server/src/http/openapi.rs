//! The description of the API, made from the routes themselves.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use http::header;
use hub_domain::{Ephemeral, Event};
use utoipa::Modify;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr, Schema};

use crate::error::{Code, ErrorBody, ErrorItem};

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
    components(schemas(ErrorBody, ErrorItem, Event, Ephemeral)),
    modifiers(&Security),
    tags(
        (name = "session", description = "Setting up, signing in and out"),
        (name = "company", description = "Members and channels of a company"),
        (name = "conversations", description = "Conversations and their messages"),
        (name = "contacts", description = "Clients: their cards, and the search for them"),
        (name = "quick_replies", description = "Saved answers of a company"),
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

/// Fields that an answer leaves out when there is nothing to say; every other one is always there, if
/// only as `null`.
const LEFT_OUT: [(&str, &[&str]); 3] = [
    (
        "Changes",
        &["message", "conversation", "read_marker", "channel", "member", "quick_reply", "company"],
    ),
    ("Entity", &["url"]),
    ("ErrorItem", &["field", "params"]),
];

/// Says of answers what the derived schemas cannot: which fields are always there, and every code.
pub fn complete(document: &mut OpenApi) {
    let asked = schemas_of_requests(document);
    let Some(components) = document.components.as_mut() else { return };
    for (name, schema) in &mut components.schemas {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        if asked.contains(name) {
            continue;
        }
        let left_out = LEFT_OUT.iter().find(|(of, _)| of == name).map_or(&[][..], |(_, all)| all);
        object.required = object
            .properties
            .keys()
            .filter(|key| !left_out.contains(&key.as_str()))
            .cloned()
            .collect();
        if name == "ErrorItem"
            && let Some(RefOr::T(Schema::Object(code))) = object.properties.get_mut("code")
        {
            let codes = Code::ALL.iter().map(|code| serde_json::Value::from(code.as_str()));
            code.enum_values = Some(codes.collect());
        }
    }
}

/// Schemas that bodies of requests are made of: what is optional there may be left out.
fn schemas_of_requests(document: &OpenApi) -> BTreeSet<String> {
    const PREFIX: &str = "#/components/schemas/";
    fn collect(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(map) => {
                let named = map.get("$ref").and_then(serde_json::Value::as_str);
                found.extend(named.and_then(|name| name.strip_prefix(PREFIX)).map(str::to_owned));
                map.values().for_each(|value| collect(value, found));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    let document = serde_json::to_value(document).unwrap_or_default();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (_, operations) in paths {
        for (_, operation) in operations.as_object().into_iter().flatten() {
            collect(&operation["requestBody"], &mut found);
        }
    }
    found
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
    fn a_field_of_an_answer_is_always_there_and_one_of_a_request_may_be_left_out() {
        let document: serde_json::Value = serde_json::from_str(super::text()).unwrap();
        let required = |schema: &str, field: &str| {
            let schema = &document["components"]["schemas"][schema];
            assert!(schema["properties"][field].is_object(), "{field}: {schema}");
            schema["required"].as_array().is_some_and(|all| all.iter().any(|name| name == field))
        };
        assert!(required("Message", "status"));
        assert!(required("Conversations", "next_cursor"));
        assert!(required("Assignment", "member_id"));
        assert!(!required("NewMessage", "text"));
        assert!(!required("ChannelPatch", "name"));
        assert!(!required("ErrorItem", "params"));
    }

    #[test]
    fn generated_openapi_document_is_the_committed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        if std::env::var_os("UZEL_REGEN").is_some() {
            std::fs::write(path, super::text()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == super::text(), "docs/openapi.json is stale: run `make regen`");
    }
}
