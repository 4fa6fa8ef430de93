//! One-time codes, links, sessions, CSRF and limits.

use hub_domain::{Clock as _, FixedClock, SystemClock};
use hub_tests::{Browser, TestApp, eventually, on_both_engines};
use reqwest::Method;
use serde_json::json;

const PHONE: &str = "79261234567";

/// An application with a company, whose administrator has [`PHONE`].
async fn start(database: hub_tests::Database, clock: &FixedClock) -> TestApp {
    let app = TestApp::builder(database).clock(clock.clone()).start().await;
    app.company("Точка роста", PHONE).await;
    app
}

fn clock() -> FixedClock {
    FixedClock::at(SystemClock.now())
}

/// Asks for a code and answers with it. `nth`: which code of this number it is, from 1.
async fn ask_for_code(app: &TestApp, browser: &mut Browser, nth: usize) -> String {
    let asked = browser.post("/api/v1/session/codes", json!({ "phone": PHONE })).await.expect(202);
    assert_eq!(asked.json["expires_in_seconds"], 300);
    eventually("the code is sent", || async { app.codes.codes(PHONE).get(nth - 1).cloned() }).await
}

async fn try_code(browser: &mut Browser, code: &str) -> hub_tests::Answer {
    browser.post("/api/v1/session", json!({ "code": code })).await
}

fn wrong(code: &str) -> String {
    let other = if code.starts_with('0') { "1" } else { "0" };
    format!("{other}{}", &code[1..])
}

