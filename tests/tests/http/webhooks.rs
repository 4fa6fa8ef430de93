//! What providers call: genuine, durable, as often as they like.

use channel_testkit::SECRET_HEADER;
use hub_domain::ChannelId;
use hub_tests::{Answer, TestApp, TestCompany, on_both_engines};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;

async fn company(app: &TestApp) -> (TestCompany, i64, String) {
    let mut company = app.company("Точка роста", "79261234567").await;
    let channel = company.connect_by("100", "webhook").await;
    let store = &app.app.store;
    let secrets =
        store.reader().await.unwrap().db().channel_secrets(ChannelId(channel)).await.unwrap();
    let access = hub_server::drivers::access(store.vault(), &secrets.unwrap()).unwrap();
    let secret = access.webhook_secret.expose_secret().to_owned();
    (company, channel, secret)
}

async fn post(app: &TestApp, path: &str, secret: Option<&str>, body: Vec<u8>) -> Answer {
    let mut provider = app.browser();
    let mut request =
        provider.request(Method::POST, path).header("content-type", "application/json").body(body);
    if let Some(secret) = secret {
        request = request.header(SECRET_HEADER, secret);
    }
    provider.send(request).await
}

async fn texts(company: &mut TestCompany) -> Vec<String> {
    let list =
        company.administrator.get(&company.path("/conversations?filter=all")).await.expect(200);
    let mut found = Vec::new();
    for conversation in list.json["items"].as_array().expect("a list") {
        let path =
            company.path(&format!("/conversations/{}/messages?limit=200", conversation["id"]));
        let page = company.administrator.get(&path).await.expect(200);
        for item in page.json["items"].as_array().expect("a list") {
            found.push(item["content"]["text"].as_str().unwrap_or("?").to_owned());
        }
    }
    found
}

on_both_engines! {
    async fn what_was_acknowledged_is_there_at_once_and_once(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, channel, secret) = company(&app).await;
        let path = format!("/webhooks/telegram_bot/{channel}");
        let client = app.fake.client("555", "Катя");
        let body = app.fake.webhook_body(&[client.says("Раз"), client.says("Два")]);
        let posts = (0..5).map(|_| post(&app, &path, Some(&secret), body.clone()));
        for answer in futures_util::future::join_all(posts).await {
            answer.expect(200);
        }
        assert_eq!(texts(&mut company).await, ["Раз", "Два"]);
    }

    async fn updates_that_come_shuffled_stand_in_the_order_they_were_written(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, channel, secret) = company(&app).await;
        let path = format!("/webhooks/telegram_bot/{channel}");
        let client = app.fake.client("555", "Катя");
        let written: Vec<_> = (1..=6).map(|n| client.says(&n.to_string())).collect();
        for index in [2, 0, 5, 1, 4, 3, 2, 0] {
            let body = app.fake.webhook_body(&written[index..=index]);
            post(&app, &path, Some(&secret), body).await.expect(200);
        }
        assert_eq!(texts(&mut company).await, ["1", "2", "3", "4", "5", "6"]);
    }

    async fn a_call_that_is_not_genuine_changes_nothing(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, channel, secret) = company(&app).await;
        let client = app.fake.client("555", "Катя");
        let body = app.fake.webhook_body(&[client.says("Раз")]);
        let path = format!("/webhooks/telegram_bot/{channel}");
        post(&app, &path, None, body.clone()).await.expect_refusal(401, "webhook_secret_wrong");
        let wrong = post(&app, &path, Some("wrong"), body.clone()).await;
        wrong.expect_refusal(401, "webhook_secret_wrong");
        for elsewhere in [
            format!("/webhooks/widget/{channel}"),
            format!("/webhooks/nonsense/{channel}"),
            "/webhooks/telegram_bot/999999".to_owned(),
            "/webhooks/telegram_bot/x".to_owned(),
        ] {
            let gone = post(&app, &elsewhere, Some(&secret), body.clone()).await;
            gone.expect_refusal(404, "not_found");
        }
        let large = post(&app, &path, Some(&secret), vec![b' '; 10 * 1024 * 1024]).await;
        large.expect_refusal(413, "body_too_large");
        assert!(texts(&mut company).await.is_empty());
    }

    async fn what_cannot_be_read_is_kept_and_does_not_hold_up_the_rest(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, channel, secret) = company(&app).await;
        let path = format!("/webhooks/telegram_bot/{channel}");
        for body in [b"{\"broken".to_vec(), b"\0\xff".to_vec(), Vec::new()] {
            post(&app, &path, Some(&secret), body).await.expect(200);
        }
        let client = app.fake.client("555", "Катя");
        let body = app.fake.webhook_body(&[client.says("Раз")]);
        post(&app, &path, Some(&secret), body).await.expect(200);
        assert_eq!(texts(&mut company).await, ["Раз"]);
        let mut reader = app.app.store.reader().await.unwrap();
        let kept = reader.db().raw_update_count(ChannelId(channel)).await.unwrap();
        assert_eq!(kept, 3);
    }

    async fn while_a_channel_is_off_the_provider_keeps_what_it_has(database: Database) {
        let app = TestApp::start(database).await;
        let (mut company, channel, secret) = company(&app).await;
        let off = company.path(&format!("/channels/{channel}/disable"));
        company.administrator.post(&off, json!({})).await.expect(200);
        let client = app.fake.client("555", "Катя");
        let body = app.fake.webhook_body(&[client.says("Раз")]);
        let path = format!("/webhooks/telegram_bot/{channel}");
        let refused = post(&app, &path, Some(&secret), body).await;
        refused.expect_refusal(409, "channel_disabled");
        assert!(texts(&mut company).await.is_empty());
    }
}
