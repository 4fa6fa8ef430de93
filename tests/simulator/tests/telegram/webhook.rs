//! Updates by webhook: with their secret, in order, again when they were refused.

use serde_json::{Value, json};
use simulator::telegram::ClientSpec;

use crate::setting::{eventually, receiver, setting, texts};

#[tokio::test]
async fn a_webhook_gets_every_update_with_its_secret_and_in_order() {
    let it = setting().await;
    let hook = receiver().await;
    it.marta.text("before").unwrap();
    let set =
        json!({ "url": hook.url, "secret_token": "s3cret_-", "allowed_updates": ["message"] });
    assert_eq!(it.call("setWebhook", set.clone()).await["description"], "Webhook was set");
    assert_eq!(it.call("setWebhook", set).await["description"], "Webhook is already set");
    for number in 0..20 {
        it.marta.text(&number.to_string()).unwrap();
    }
    eventually("21 posts", || hook.posts.lock().unwrap().len() == 21).await;
    let expected: Vec<String> =
        std::iter::once("before".to_owned()).chain((0..20).map(|n| n.to_string())).collect();
    assert_eq!(hook.texts(), expected);
    assert!(
        hook.posts.lock().unwrap().iter().all(|(secret, _)| secret.as_deref() == Some("s3cret_-"))
    );
    eventually("nothing pending", || it.bot.pending_updates() == 0).await;

    let conflict = it.refusal("getUpdates", json!({})).await;
    assert_eq!(conflict.0, 409);
    assert_eq!(
        conflict.1,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    );
    let info = it.result("getWebhookInfo", json!({})).await;
    assert_eq!((&info["url"], &info["pending_update_count"]), (&json!(hook.url), &json!(0)));
    assert_eq!(info["allowed_updates"], json!(["message"]));
    it.result("deleteWebhook", json!({})).await;
    assert!(it.updates(json!({})).await.is_empty());
    drop(hook.server);
}

#[tokio::test]
async fn a_refused_post_is_repeated_and_holds_back_only_its_own_chat() {
    let it = setting().await;
    let hook = receiver().await;
    *hook.failing.lock().unwrap() = ("first".to_owned(), 3);
    it.result("setWebhook", json!({ "url": hook.url })).await;
    let oleg = it.bot.new_client(ClientSpec::named("Oleg"));
    it.marta.text("first").unwrap();
    it.marta.text("second").unwrap();
    oleg.text("other").unwrap();
    eventually("all delivered", || it.bot.pending_updates() == 0).await;
    let texts = hook.texts();
    let of_marta: Vec<_> = texts.iter().filter(|text| *text != "other").collect();
    assert_eq!(of_marta, ["first", "first", "first", "first", "second"]);
    let other = texts.iter().position(|text| text == "other").unwrap();
    assert!(other < 4, "another chat does not wait: {texts:?}");
    let statuses: Vec<_> = it
        .simulator
        .telegram()
        .deliveries()
        .into_iter()
        .filter(|delivery| delivery.attempt > 1 || delivery.status == Some(500))
        .map(|delivery| (delivery.attempt, delivery.status))
        .collect();
    assert_eq!(statuses, [(1, Some(500)), (2, Some(500)), (3, Some(500)), (4, Some(200))]);
    let info = it.result("getWebhookInfo", json!({})).await;
    assert_eq!(
        info["last_error_message"],
        "Wrong response from the webhook: 500 Internal Server Error"
    );
}

#[tokio::test]
async fn updates_for_a_webhook_that_is_away_wait_for_it_or_for_a_poll() {
    let it = setting().await;
    let away = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/hook", listener.local_addr().unwrap())
    };
    it.result("setWebhook", json!({ "url": away })).await;
    it.marta.text("kept").unwrap();
    eventually("a failed delivery", || it.simulator.telegram().deliveries().len() > 1).await;
    assert!(it.simulator.telegram().deliveries()[0].status.is_none());
    it.result("deleteWebhook", json!({})).await;
    assert_eq!(texts(&it.updates(json!({})).await), ["kept"]);
    it.result("deleteWebhook", json!({ "drop_pending_updates": true })).await;
    assert!(it.updates(json!({})).await.is_empty());
}

#[tokio::test]
async fn a_webhook_must_be_secure_or_here_and_its_secret_well_formed() {
    let it = setting().await;
    let refusal = async |body: Value| it.refusal("setWebhook", body).await.1;
    let http = refusal(json!({ "url": "http://hub.example.org/hook" })).await;
    assert_eq!(http, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
    assert!(
        refusal(json!({ "url": "https://hub.example.org/hook" }))
            .await
            .contains("Failed to resolve host")
    );
    let url = "http://127.0.0.1:1/hook";
    let secret = refusal(json!({ "url": url, "secret_token": "not allowed" })).await;
    assert_eq!(secret, "Bad Request: secret token contains unallowed characters");
    refusal(json!({ "url": url, "secret_token": "a".repeat(257) })).await;
}

#[tokio::test]
async fn setting_a_webhook_ends_a_waiting_poll() {
    let it = setting().await;
    let poll = it.call("getUpdates", json!({ "timeout": 30 }));
    let set = async {
        eventually("the poll waits", || it.bot.begun_polls() == 1).await;
        it.result("setWebhook", json!({ "url": "http://127.0.0.1:1/hook" })).await;
    };
    let (poll, ()) = tokio::join!(poll, set);
    assert_eq!(poll["description"], "Conflict: terminated by setWebhook request");
}
