//! Every route on one page. The same list makes the OpenAPI document, so neither can know a route that
//! the other does not.

use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::{Router, middleware};
use utoipa::OpenApi as _;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::app::App;
use crate::error::{ApiError, Code};
use crate::http::{
    change_conversations, channels, chat_list, companies, contacts, conversations, deliveries,
    demo_site, drafts, files, health, members, messages, openapi, preferences, profile,
    quick_replies, session, visitors, webhooks, widgets,
};
use crate::{assets, layers, ws};

/// The routes and the document that describes them.
fn documented() -> OpenApiRouter<App> {
    let api = OpenApiRouter::new()
        .routes(routes!(openapi::get_openapi))
        .routes(routes!(session::get_setup, session::post_setup))
        .routes(routes!(session::request_code))
        .routes(routes!(session::get_session, session::sign_in, session::sign_out))
        .routes(routes!(session::sign_in_with_link))
        .routes(routes!(profile::change_profile))
        .routes(routes!(profile::get_private_token, profile::reissue))
        .routes(routes!(profile::reveal))
        .routes(routes!(companies::get_company, companies::change))
        .routes(routes!(members::list_members))
        .routes(routes!(preferences::change))
        .routes(routes!(channels::list_channels, channels::connect))
        .routes(routes!(channels::list_channel_kinds))
        .routes(routes!(channels::get_traffic))
        .routes(routes!(channels::check_channel))
        .routes(routes!(channels::change, channels::delete))
        .routes(routes!(channels::disable))
        .routes(routes!(channels::enable))
        .routes(routes!(widgets::connect))
        .routes(routes!(widgets::get_widget, widgets::change_widget))
        .routes(routes!(widgets::renew_secret))
        .routes(routes!(widgets::get_visitor))
        .routes(routes!(contacts::search))
        .routes(routes!(contacts::change))
        .routes(routes!(contacts::list_conversations))
        .routes(routes!(chat_list::list_conversations))
        .routes(routes!(chat_list::count_conversations))
        .routes(routes!(change_conversations::post_changes))
        .routes(routes!(conversations::get_conversation))
        .routes(routes!(conversations::put_assignee))
        .routes(routes!(conversations::put_state))
        .routes(routes!(conversations::post_answered))
        .routes(routes!(conversations::put_read_marker))
        .routes(routes!(messages::list_messages, messages::send))
        .routes(routes!(messages::post_note))
        .routes(routes!(messages::edit, messages::delete))
        .routes(routes!(messages::retry))
        .routes(routes!(messages::consider_sent))
        .routes(routes!(drafts::list_drafts))
        .routes(routes!(drafts::put_draft))
        .routes(routes!(quick_replies::list_quick_replies, quick_replies::add))
        .routes(routes!(quick_replies::change, quick_replies::delete))
        .routes(routes!(
            quick_replies::put_file,
            quick_replies::delete_file,
            quick_replies::get_file
        ))
        // Its handler reads the body piece by piece and sets the bounds itself.
        .routes(routes!(files::upload).layer(DefaultBodyLimit::disable()))
        .routes(routes!(files::get_content))
        .routes(routes!(files::fetch))
        .routes(routes!(deliveries::list_message_deliveries))
        .routes(routes!(deliveries::list_deliveries))
        .routes(routes!(deliveries::count_deliveries))
        .routes(routes!(deliveries::replay))
        // Described in docs/realtime.md: what OpenAPI can say of a WebSocket is nothing.
        .route("/realtime", get(ws::open))
        .layer(middleware::from_fn(layers::forbid_caching));
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(health::get_health))
        .routes(routes!(health::get_readiness))
        .routes(routes!(health::get_metrics))
        .routes(routes!(webhooks::receive))
        .nest("/api/v1", api)
}

/// The whole of HTTP.
pub fn router(app: App) -> Router {
    let (router, _) = documented().split_for_parts();
    router
        .nest("/widget/v1/{key}", visitors::routes(app.clone()))
        .route("/demo/site", get(demo_site::get_demo_site))
        .fallback(assets::serve)
        .method_not_allowed_fallback(async || ApiError::new(Code::MethodNotAllowed))
        .layer(middleware::from_fn(layers::follow_request))
        .with_state(app)
}

/// The OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = documented().into_openapi();
    openapi::complete(&mut document);
    document
}
