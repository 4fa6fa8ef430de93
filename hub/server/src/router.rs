//! Every route on one page. The same list makes the OpenAPI document, so neither can know a route that
//! the other does not.

use axum::{Router, middleware};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::{ApiError, Code};
use crate::http::{health, openapi, session};
use crate::{assets, layers};

/// The routes and the document that describes them.
fn documented() -> OpenApiRouter<App> {
    let api = OpenApiRouter::new()
        .routes(routes!(openapi::get_openapi))
        .routes(routes!(session::get_setup, session::post_setup))
        .routes(routes!(session::request_code))
        .routes(routes!(session::get_session, session::sign_in, session::sign_out))
        .routes(routes!(session::sign_in_with_link))
        .layer(middleware::from_fn(layers::forbid_caching));
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(health::get_health))
        .routes(routes!(health::get_readiness))
        .routes(routes!(health::get_metrics))
        .nest("/api/v1", api)
}

/// The whole of HTTP.
pub fn router(app: App) -> Router {
    let (router, _) = documented().split_for_parts();
    router
        .fallback(assets::serve)
        .method_not_allowed_fallback(async || ApiError::new(Code::MethodNotAllowed))
        .layer(middleware::from_fn(layers::follow_request))
        .with_state(app)
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}
