//! Updates by long poll: they come again until they are confirmed.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::setting::{SOON, eventually, ids, setting, texts};

#[tokio::test]
async fn updates_come_again_until_an_offset_confirms_them() {
    let it = setting().await;
    for text in ["a", "b", "c", "d"] {
        it.marta.text(text).unwrap();
    }
    let all = it.updates(json!({})).await;
    assert_eq!(texts(&all), ["a", "b", "c", "d"]);
    assert_eq!(it.updates(json!({})).await, all);
    let first = ids(&all)[0];
    assert_eq!(texts(&it.updates(json!({ "offset": first + 1, "limit": 2 })).await), ["b", "c"]);
    assert_eq!(texts(&it.updates(json!({ "offset": 0 })).await), ["b", "c", "d"]);
    assert_eq!(texts(&it.updates(json!({ "offset": -1 })).await), ["d"]);
    assert_eq!(
        texts(&it.updates(json!({})).await),
        ["d"],
        "a negative offset forgets the earlier ones"
    );
    assert!(it.updates(json!({ "offset": first + 4 })).await.is_empty());
    assert_eq!(it.bot.pending_updates(), 0);
}

#[tokio::test]
async fn a_long_poll_wakes_when_something_happens_and_ends_empty_when_nothing_does() {
    let it = setting().await;
    let asked = Instant::now();
    assert!(it.updates(json!({ "timeout": 1 })).await.is_empty());
    assert!(asked.elapsed() >= Duration::from_millis(900), "it waited");
    let (asked, before) = (Instant::now(), it.bot.begun_polls());
    let polling = it.updates(json!({ "timeout": 30 }));
    let writing = async {
        eventually("the poll waits", || it.bot.begun_polls() > before).await;
        it.marta.text("wake up").unwrap();
    };
    let (updates, ()) = tokio::join!(polling, writing);
    assert_eq!(texts(&updates), ["wake up"]);
    assert!(asked.elapsed() < SOON);
}

#[tokio::test]
async fn a_second_poller_ends_the_first() {
    let it = setting().await;
    let first = it.call("getUpdates", json!({ "timeout": 30 }));
    let second = async {
        eventually("the poll waits", || it.bot.begun_polls() == 1).await;
        it.updates(json!({})).await
    };
    let (first, second) = tokio::join!(first, second);
    assert!(second.is_empty());
    assert_eq!(first["error_code"], 409);
    assert_eq!(
        first["description"],
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    );
}

#[tokio::test]
async fn a_poller_that_died_hinders_nobody_and_loses_nothing() {
    let it = setting().await;
    let impatient =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(200)).build().unwrap();
    let dead = impatient.post(it.url("getUpdates")).json(&json!({ "timeout": 30 })).send().await;
    assert!(dead.unwrap_err().is_timeout());
    it.marta.text("after the crash").unwrap();
    assert_eq!(texts(&it.updates(json!({ "timeout": 10 })).await), ["after the crash"]);
}

#[tokio::test]
async fn only_the_kinds_that_were_asked_for_come_and_the_list_is_remembered() {
    let it = setting().await;
    it.updates(json!({ "allowed_updates": ["callback_query", "no_such_kind"] })).await;
    it.marta.text("unheard").unwrap();
    assert!(it.updates(json!({})).await.is_empty());
    it.updates(json!({ "allowed_updates": [] })).await;
    let message = it.marta.text("heard").unwrap();
    it.marta.react(message, Some("❤"), None).unwrap();
    assert_eq!(
        texts(&it.updates(json!({})).await),
        ["heard"],
        "reactions come only if they are named"
    );
}