on_both_engines! {
    async fn a_code_signs_in_and_signing_out_ends_the_session(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        let mut browser = app.browser();
        browser.get("/api/v1/session").await.expect_refusal(401, "unauthenticated");
        let code = ask_for_code(&app, &mut browser, 1).await;
        let spaced = format!(" {} {}", &code[..3], &code[3..]);
        let session = try_code(&mut browser, &spaced).await.expect(200);
        browser.signed_in(&session);
        browser.get("/api/v1/session").await.expect(200);

        let copy = browser.clone();
        let gone = browser.delete("/api/v1/session").await.expect(204);
        assert!(gone.headers.contains_key("clear-site-data"));
        assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
        copy.clone().get("/api/v1/session").await.expect_refusal(401, "unauthenticated");
    }

    async fn a_code_works_once_and_only_in_the_browser_that_asked(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        let mut browser = app.browser();
        let code = ask_for_code(&app, &mut browser, 1).await;
        try_code(&mut app.browser(), &code).await.expect_refusal(422, "code_expired");
        let mut again = browser.clone();
        try_code(&mut browser, &code).await.expect(200);
        try_code(&mut again, &code).await.expect_refusal(422, "code_expired");
    }

    async fn of_two_that_try_the_right_code_at_once_one_gets_in(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        let mut first = app.browser();
        let code = ask_for_code(&app, &mut first, 1).await;
        let mut second = first.clone();
        let (one, two) = tokio::join!(try_code(&mut first, &code), try_code(&mut second, &code));
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
    }

    async fn five_wrong_tries_destroy_a_code(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        let mut browser = app.browser();
        let code = ask_for_code(&app, &mut browser, 1).await;
        for left in [4, 3, 2, 1] {
            let refused = try_code(&mut browser, &wrong(&code)).await;
            let refused = refused.expect_refusal(422, "code_wrong");
            assert_eq!(refused.json["errors"][0]["params"]["attempts_left"], left);
        }
        let last = try_code(&mut browser, &wrong(&code)).await;
        last.expect_refusal(422, "code_too_many_attempts");
        let right = try_code(&mut browser, &code).await;
        right.expect_refusal(422, "code_too_many_attempts");
    }

    async fn a_code_expires_after_five_minutes(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        let mut browser = app.browser();
        let code = ask_for_code(&app, &mut browser, 1).await;
        clock.advance_millis(299_999);
        try_code(&mut browser, &wrong(&code)).await.expect_refusal(422, "code_wrong");
        clock.advance_millis(1);
        try_code(&mut browser, &code).await.expect_refusal(422, "code_expired");
    }

    async fn another_code_waits_longer_each_time_and_ends_the_one_before(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        let mut browser = app.browser();
        let body = json!({ "phone": "+7 926 123-45-67" });
        let path = "/api/v1/session/codes";
        let first = ask_for_code(&app, &mut browser, 1).await;
        let old = browser.clone();
        for (nth, wait) in [(2, 60), (3, 120), (4, 300), (5, 300)] {
            let early = browser.post(path, body.clone()).await;
            let early = early.expect_refusal(429, "code_resend_too_early");
            assert_eq!(early.json["errors"][0]["params"]["retry_after_seconds"], wait);
            assert_eq!(early.headers["retry-after"], wait.to_string().as_str());
            clock.advance_millis(wait * 1000);
            ask_for_code(&app, &mut browser, nth).await;
        }
        try_code(&mut old.clone(), &first).await.expect_refusal(422, "code_expired");
        clock.advance_millis(300_000);
        browser.post(path, body.clone()).await.expect_refusal(429, "rate_limited");
        clock.advance_millis(24 * 3_600_000);
        ask_for_code(&app, &mut browser, 6).await;
    }

    async fn a_number_without_a_login_gets_the_same_answer_and_no_code(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        let ask = |phone: &'static str| {
            let mut browser = app.browser();
            async move {
                let body = json!({ "phone": phone });
                let answer = browser.post("/api/v1/session/codes", body.clone()).await.expect(202);
                let again = browser.post("/api/v1/session/codes", body).await;
                let again = again.expect_refusal(429, "code_resend_too_early");
                let tried = try_code(&mut browser, "000000").await;
                (answer.json, again.json["errors"].clone(), tried.json["errors"].clone())
            }
        };
        let unknown = ask("79261110000").await;
        let known = ask(PHONE).await;
        // One in a million: the code was right.
        if known.2 != serde_json::Value::Null {
            assert_eq!(known, unknown);
        }
        eventually("the known number's code is sent", || async {
            (app.codes.codes(PHONE).len() == 1).then_some(())
        })
        .await;
        assert!(app.codes.codes("79261110000").is_empty());
    }

    async fn numbers_of_other_countries_and_nonsense_get_no_codes(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        for phone in ["+44 20 7946 0958", "123", "", "\u{0}", "+7 926 123-45-67 x; drop"] {
            let mut browser = app.browser();
            let refused = browser.post("/api/v1/session/codes", json!({ "phone": phone })).await;
            assert_eq!(refused.expect_refusal(422, "phone_invalid").json["errors"][0]["field"], "phone");
        }
    }

    async fn a_sign_in_link_works_once_and_for_a_day(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        let link = || async {
            let user = app.app.store.reader().await.unwrap().db().user_by_phone(PHONE).await;
            let user = user.unwrap().unwrap().id;
            let path = app.app.store.write_system(move |tx| Box::pin(async move {
                hub_server::actions::sign_in::make_sign_in_link(tx, 24, user).await
            })).await.map_err(|error| error.to_string()).unwrap();
            path.rsplit('/').next().unwrap().to_owned()
        };
        let (used, expired) = (link().await, link().await);
        let follow = |token: String| {
            let mut browser = app.browser();
            async move { browser.post("/api/v1/session/link", json!({ "token": token })).await }
        };
        follow(used.clone()).await.expect(200);
        clock.advance_millis(24 * 3_600_000);
        for token in [used, expired, String::new(), "x".repeat(1000)] {
            follow(token).await.expect_refusal(404, "sign_in_link_invalid");
        }
    }

    async fn a_session_ends_when_it_is_idle_and_at_the_latest_after_a_month(database: Database) {
        const HOUR: i64 = 3_600_000;
        let clock = clock();
        let app = start(database, &clock).await;
        let company = app.company("Вторая", "79261234568").await;
        let mut idle = company.administrator.clone();
        let mut busy = company.administrator.clone();
        for _ in 0..5 {
            clock.advance_millis(143 * HOUR);
            busy.get("/api/v1/session").await.expect(200);
            // `last_seen_at` is written beside the answer.
            let now = app.app.clock.now();
            eventually("the session is touched", || async {
                let token = &busy.cookies["uzel_session"];
                let hash = hub_server::auth::token_hash(token);
                let mut reader = app.app.store.reader().await.unwrap();
                let session = reader.db().session_by_token(&hash).await.unwrap().unwrap();
                (session.last_seen_at == now).then_some(())
            })
            .await;
        }
        clock.advance_millis(6 * HOUR);
        busy.get("/api/v1/session").await.expect_refusal(401, "unauthenticated");

        let fresh = app.company("Третья", "79261234569").await;
        idle.cookies = fresh.administrator.cookies.clone();
        clock.advance_millis(168 * HOUR);
        idle.get("/api/v1/session").await.expect_refusal(401, "unauthenticated");
    }

    async fn an_unsafe_request_needs_the_token_and_our_own_origin(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        let company = app.company("Вторая", "79261234568").await;
        let browser = company.administrator.clone();
        let delete = |browser: &Browser| browser.request(Method::DELETE, "/api/v1/session");

        let mut without = browser.clone();
        without.csrf_token = None;
        let request = delete(&without);
        without.send(request).await.expect_refusal(403, "csrf");
        let mut other = browser.clone();
        other.csrf_token = Some("0".repeat(64));
        let request = delete(&other);
        other.send(request).await.expect_refusal(403, "csrf");
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let mut foreign = browser.clone();
            let request = delete(&foreign).header(name, value);
            foreign.send(request).await.expect_refusal(403, "csrf");
        }
        let mut own = browser.clone();
        let request = delete(&own)
            .header("origin", app.base.clone())
            .header("sec-fetch-site", "same-origin");
        own.send(request).await.expect(204);
    }

    async fn another_site_cannot_make_a_browser_sign_in(database: Database) {
        let clock = clock();
        let app = start(database, &clock).await;
        let mut browser = app.browser();
        let request = browser
            .request(Method::POST, "/api/v1/session/codes")
            .header("origin", "https://evil.example")
            .json(&json!({ "phone": PHONE }));
        browser.send(request).await.expect_refusal(403, "csrf");
        let form = browser
            .request(Method::POST, "/api/v1/session/codes")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("phone=79261234567");
        browser.send(form).await.expect_refusal(415, "unsupported_media_type");
    }

    async fn a_network_that_tries_too_often_is_told_to_wait(database: Database) {
        let app = TestApp::builder(database)
            .set("sign_in.tries_per_network_per_minute", "3")
            .set("server.trusted_proxies", "127.0.0.1")
            .start()
            .await;
        let mut browser = app.browser();
        let mut from = async |address: &'static str| {
            let request = browser
                .request(Method::POST, "/api/v1/session/link")
                .header("x-forwarded-for", address)
                .json(&json!({ "token": "x" }));
            browser.send(request).await
        };
        for _ in 0..3 {
            from("203.0.113.1").await.expect_refusal(404, "sign_in_link_invalid");
        }
        let limited = from("203.0.113.99").await.expect_refusal(429, "rate_limited");
        assert!(limited.headers.contains_key("retry-after"));
        from("198.51.100.1").await.expect_refusal(404, "sign_in_link_invalid");
    }

    async fn a_private_token_needs_no_cookie_and_no_csrf_token(database: Database) {
        use hub_server::actions::bootstrap::{Bootstrap, bootstrap};
        use secrecy::ExposeSecret as _;
        let app = TestApp::start(database).await;
        let request = || Bootstrap {
            company_name: "Точка роста".into(),
            phone: "+79261234567".into(),
            name: "Марина".into(),
        };
        let first = bootstrap(&app.app.store, 24, request()).await.unwrap();
        let second = bootstrap(&app.app.store, 24, request()).await.unwrap();
        assert_eq!(first.company.id, second.company.id);
        assert_eq!(first.user_id, second.user_id);
        assert_eq!(first.private_token.expose_secret(), second.private_token.expose_secret());

        let mut program = Browser::with_token(&app.base, first.private_token.expose_secret());
        let session = program.get("/api/v1/session").await.expect(200);
        assert_eq!(session.json["csrf_token"], "");
        let body = json!({ "kind": "telegram_bot", "credential": "100:secret" });
        program.post("/api/v1/companies/1/channels", body).await.expect(201);
        let mut stranger = Browser::with_token(&app.base, "not-a-token");
        stranger.get("/api/v1/session").await.expect_refusal(401, "unauthenticated");
    }
}
