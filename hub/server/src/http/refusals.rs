//! The refusals every route of a kind may answer, for the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

type Responses = BTreeMap<String, RefOr<Response>>;

fn refusals(listed: &[(&str, &str)]) -> Responses {
    listed
        .iter()
        .map(|(status, codes)| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody")));
            let response = ResponseBuilder::new()
                .description(*codes)
                .content("application/json", content.build())
                .build();
            ((*status).to_owned(), RefOr::T(response))
        })
        .collect()
}

/// Of a route that a member reads.
pub struct OfMembers;

impl IntoResponses for OfMembers {
    fn responses() -> Responses {
        refusals(&[
            ("401", "`unauthenticated`"),
            ("404", "`not_found`: it does not exist, or you may not see it"),
            ("429", "`rate_limited`"),
        ])
    }
}

/// Of a route on which a member changes something.
pub struct OfChanges;

impl IntoResponses for OfChanges {
    fn responses() -> Responses {
        let mut responses = OfMembers::responses();
        responses.extend(refusals(&[
            ("400", "`invalid_json`"),
            ("403", "`csrf`"),
            ("415", "`unsupported_media_type`"),
            ("422", "`invalid_request` and codes of what is refused, with the `field`"),
        ]));
        responses
    }
}

/// Of a route about one's own account.
pub struct OfOwn;

impl IntoResponses for OfOwn {
    fn responses() -> Responses {
        let mut responses = OfChanges::responses();
        responses.extend(refusals(&[("404", "`not_found`: there is none")]));
        responses
    }
}

/// Of a route for administrators.
pub struct OfAdministrators;

impl IntoResponses for OfAdministrators {
    fn responses() -> Responses {
        let mut responses = OfChanges::responses();
        responses.extend(refusals(&[("403", "`forbidden`: for administrators; `csrf`")]));
        responses
    }
}
