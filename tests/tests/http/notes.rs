//! Internal comments and drafts: what the client, and others, never see.

use hub_domain::Role;
use hub_tests::{TestApp, TestCompany, on_both_engines};
use serde_json::{Value, json};

async fn conversation(app: &TestApp) -> (TestCompany, String) {
    let mut company = app.company("Точка роста", "79261234567").await;
    company.connect("100").await;
    let client = app.fake.client("555", "Катя");
    let conversation = company.client_says(app, "100", &client, "Добрый день").await;
    let path = company.path(&format!("/conversations/{}", conversation["id"]));
    (company, path)
}

on_both_engines! {
    async fn a_note_is_stored_once_goes_nowhere_and_answers_nobody(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, path) = conversation(&app).await;
        let browser = &mut company.administrator;
        let before = browser.get(&path).await.expect(200).json["conversation"].clone();
        let body = json!({ "client_message_id": "note", "text": "Мама Сони" });
        let first = browser.post(&format!("{path}/notes"), body.clone()).await.expect(201);
        assert_eq!(first.json["direction"], "note");
        assert_eq!(first.json["status"], Value::Null);
        let again = browser.post(&format!("{path}/notes"), body).await.expect(200);
        assert_eq!(again.id("/id"), first.id("/id"));
        // What comes after it in the same lane is the first thing the client gets.
        let messages = format!("{path}/messages");
        browser
            .post(&messages, json!({ "client_message_id": "one", "text": "Здравствуйте" }))
            .await
            .expect(202);
        app.fake.wait_for_sent(1).await;
        assert_eq!(app.fake.sent_texts("555"), ["Здравствуйте"]);
        let page = browser.get(&messages).await.expect(200);
        let directions: Vec<&str> = page.json["items"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|item| item["direction"].as_str())
            .collect();
        assert_eq!(directions, ["incoming", "note", "outgoing"]);
        assert_eq!(before["unanswered_count"], 1);
        // The same id is another intention under another kind.
        let other = json!({ "client_message_id": "note", "text": "Мама Сони" });
        browser.post(&messages, other).await.expect_refusal(409, "client_message_id_conflict");
    }

    async fn a_note_leaves_the_chat_waiting_and_cannot_be_quoted_or_changed(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, path) = conversation(&app).await;
        let browser = &mut company.administrator;
        let before = browser.get(&path).await.expect(200).json["conversation"].clone();
        let note = browser
            .post(&format!("{path}/notes"), json!({ "client_message_id": "note", "text": "Тайна" }))
            .await
            .expect(201);
        let after = browser.get(&path).await.expect(200).json["conversation"].clone();
        assert_eq!(before, after, "neither answered nor moved");
        let quote = json!({
            "client_message_id": "one",
            "text": "Здравствуйте",
            "reply_to_message_id": note.id("/id"),
        });
        browser.post(&format!("{path}/messages"), quote).await.expect_refusal(404, "not_found");
        let one = format!("{path}/messages/{}", note.id("/id"));
        browser.patch(&one, json!({ "text": "x" })).await.expect_refusal(409, "not_outgoing");
        for (text, code) in [(" \n".to_owned(), "note_empty"), ("я".repeat(10_001), "note_too_long")] {
            let body = json!({ "client_message_id": "two", "text": text });
            browser.post(&format!("{path}/notes"), body).await.expect_refusal(422, code);
        }
    }

    async fn a_draft_is_found_on_another_device_and_by_nobody_else(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, path) = conversation(&app).await;
        let mut operator = company.member(&app, "79261234570", Role::Operator).await;
        let (draft, drafts) = (format!("{path}/draft"), company.path("/drafts"));
        let body = json!({ "text": "Начато", "note": "про себя" });
        company.administrator.put(&draft, body).await.expect(204);
        let mine = company.administrator.get(&drafts).await.expect(200);
        assert_eq!(mine.json["items"][0]["text"], "Начато");
        assert_eq!(mine.json["items"][0]["note"], "про себя");
        let theirs = operator.get(&drafts).await.expect(200);
        assert_eq!(theirs.json["items"], json!([]));
        company.administrator.put(&draft, json!({ "text": "Дальше" })).await.expect(204);
        let mine = company.administrator.get(&drafts).await.expect(200);
        assert_eq!(mine.json["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(mine.json["items"][0]["note"], "");
        company.administrator.put(&draft, json!({})).await.expect(204);
        let mine = company.administrator.get(&drafts).await.expect(200);
        assert_eq!(mine.json["items"], json!([]));
        let long = json!({ "text": "я".repeat(20_001) });
        company.administrator.put(&draft, long).await.expect_refusal(422, "draft_too_long");
    }
}
