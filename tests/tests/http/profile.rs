//! One's own account, and the company.

use hub_domain::Role;
use hub_tests::{Browser, TestApp, eventually, on_both_engines};
use serde_json::{Value, json};

const PROFILE: &str = "/api/v1/profile";
const TOKEN: &str = "/api/v1/profile/private-token";
const REVEAL: &str = "/api/v1/profile/private-token/reveal";

on_both_engines! {
    async fn a_new_name_is_seen_by_colleagues_in_every_company(database: Database) {
        let app = TestApp::start(database).await;
        let company = app.company("Точка роста", "79261234567").await;
        let other = app.company("Соседи", "79261234568").await;
        let mut operator = company.member(&app, "79261234569", Role::Operator).await;
        other.member(&app, "79261234569", Role::Operator).await;
        for name in ["", "  ", &"я".repeat(121)] {
            let refused = operator.patch(PROFILE, json!({ "name": name })).await;
            assert_eq!(refused.expect_refusal(422, "name_invalid").json["errors"][0]["field"], "name");
        }
        let changed = operator.patch(PROFILE, json!({ "name": " Ольга Ким " })).await.expect(200);
        assert_eq!(changed.json["name"], "Ольга Ким");
        for mut place in [company, other] {
            let path = place.path("/members");
            let members = place.administrator.get(&path).await.expect(200);
            let versions: Vec<&Value> = members.json["items"]
                .as_array()
                .expect("a list")
                .iter()
                .filter(|member| member["name"] == "Ольга Ким")
                .map(|member| &member["version"])
                .collect();
            assert_eq!(versions, [&members.json["position"]["offset"]], "told by the last event");
        }
    }

    async fn a_private_token_is_shown_to_its_owner_and_replaced(database: Database) {
        let app = TestApp::start(database).await;
        let company = app.company("Точка роста", "79261234567").await;
        let mut operator = company.member(&app, "79261234569", Role::Operator).await;
        operator.post(REVEAL, json!({})).await.expect_refusal(404, "not_found");
        let none = operator.get(TOKEN).await.expect(200);
        assert_eq!(none.json, json!({ "created_at": null, "last_used_at": null }));

        let made = operator.post(TOKEN, json!({})).await.expect(200);
        let first = made.json["token"].as_str().expect("a token").to_owned();
        let shown = operator.post(REVEAL, json!({})).await.expect(200);
        assert_eq!(shown.json["token"], first.as_str());
        let unused = operator.get(TOKEN).await.expect(200);
        assert!(unused.json["created_at"].is_string() && unused.json["last_used_at"].is_null());
        assert!(!String::from_utf8_lossy(&unused.bytes).contains(&first));

        let mut program = Browser::with_token(&app.base, &first);
        let session = program.get("/api/v1/session").await.expect(200);
        assert_eq!(session.json["user"]["phone"], "79261234569");
        eventually("the use is told", || {
            let mut operator = operator.clone();
            async move {
                let told = operator.get(TOKEN).await.expect(200);
                told.json["last_used_at"].is_string().then_some(())
            }
        })
        .await;

        let replaced = operator.post(TOKEN, json!({})).await.expect(200);
        let second = replaced.json["token"].as_str().expect("a token").to_owned();
        assert_ne!(first, second);
        program.get("/api/v1/session").await.expect_refusal(401, "unauthenticated");
        Browser::with_token(&app.base, &second).get("/api/v1/session").await.expect(200);
    }

    async fn an_account_is_its_owners_alone(database: Database) {
        let app = TestApp::start(database).await;
        let company = app.company("Точка роста", "79261234567").await;
        let mut nobody = app.browser();
        let mut bare = company.administrator.clone();
        bare.csrf_token = None;
        nobody.get(TOKEN).await.expect_refusal(401, "unauthenticated");
        for path in [TOKEN, REVEAL] {
            nobody.post(path, json!({})).await.expect_refusal(401, "unauthenticated");
            bare.post(path, json!({})).await.expect_refusal(403, "csrf");
        }
        let body = json!({ "name": "Чужая" });
        nobody.patch(PROFILE, body.clone()).await.expect_refusal(401, "unauthenticated");
        bare.patch(PROFILE, body).await.expect_refusal(403, "csrf");
    }

    async fn a_company_is_renamed_by_an_administrator(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let mut operator = company.member(&app, "79261234569", Role::Operator).await;
        let path = company.path("");
        let before = operator.get(&path).await.expect(200);
        assert_eq!(before.json["company"]["time_zone"], "Europe/Moscow");
        let change = json!({ "name": "Точка опоры" });
        operator.patch(&path, change.clone()).await.expect_refusal(403, "forbidden");
        let changed = company.administrator.patch(&path, change.clone()).await.expect(200);
        assert_eq!(changed.json["name"], "Точка опоры");
        let after = operator.get(&path).await.expect(200);
        assert_eq!(after.json["company"], changed.json);
        assert_eq!(after.json["company"]["version"], after.json["position"]["offset"]);
        // The same again is no event.
        company.administrator.patch(&path, change).await.expect(200);
        assert_eq!(operator.get(&path).await.expect(200).json, after.json);
        let bad = company.administrator.patch(&path, json!({ "name": " " })).await;
        assert_eq!(bad.expect_refusal(422, "name_invalid").json["errors"][0]["field"], "name");
    }

    async fn the_traffic_of_a_channel_is_counted(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let channel = company.connect("100").await;
        let silent = company.connect("200").await;
        let client = app.fake.client("555", "Катя");
        company.client_says(&app, "100", &client, "Добрый день").await;
        let conversation = company.client_says(&app, "100", &client, "Вы открыты?").await;
        let path = company.path(&format!("/conversations/{}/messages", conversation["id"]));
        let body = json!({ "client_message_id": "first", "text": "Да" });
        company.administrator.post(&path, body).await.expect(202);
        let path = company.path("/channel-traffic");
        let traffic = eventually("the answer is sent", || {
            let (mut browser, path) = (company.administrator.clone(), path.clone());
            async move {
                let traffic = browser.get(&path).await.expect(200).json;
                (traffic["items"][0]["sent"] == 1).then_some(traffic)
            }
        })
        .await;
        let items = traffic["items"].as_array().expect("a list");
        assert_eq!(items.len(), 1, "nothing of channel {silent}: {traffic}");
        assert_eq!((&items[0]["channel_id"], &items[0]["received"]), (&json!(channel), &json!(2)));
        let mut neighbours = app.company("Соседи", "79261234568").await;
        let path = neighbours.path("/channel-traffic");
        let theirs = neighbours.administrator.get(&path).await.expect(200);
        assert_eq!(theirs.json["items"], json!([]));
    }
}
