//! Messages: pages, sending, changing.

use hub_domain::channel::DriverError;
use hub_tests::{TestApp, TestCompany, eventually, on_both_engines};
use serde_json::{Value, json};

/// A company with one conversation; the path of its messages.
async fn conversation(app: &TestApp) -> (TestCompany, String) {
    let mut company = app.company("Точка роста", "79261234567").await;
    company.connect("100").await;
    let client = app.fake.client("555", "Катя");
    let conversation = company.client_says(app, "100", &client, "Добрый день").await;
    let path = company.path(&format!("/conversations/{}/messages", conversation["id"]));
    (company, path)
}

fn texts(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().expect("a list");
    items.iter().map(|item| item["content"]["text"].as_str().unwrap_or("?").to_owned()).collect()
}

async fn until_status(company: &TestCompany, path: &str, id: i64, status: &str) -> Value {
    eventually("the message has the status", || {
        let (mut browser, path) = (company.administrator.clone(), path.to_owned());
        async move {
            let page = browser.get(&path).await.expect(200);
            let items = page.json["items"].as_array()?.clone();
            let message = items.into_iter().find(|item| item["id"] == id)?;
            (message["status"] == status).then_some(message)
        }
    })
    .await
}

on_both_engines! {
    async fn a_message_is_queued_once_sent_once_and_keeps_what_was_written(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, path) = conversation(&app).await;
        // Right to left, zero width, a family of four: nothing of it is changed.
        let text = "שלום \u{202E}abc\u{202C} a\u{200B}b 👨‍👩‍👧‍👦 <b>&amp;</b>";
        let body = json!({ "client_message_id": "one", "text": text });
        let first = company.administrator.post(&path, body.clone()).await.expect(202);
        assert_eq!(first.json["status"], "queued");
        let again = company.administrator.post(&path, body).await.expect(200);
        assert_eq!(again.id("/id"), first.id("/id"));
        let sent = until_status(&company, &path, first.id("/id"), "sent").await;
        assert_eq!(sent["content"]["text"], text);
        assert_eq!(app.fake.sent_texts("555"), [text]);

        let other = json!({ "client_message_id": "one", "text": "Другое" });
        let conflict = company.administrator.post(&path, other).await;
        conflict.expect_refusal(409, "client_message_id_conflict");
    }

    async fn one_intention_sent_by_many_at_once_is_one_message(database: Database) {
        let app = TestApp::start(database).await;
        let (company, path) = conversation(&app).await;
        let tries = (0..8).map(|_| {
            let (mut browser, path) = (company.administrator.clone(), path.clone());
            async move {
                let body = json!({ "client_message_id": "same", "text": "Здравствуйте" });
                browser.post(&path, body).await
            }
        });
        let answers = futures_util::future::join_all(tries).await;
        let created = answers.iter().filter(|answer| answer.status == 202).count();
        assert_eq!(created, 1);
        let ids: std::collections::BTreeSet<i64> =
            answers.iter().map(|answer| answer.id("/id")).collect();
        assert_eq!(ids.len(), 1);
        app.fake.wait_for_sent(1).await;
        until_status(&company, &path, *ids.first().unwrap(), "sent").await;
        assert_eq!(app.fake.sent().len(), 1);
    }

    async fn what_cannot_be_sent_is_refused_with_the_field_and_the_limit(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, path) = conversation(&app).await;
        let long = "я".repeat(4097);
        for (body, status, code) in [
            (json!({ "client_message_id": "a", "text": long }), 422, "text_too_long"),
            (json!({ "client_message_id": "a", "text": "  \n " }), 422, "text_empty"),
            (json!({ "client_message_id": "a" }), 422, "text_empty"),
            (json!({ "client_message_id": "", "text": "a" }), 422, "client_message_id_invalid"),
            (json!({ "client_message_id": "x".repeat(65), "text": "a" }), 422, "client_message_id_invalid"),
            (json!({ "client_message_id": "a\u{0}", "text": "a" }), 422, "client_message_id_invalid"),
            (json!({ "client_message_id": "a", "text": "a", "attachment_ids": [1, 2] }), 422, "invalid_request"),
            (json!({ "client_message_id": "a", "text": "a", "attachment_ids": [999_999] }), 404, "not_found"),
            (json!({ "client_message_id": "a", "text": "a", "reply_to_message_id": 999_999 }), 404, "not_found"),
            (json!({ "text": "a" }), 422, "invalid_request"),
        ] {
            let refused = company.administrator.post(&path, body.clone()).await;
            refused.expect_refusal(status, code);
        }
        let body = json!({ "client_message_id": "a", "text": "я".repeat(4097) });
        let refused = company.administrator.post(&path, body).await.expect(422);
        assert_eq!(refused.json["errors"][0]["params"], json!({ "limit": 4096, "length": 4097 }));
        assert_eq!(texts(&company.administrator.get(&path).await.json), ["Добрый день"]);
        // NUL cannot be stored everywhere: it is shown as what it is, a character that is not there.
        let body = json!({ "client_message_id": "nul", "text": "a\u{0}b" });
        let stored = company.administrator.post(&path, body).await.expect(202);
        assert_eq!(stored.json["content"]["text"], "a\u{FFFD}b");
    }

    async fn pages_meet_without_a_gap_and_without_an_overlap(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, path) = conversation(&app).await;
        let client = app.fake.client("555", "Катя");
        for number in 2..=7 {
            company.client_says(&app, "100", &client, &number.to_string()).await;
        }
        let all = ["Добрый день", "2", "3", "4", "5", "6", "7"];
        let newest = company.administrator.get(&format!("{path}?limit=3")).await.expect(200);
        assert_eq!(texts(&newest.json), all[4..]);
        assert_eq!(newest.json["newer_cursor"], Value::Null);
        let cursor = newest.json["older_cursor"].as_str().unwrap();
        let older = format!("{path}?limit=3&before={cursor}");
        let older = company.administrator.get(&older).await.expect(200);
        assert_eq!(texts(&older.json), all[1..4]);
        let cursor = older.json["newer_cursor"].as_str().unwrap();
        let newer = format!("{path}?limit=3&after={cursor}");
        let newer = company.administrator.get(&newer).await.expect(200);
        assert_eq!(texts(&newer.json), all[4..]);
        assert_eq!(newer.json["newer_cursor"], Value::Null);
        let cursor = older.json["older_cursor"].as_str().unwrap();
        let oldest = format!("{path}?limit=3&before={cursor}");
        let oldest = company.administrator.get(&oldest).await.expect(200);
        assert_eq!(texts(&oldest.json), all[..1]);
        assert_eq!(oldest.json["older_cursor"], Value::Null);

        let middle = older.json["items"][1]["id"].as_i64().unwrap();
        let around = format!("{path}?limit=2&around={middle}");
        let around = company.administrator.get(&around).await.expect(200);
        assert_eq!(texts(&around.json), all[1..4]);
        for query in ["before=x", "before=1.1.1&after=1.1.1", "around=x"] {
            let refused = company.administrator.get(&format!("{path}?{query}")).await;
            refused.expect_refusal(400, "invalid_request");
        }
        let gone = company.administrator.get(&format!("{path}?around=999999")).await;
        gone.expect_refusal(404, "not_found");
    }

    async fn a_sent_message_is_edited_and_deleted_at_the_clients_too(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, path) = conversation(&app).await;
        let body = json!({ "client_message_id": "one", "text": "Здравствуйте" });
        let id = company.administrator.post(&path, body).await.expect(202).id("/id");
        until_status(&company, &path, id, "sent").await;
        let own = format!("{path}/{id}");
        let edited = company.administrator.patch(&own, json!({ "text": "Добрый вечер" })).await;
        assert_eq!(edited.expect(200).json["content"]["text"], "Добрый вечер");
        app.fake.wait_until("the client sees the edit", |fake| {
            fake.sent().first().is_some_and(|sent| sent.text == "Добрый вечер")
        }).await;
        let deleted = company.administrator.delete(&own).await.expect(200);
        assert_ne!(deleted.json["deleted_at"], Value::Null);
        app.fake.wait_until("the client no longer sees it", |fake| {
            fake.sent().first().is_some_and(|sent| sent.deleted)
        }).await;

        let page = company.administrator.get(&path).await.expect(200);
        let incoming = page.json["items"][0]["id"].as_i64().unwrap();
        let theirs = company.administrator.delete(&format!("{path}/{incoming}")).await;
        theirs.expect_refusal(409, "not_outgoing");
    }

    async fn a_failed_message_is_sent_again_by_a_person_and_an_unknown_one_has_two_ways_out(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, path) = conversation(&app).await;
        app.fake.fail_next_send(DriverError::Refused { code: "chat_not_found", detail: "no".into() });
        let body = json!({ "client_message_id": "one", "text": "Раз" });
        let id = company.administrator.post(&path, body).await.expect(202).id("/id");
        let failed = until_status(&company, &path, id, "failed").await;
        assert_eq!(failed["failure"]["code"], "chat_not_found");
        let considered = company.administrator.post(&format!("{path}/{id}/consider-sent"), json!({})).await;
        considered.expect_refusal(409, "status_conflict");
        company.administrator.post(&format!("{path}/{id}/retry"), json!({})).await.expect(200);
        until_status(&company, &path, id, "sent").await;
        let again = company.administrator.post(&format!("{path}/{id}/retry"), json!({})).await;
        again.expect_refusal(409, "status_conflict");

        app.fake.lose_next_answer();
        let body = json!({ "client_message_id": "two", "text": "Два" });
        let id = company.administrator.post(&path, body).await.expect(202).id("/id");
        until_status(&company, &path, id, "unknown").await;
        let considered = company.administrator.post(&format!("{path}/{id}/consider-sent"), json!({})).await;
        assert_eq!(considered.expect(200).json["status"], "sent");
    }

    async fn nothing_is_sent_through_a_channel_that_is_off_or_to_whom_does_not_want_it(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, path) = conversation(&app).await;
        let client = app.fake.client("555", "Катя");
        app.fake.deliver("100", client.blocks());
        let body = json!({ "client_message_id": "one", "text": "Здравствуйте" });
        let list = company.path("/conversations?filter=all");
        eventually("the client is out of reach", || {
            let (mut browser, list) = (company.administrator.clone(), list.clone());
            async move {
                let answer = browser.get(&list).await;
                (answer.json["items"][0]["reachable"] == false).then_some(())
            }
        })
        .await;
        let refused = company.administrator.post(&path, body.clone()).await;
        refused.expect_refusal(409, "conversation_unreachable");
        let channel = company.administrator.get(&company.path("/channels")).await.id("/items/0/id");
        let off = company.path(&format!("/channels/{channel}/disable"));
        company.administrator.post(&off, json!({})).await.expect(200);
        let refused = company.administrator.post(&path, body).await;
        refused.expect_refusal(409, "channel_disabled");
    }
}
