//! What is for whoever runs the server, and the frame of every answer.

use hub_tests::{TestApp, on_both_engines};
use reqwest::Method;
use serde_json::json;

on_both_engines! {
    async fn a_running_server_is_healthy_and_ready_and_a_draining_one_says_so(database: Database) {
        let app = TestApp::start(database).await;
        app.browser().get("/healthz").await.expect(200);
        app.browser().get("/readyz").await.expect(200);
        // A connection that is open already outlives the listener for a moment.
        let router = hub_server::router::router(app.app.clone());
        app.app.lifecycle.drain();
        let request = axum_request("/readyz");
        let answer = tower_call(router, request).await;
        assert_eq!(answer, 503);
    }

    async fn metrics_count_requests_by_route_not_by_address(database: Database) {
        let app = TestApp::start(database).await;
        app.browser().get("/api/v1/companies/987654321/members").await.expect(401);
        let metrics = app.browser().get("/metrics").await.expect(200);
        let text = String::from_utf8_lossy(&metrics.bytes).into_owned();
        assert!(text.contains("path=\"/api/v1/companies/{company_id}/members\""), "{text}");
        assert!(!text.contains("987654321"), "{text}");
        let ours = |line: &str| line.is_empty() || line.starts_with('#') || line.starts_with("uzel_");
        assert!(text.lines().all(ours), "{text}");
    }

    async fn every_answer_carries_the_headers_that_bound_a_browser(database: Database) {
        let app = TestApp::start(database).await;
        for path in ["/", "/healthz", "/api/v1/session", "/nothing-here"] {
            let answer = app.browser().get(path).await;
            let policy = answer.headers["content-security-policy"].to_str().unwrap().to_owned();
            assert!(policy.contains("default-src 'none'"), "{path}");
            assert!(policy.contains("frame-ancestors 'none'"), "{path}");
            assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
            assert!(answer.headers.contains_key("x-request-id"), "{path}");
        }
        let api = app.browser().get("/api/v1/session").await;
        assert_eq!(api.headers["cache-control"], "no-store");
    }

    async fn bad_requests_get_a_code_and_never_a_failure_of_ours(database: Database) {
        let app = TestApp::start(database).await;
        let mut browser = app.browser();
        let path = "/api/v1/session/codes";
        let mut raw = async |body: Vec<u8>| {
            let request = browser
                .request(Method::POST, path)
                .header("content-type", "application/json")
                .body(body);
            browser.send(request).await
        };
        raw(b"{\"phone\":".to_vec()).await.expect_refusal(400, "invalid_json");
        raw(b"\xff\xfe".to_vec()).await.expect_refusal(400, "invalid_json");
        raw(b"[]".to_vec()).await.expect_refusal(422, "invalid_request");
        raw(b"{}".to_vec()).await.expect_refusal(422, "invalid_request");
        raw(vec![b' '; 10 * 1024 * 1024]).await.expect_refusal(413, "body_too_large");
        let mut deep = b"{\"x\":".to_vec();
        deep.extend(b"[".repeat(100_000));
        raw(deep).await.expect_refusal(400, "invalid_json");

        let mut browser = app.browser();
        browser.put(path, json!({})).await.expect_refusal(405, "method_not_allowed");
        browser.get("/api/v1/nothing").await.expect_refusal(404, "not_found");
        browser.get("/api/v1/companies/x/members").await.expect_refusal(401, "unauthenticated");
    }
}

fn axum_request(path: &str) -> axum::extract::Request {
    axum::http::Request::get(path).body(axum::body::Body::empty()).expect("a request")
}

async fn tower_call(router: axum::Router, request: axum::extract::Request) -> u16 {
    use tower::ServiceExt as _;
    router.oneshot(request).await.expect("an answer").status().as_u16()
}
