//! Faults that are scripted: of calls, and of updates on their way.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::faults::When;
use simulator::telegram::{CallFault, FileSpec, Handover, UpdateFault};

use crate::setting::{eventually, ids, receiver, set, setting, texts};

#[tokio::test]
async fn answers_can_be_refused_without_effect() {
    let it = setting().await.started().await;
    let telegram = it.simulator.telegram();
    let body = || json!({ "chat_id": it.marta.id(), "text": "x" });
    telegram.fault(When::once("sendMessage"), CallFault::TooManyRequests { retry_after: 27 });
    let answer = it.call("sendMessage", body()).await;
    let expected = json!({
        "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 27",
        "parameters": { "retry_after": 27 },
    });
    assert_eq!(answer, expected);
    telegram.fault(
        When::once("sendMessage"),
        CallFault::ServerError { error_code: 500, processed: false },
    );
    assert_eq!(it.refusal("sendMessage", body()).await, (500, "Internal Server Error".to_owned()));
    telegram.fault(When::once("sendMessage"), CallFault::BadGateway { processed: false });
    let (status, page) = it.raw("sendMessage", body()).await.unwrap();
    assert_eq!(status, 502);
    assert!(page.starts_with("<html>"));
    telegram.fault(When::once("sendMessage"), CallFault::CutBefore);
    assert!(it.raw("sendMessage", body()).await.is_err());
    let refused = CallFault::Refused {
        error_code: 403,
        description: "Forbidden: X".to_owned(),
        parameters: None,
    };
    telegram.fault(When::once("sendMessage").in_chat(it.marta.id()), refused);
    assert_eq!(it.refusal("sendMessage", body()).await.1, "Forbidden: X");
    assert!(it.marta.inbox().is_empty());
    let calls = telegram.calls_to("sendMessage");
    assert!(calls.iter().all(|call| !call.processed && !call.ok));
    let faults: Vec<_> = calls.iter().filter_map(|call| call.fault.as_deref()).collect();
    assert_eq!(
        faults,
        ["too_many_requests", "server_error", "bad_gateway", "cut_before", "refused"]
    );
    it.result("sendMessage", body()).await;
}

#[tokio::test]
async fn a_message_can_be_accepted_without_the_bot_learning_of_it() {
    let it = setting().await.started().await;
    let telegram = it.simulator.telegram();
    let body = |text: &str| json!({ "chat_id": it.marta.id(), "text": text });
    telegram.fault(When::once("sendMessage"), CallFault::AcceptedThenCut);
    let cut = it.raw("sendMessage", body("cut")).await.unwrap_err();
    assert!(!cut.is_timeout(), "{cut}");
    telegram.fault(When::once("sendMessage"), CallFault::MalformedJson { processed: true });
    let (status, text) = it.raw("sendMessage", body("malformed")).await.unwrap();
    assert_eq!(status, 200);
    assert!(serde_json::from_str::<Value>(&text).is_err());
    telegram.fault(
        When::once("sendMessage"),
        CallFault::ServerError { error_code: 504, processed: true },
    );
    assert_eq!(it.raw("sendMessage", body("server error")).await.unwrap().0, 504);
    telegram.fault(When::once("sendMessage"), CallFault::AcceptedThenSilent { delay_ms: 60_000 });
    let impatient =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1)).build().unwrap();
    let silent =
        impatient.post(it.url("sendMessage")).json(&body("silent")).send().await.unwrap_err();
    assert!(silent.is_timeout());

    let read: Vec<_> = it.marta.inbox().into_iter().filter_map(|message| message.text).collect();
    assert_eq!(read, ["cut", "malformed", "server error", "silent"]);
    let handovers = || -> Vec<_> {
        telegram.calls_to("sendMessage").iter().map(|call| call.handover).collect()
    };
    let expected = [Handover::Cut, Handover::Broken, Handover::Broken, Handover::Abandoned];
    eventually("the hang-up is seen", || handovers() == expected).await;
    assert!(telegram.calls_to("sendMessage").iter().all(|call| call.processed));
}

