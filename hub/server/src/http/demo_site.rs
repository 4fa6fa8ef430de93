//! `/demo/site`: a page as a customer's site would be, with the first widget of this installation on it,
//! so that a newcomer is client and operator in two tabs.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};

use crate::app::App;
use crate::assets;
use crate::error::{ApiError, Code};

/// Where the page has its script tag, or the word that there is nothing to show.
const PLACE: &str = "<!-- widget -->";

/// As strict as a customer's could be: nothing inline, nothing but this server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; media-src 'self'; font-src 'self'; connect-src 'self' SOCKET; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

const NO_WIDGET: &str = "<aside class=\"notice\"><b>Виджета пока нет.</b> Войдите как администратор, \
    откройте <a href=\"/\">Каналы</a> и подключите «Виджет сайта»: он появится на этой странице.</aside>";

pub async fn get_demo_site(State(app): State<App>) -> Result<Response, ApiError> {
    if !app.config.widget.demo_site {
        return Err(Code::NotFound.into());
    }
    let Some(page) = assets::text("demo/site.html") else {
        return Ok(assets::not_built());
    };
    let key = app.store.reader().await?.db().first_widget_key().await?;
    let shown = match key {
        // A key is hexadecimal: nothing in it can end the attribute.
        Some(key) => {
            format!("<script src=\"/widget/v1.js\" data-channel=\"{key}\" async></script>")
        }
        None => NO_WIDGET.to_owned(),
    };
    let mut response = axum::response::Html(page.replace(PLACE, &shown)).into_response();
    // Older browsers do not take `'self'` for WebSockets.
    let socket = app.public_link("").replacen("http", "ws", 1);
    let policy = CONTENT_SECURITY_POLICY.replace("SOCKET", &socket);
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
