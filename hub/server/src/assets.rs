//! The interface, embedded: files of `web/dist` with their precompressed variants, and the page that
//! every address of the interface gets.
//!
//! Names under `assets/` carry a hash of their content and are kept by browsers for ever; everything
//! else is asked for again each time, and answered with 304 when it has not changed.

use std::sync::LazyLock;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::{ApiError, Code};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

const INDEX: &str = "index.html";
/// What foreign pages name in their script tag.
const WIDGET_LOADER: &str = "widget/v1.js";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Uzel</title><p>The server runs, but its interface was not built: \
    run <code>make build</code> and start it again. The API is at \
    <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p></html>";

/// The name of the embedded interface: another one whenever any of its files is. It stands in the page,
/// so that a page can tell whether it is the one the server has now. `None` when it was not built.
pub fn build() -> Option<&'static str> {
    static BUILD: LazyLock<Option<String>> = LazyLock::new(|| {
        let page = Dist::get(INDEX)?;
        build_of(std::str::from_utf8(&page.data).ok()?).map(ToOwned::to_owned)
    });
    BUILD.as_deref()
}

fn build_of(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("<meta name=\"uzel-build\" content=\"")?;
    rest.split_once('"').map(|(name, _)| name)
}

/// Answers every GET that no route takes.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let of_programs = ["api/", "webhooks/"].iter().any(|prefix| path.starts_with(prefix));
    if of_programs || !matches!(method, Method::GET | Method::HEAD) {
        return ApiError::not_found().into_response();
    }
    if !path.is_empty()
        && path != INDEX
        && !is_variant(path)
        && let Some(file) = Dist::get(path)
    {
        return answer(path, file, &headers);
    }
    // A missing script must not come back as a page.
    let of_scripts = ["assets/", "demo/", "widget/"].iter().any(|prefix| path.starts_with(prefix));
    if of_scripts || !accepts_html(&headers) {
        return ApiError::new(Code::NotFound).into_response();
    }
    match Dist::get(INDEX) {
        Some(file) => answer(INDEX, file, &headers),
        None => not_built(),
    }
}

/// A page of `web/dist` as text, to be completed by its handler.
pub fn text(path: &str) -> Option<String> {
    let file = Dist::get(path)?;
    String::from_utf8(file.data.into_owned()).ok()
}

/// What is answered when the interface was not built.
pub fn not_built() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, NOT_BUILT).into_response()
}

fn is_variant(path: &str) -> bool {
    let ending = std::path::Path::new(path).extension();
    ending.is_some_and(|ending| ending == "br" || ending == "gz")
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html") || accept.contains("*/*"))
}

fn answer(path: &str, plain: EmbeddedFile, headers: &HeaderMap) -> Response {
    let (encoding, file) = best_variant(path, plain, headers);
    let hashed = ["assets/", "demo/assets/", "widget/assets/"];
    let cache = if hashed.iter().any(|prefix| path.starts_with(prefix)) {
        "public, max-age=31536000, immutable"
    } else if path == WIDGET_LOADER {
        "public, max-age=300"
    } else {
        "no-cache"
    };
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..12]));
    let unchanged = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));

    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(file.data))
    };
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let kind = match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    };
    let out = response.headers_mut();
    if !unchanged {
        if let Ok(kind) = HeaderValue::from_str(&kind) {
            out.insert(header::CONTENT_TYPE, kind);
        }
        if let Some(encoding) = encoding {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if path.starts_with("widget/") {
        // Foreign pages load it, also those that isolate themselves.
        let name = header::HeaderName::from_static("cross-origin-resource-policy");
        out.insert(name, HeaderValue::from_static("cross-origin"));
        out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, etag);
    }
    response
}

fn best_variant(
    path: &str,
    plain: EmbeddedFile,
    headers: &HeaderMap,
) -> (Option<&'static str>, EmbeddedFile) {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    for (encoding, ending) in [("br", "br"), ("gzip", "gz")] {
        if accepts_encoding(accepted, encoding)
            && let Some(file) = Dist::get(&format!("{path}.{ending}"))
        {
            return (Some(encoding), file);
        }
    }
    (None, plain)
}

fn accepts_encoding(accepted: &str, wanted: &str) -> bool {
    accepted.split(',').any(|part| {
        let mut words = part.split(';').map(str::trim);
        let named = words.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        named && !words.any(|word| matches!(word, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_taken_only_when_the_browser_wants_it() {
        assert!(accepts_encoding("gzip, deflate, br", "br"));
        assert!(accepts_encoding("br;q=1.0, gzip;q=0.5", "gzip"));
        assert!(!accepts_encoding("gzip, br;q=0", "br"));
        assert!(!accepts_encoding("", "gzip"));
        assert!(!accepts_encoding("brotli", "br"));
    }

    #[test]
    fn a_page_names_its_build() {
        let page = r#"<title>Uzel</title><meta name="uzel-build" content="1f2e"><script></script>"#;
        assert_eq!(build_of(page), Some("1f2e"));
        assert_eq!(build_of("<title>Uzel</title>"), None);
    }

    #[tokio::test]
    async fn an_unknown_page_is_the_interface_and_an_unknown_script_is_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        let page = serve(Method::GET, Uri::from_static("/c/1/chats"), headers.clone()).await;
        assert_eq!(page.status(), StatusCode::OK);
        for path in ["/assets/gone.js", "/api/v1/nothing", "/webhooks/x"] {
            let gone = serve(Method::GET, Uri::from_static(path), headers.clone()).await;
            assert_eq!(gone.status(), StatusCode::NOT_FOUND, "{path}");
        }
        let posted = serve(Method::POST, Uri::from_static("/c/1"), headers).await;
        assert_eq!(posted.status(), StatusCode::NOT_FOUND);
    }
}
