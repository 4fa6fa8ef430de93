//! The first start.

use hub_tests::{TestApp, on_both_engines};
use serde_json::json;

fn request() -> serde_json::Value {
    json!({ "company_name": "Точка роста", "name": "Марина Белова", "phone": "8 (926) 123-45-67" })
}

on_both_engines! {
    async fn a_set_up_link_makes_the_company_and_signs_its_administrator_in(database: Database) {
        let app = TestApp::start(database).await;
        let token = app.set_up_token().await.expect("there is no company");
        let mut browser = app.browser();
        let page = browser.get(&format!("/api/v1/setup/{token}")).await.expect(200);
        let checks = page.json["checks"].as_array().unwrap();
        assert!(checks.iter().all(|check| check["ok"] == true), "{}", page.json);

        let session = browser.post(&format!("/api/v1/setup/{token}"), request()).await.expect(201);
        assert_eq!(session.json["user"]["phone"], "79261234567");
        assert_eq!(session.json["companies"][0]["company"]["name"], "Точка роста");
        assert_eq!(session.json["companies"][0]["member"]["role"], "administrator");
        let own = browser.get("/api/v1/session").await.expect(200);
        assert_eq!(own.json["user"]["name"], "Марина Белова");
        let members = browser.get("/api/v1/companies/1/members").await.expect(200);
        assert_eq!(members.json["items"].as_array().unwrap().len(), 1);
        assert_eq!(members.json["position"]["offset"], 1);
    }

    async fn a_set_up_link_works_once_and_every_other_one_ends_with_it(database: Database) {
        let app = TestApp::start(database).await;
        let (used, other) = (app.set_up_token().await.unwrap(), app.set_up_token().await.unwrap());
        app.browser().post(&format!("/api/v1/setup/{used}"), request()).await.expect(201);
        for token in [used.as_str(), &other, "never"] {
            let path = format!("/api/v1/setup/{token}");
            app.browser().get(&path).await.expect_refusal(404, "setup_link_invalid");
            app.browser().post(&path, request()).await.expect_refusal(404, "setup_link_invalid");
        }
        assert!(app.set_up_token().await.is_none(), "no link while there is a company");
    }

    async fn two_who_use_one_link_at_once_make_one_company(database: Database) {
        let app = TestApp::start(database).await;
        let path = format!("/api/v1/setup/{}", app.set_up_token().await.unwrap());
        let (mut first, mut second) = (app.browser(), app.browser());
        let (one, two) =
            tokio::join!(first.post(&path, request()), second.post(&path, request()));
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 404]);
    }

    async fn a_refused_set_up_names_the_field_and_leaves_the_link_valid(database: Database) {
        let app = TestApp::start(database).await;
        let path = format!("/api/v1/setup/{}", app.set_up_token().await.unwrap());
        for (field, value, code) in [
            ("company_name", json!("  "), "name_invalid"),
            ("company_name", json!("я".repeat(121)), "name_invalid"),
            ("name", json!(""), "name_invalid"),
            ("phone", json!("123"), "phone_invalid"),
            ("time_zone", json!("../x y"), "invalid_request"),
            ("name", json!(7), "invalid_request"),
        ] {
            let mut body = request();
            body[field] = value;
            let refused = app.browser().post(&path, body).await.expect_refusal(422, code);
            assert_eq!(refused.json["errors"][0]["field"], field);
        }
        app.browser().post(&path, request()).await.expect(201);
    }
}