#[tokio::test]
async fn a_delay_is_before_the_effect_and_downloads_can_break_too() {
    let it = setting().await.started().await;
    let telegram = it.simulator.telegram();
    telegram.fault(When::once("*"), CallFault::Delay { delay_ms: 200 });
    let asked = Instant::now();
    it.result("sendMessage", json!({ "chat_id": it.marta.id(), "text": "x" })).await;
    assert!(asked.elapsed() >= Duration::from_millis(200));

    it.marta.document(FileSpec::default(), None).unwrap();
    let update = it.drain().await.remove(0);
    let file =
        it.result("getFile", json!({ "file_id": update["message"]["document"]["file_id"] })).await;
    let url = format!(
        "{}/file/bot{}/{}",
        it.simulator.base_url(),
        it.bot.token(),
        file["file_path"].as_str().unwrap()
    );
    telegram.fault(When::once("file"), CallFault::AcceptedThenCut);
    let broken = it.http.get(&url).send().await.unwrap();
    assert!(broken.bytes().await.is_err(), "it ends in the middle");
    assert_eq!(
        it.http.get(&url).send().await.unwrap().bytes().await.unwrap().len() as u64,
        file["file_size"].as_u64().unwrap()
    );
}

#[tokio::test]
async fn updates_can_be_doubled_delayed_and_shuffled_for_a_poll_without_loss() {
    let it = setting().await;
    let telegram = it.simulator.telegram();
    telegram.update_fault(When::once("message"), UpdateFault::Duplicate { copies: 1 });
    it.marta.text("twice").unwrap();
    assert_eq!(texts(&it.drain().await), ["twice"]);
    let again = it.updates(json!({})).await;
    assert!(again.is_empty(), "the copy came with the confirming call");
    telegram.update_fault(When::once("message"), UpdateFault::Duplicate { copies: 2 });
    it.marta.text("thrice").unwrap();
    let first = it.updates(json!({})).await;
    assert_eq!(texts(&first), ["thrice", "thrice"]);
    let confirming = it.updates(json!({ "offset": ids(&first)[0] + 1 })).await;
    assert_eq!(confirming, first[..1], "again, though it was confirmed");

    telegram.update_fault(When::once("message"), UpdateFault::Delay { delay_ms: 1000 });
    it.marta.text("late").unwrap();
    it.marta.text("early").unwrap();
    assert_eq!(texts(&it.drain().await), ["early"]);
    assert_eq!(texts(&it.updates(json!({ "timeout": 10 })).await), ["late"]);
    it.drain().await;

    telegram.update_fault(
        When::times("message", 5),
        UpdateFault::Reorder { window: 5, longest_ms: 5000, shuffle_seed: 3 },
    );
    for text in ["1", "2", "3", "4", "5"] {
        assert!(it.updates(json!({})).await.is_empty());
        it.marta.text(text).unwrap();
    }
    let shuffled = it.updates(json!({})).await;
    let order = texts(&shuffled);
    assert_ne!(order, ["1", "2", "3", "4", "5"]);
    assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), set(&["1", "2", "3", "4", "5"]));
    it.simulator.telegram().update_fault(
        When::always("message"),
        UpdateFault::Reorder { window: 9, longest_ms: 100, shuffle_seed: 3 },
    );
    let last = ids(&shuffled).into_iter().max().unwrap();
    it.marta.text("alone").unwrap();
    assert_eq!(texts(&it.updates(json!({ "offset": last + 1, "timeout": 10 })).await), ["alone"]);
}

#[tokio::test]
async fn updates_can_be_doubled_and_shuffled_for_a_webhook() {
    let it = setting().await;
    let hook = receiver().await;
    it.result("setWebhook", json!({ "url": hook.url })).await;
    let telegram = it.simulator.telegram();
    telegram.update_fault(When::once("message"), UpdateFault::Duplicate { copies: 4 });
    it.marta.text("five times").unwrap();
    eventually("five posts", || hook.posts.lock().unwrap().len() == 5).await;
    let same = hook
        .posts
        .lock()
        .unwrap()
        .iter()
        .map(|(_, update)| update["update_id"].as_i64())
        .collect::<BTreeSet<_>>();
    assert_eq!(same.len(), 1);
    eventually("nothing pending", || it.bot.pending_updates() == 0).await;
    telegram.update_fault(
        When::times("message", 8),
        UpdateFault::Reorder { window: 8, longest_ms: 5000, shuffle_seed: 1 },
    );
    for number in 0..8 {
        it.marta.text(&number.to_string()).unwrap();
    }
    eventually("eight more", || hook.posts.lock().unwrap().len() == 13).await;
    let texts = hook.texts().split_off(5);
    assert_ne!(texts, ["0", "1", "2", "3", "4", "5", "6", "7"]);
}
