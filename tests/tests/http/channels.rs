//! Connecting accounts.

use hub_tests::{TestApp, on_both_engines};
use serde_json::json;

on_both_engines! {
    async fn a_credential_is_checked_live_and_connected_once(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let (check, channels) = (company.path("/channels/check"), company.path("/channels"));
        let body = json!({ "kind": "telegram_bot", "credential": "100:secret" });
        let account = company.administrator.post(&check, body.clone()).await.expect(200);
        assert_eq!(account.json["external_id"], "100");
        assert_eq!(account.json["username"], "fake_100_bot");

        let id = company.connect("100").await;
        let list = company.administrator.get(&channels).await.expect(200);
        assert_eq!(list.json["items"][0]["id"], id);
        let text = String::from_utf8_lossy(&list.bytes).into_owned();
        assert!(!text.contains("secret\""), "no credential is ever shown: {text}");

        let again = company.administrator.post(&channels, body.clone()).await;
        again.expect_refusal(409, "channel_exists");
        let mut other = app.company("Соседи", "79261234568").await;
        let path = other.path("/channels");
        let taken = other.administrator.post(&path, body).await;
        taken.expect_refusal(409, "channel_exists");
    }

    async fn a_bad_credential_is_told_from_a_provider_that_does_not_answer(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let path = company.path("/channels/check");
        let ask = |credential: &str| json!({ "kind": "telegram_bot", "credential": credential });
        let malformed = company.administrator.post(&path, ask("nonsense")).await;
        let malformed = malformed.expect_refusal(422, "credential_malformed");
        assert_eq!(malformed.json["errors"][0]["field"], "credential");
        app.fake.revoke("200");
        let refused = company.administrator.post(&path, ask("200:secret")).await;
        refused.expect_refusal(422, "credential_refused");
        let kind = json!({ "kind": "widget", "credential": "1:x" });
        let unknown = company.administrator.post(&path, kind).await;
        unknown.expect_refusal(422, "channel_kind_unknown");
    }

    async fn a_channel_is_renamed_switched_off_and_on(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let id = company.connect("100").await;
        let path = company.path(&format!("/channels/{id}"));
        let named = company.administrator.patch(&path, json!({ "name": "Поддержка" })).await;
        assert_eq!(named.expect(200).json["name"], "Поддержка");
        for name in ["", "   ", &"я".repeat(81)] {
            let refused = company.administrator.patch(&path, json!({ "name": name })).await;
            refused.expect_refusal(422, "name_invalid");
        }
        let off = company.administrator.post(&format!("{path}/disable"), json!({})).await.expect(200);
        assert_eq!(off.json["state"], "disabled");
        assert_eq!(off.json["state_reason"], "disabled_by_administrator");
        let on = company.administrator.post(&format!("{path}/enable"), json!({})).await.expect(200);
        assert_eq!(on.json["state"], "connecting");
        let other = company.administrator.patch(&path, json!({ "credential": "300:secret" })).await;
        other.expect_refusal(422, "credential_of_other_account");
    }

    async fn webhooks_need_an_address_that_a_provider_can_reach(database: Database) {
        let app = TestApp::builder(database).set("security.allow_loopback_urls", "false").start().await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let body = json!({ "kind": "telegram_bot", "credential": "100:x", "intake": "webhook" });
        let path = company.path("/channels");
        let refused = company.administrator.post(&path, body).await;
        refused.expect_refusal(422, "public_url_needed");
    }

    async fn a_deleted_channel_is_gone_from_the_list_and_its_history_stays(database: Database) {
        let app = TestApp::start(database).await;
        let mut company = app.company("Точка роста", "79261234567").await;
        let id = company.connect("100").await;
        let client = app.fake.client("555", "Катя");
        let conversation = company.client_says(&app, "100", &client, "Добрый день").await;
        let (channels, own) = (company.path("/channels"), company.path(&format!("/channels/{id}")));
        let messages = company.path(&format!("/conversations/{}/messages", conversation["id"]));
        let mut admin = company.administrator.clone();
        let deleted = admin.delete(&own).await.expect(200);
        assert!(deleted.json["deleted_at"].is_string(), "{}", deleted.json);

        let list = admin.get(&channels).await.expect(200);
        assert_eq!(list.json["items"], json!([]));
        let all = admin.get(&format!("{channels}?include_deleted=true")).await.expect(200);
        assert_eq!(all.json["items"], json!([deleted.json]));
        assert_eq!(admin.get(&messages).await.expect(200).json["items"][0]["content"]["text"], "Добрый день");
        let body = json!({ "client_message_id": "one", "text": "Здравствуйте" });
        admin.post(&messages, body).await.expect_refusal(409, "channel_deleted");
        admin.patch(&own, json!({ "name": "Имя" })).await.expect_refusal(409, "channel_deleted");
        for verb in ["enable", "disable"] {
            let refused = admin.post(&format!("{own}/{verb}"), json!({})).await;
            refused.expect_refusal(409, "channel_deleted");
        }
        let upload = admin.upload(company.id, id, "a.txt", "text/plain", b"hello".to_vec()).await;
        upload.expect_refusal(409, "channel_deleted");
        let webhook = format!("/webhooks/telegram_bot/{id}");
        app.browser().post(&webhook, json!({})).await.expect_refusal(404, "not_found");

        let next = company.connect("100").await;
        assert_ne!(next, id);
        company.client_says(&app, "100", &client, "Я вернулась").await;
        let chats = company.path("/conversations?filter=all");
        let chats = admin.get(&chats).await.expect(200);
        assert_eq!(chats.json["items"].as_array().unwrap().len(), 2, "one for each channel");
    }

    async fn what_a_poll_under_way_brings_for_a_channel_switched_off_stays_with_the_provider(database: Database) {
        let app = TestApp::start(database).await;
        app.fake.set_poll_wait(std::time::Duration::from_mins(1));
        let mut company = app.company("Точка роста", "79261234567").await;
        let id = company.connect("100").await;
        let client = app.fake.client("555", "Катя");
        company.client_says(&app, "100", &client, "Раз").await;
        let own = company.path(&format!("/channels/{id}"));
        company.administrator.post(&format!("{own}/disable"), json!({})).await.expect(200);
        app.fake.deliver("100", client.says("Два"));
        // The poll is over when its lease is free.
        let store = &app.app.store;
        hub_tests::eventually("the poll is over", || async move {
            let taken = store.write_system::<_, hub_store::StoreError, _>(move |tx| {
                Box::pin(async move {
                    let (name, now) = (format!("poll:{id}"), tx.now());
                    let taken = tx.db().take_lease(&name, "test", now, now.plus_seconds(5)).await?;
                    tx.db().release_lease(&name, "test").await?;
                    Ok(taken)
                })
            });
            taken.await.expect("the database answers")
        })
        .await;
        let chats = company.path("/conversations?filter=all");
        let list = company.administrator.get(&chats).await.expect(200);
        assert_eq!(list.json["items"][0]["last_message"]["text"], "Раз");
        company.administrator.post(&format!("{own}/enable"), json!({})).await.expect(200);
        hub_tests::eventually("the message comes", || {
            let (mut browser, chats) = (company.administrator.clone(), chats.clone());
            async move {
                let list = browser.get(&chats).await.expect(200);
                (list.json["items"][0]["last_message"]["text"] == "Два").then_some(())
            }
        })
        .await;
    }
}
