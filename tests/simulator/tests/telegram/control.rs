//! The simulator in the hands of others: another process, a person at a terminal, a crowd.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};
use simulator::telegram::CallFilter;
use tokio::io::AsyncWriteExt as _;

use crate::setting::{SOON, eventually, setting};

#[tokio::test]
async fn everything_can_be_scripted_from_another_process() {
    let it = setting().await;
    let control = format!("{}/control/telegram", it.simulator.base_url());
    let post = async |path: &str, body: Value| -> Value {
        let response = it.http.post(format!("{control}/{path}")).json(&body).send().await.unwrap();
        response.json().await.unwrap()
    };
    let get = async |path: &str| -> Value {
        it.http.get(format!("{control}/{path}")).send().await.unwrap().json().await.unwrap()
    };
    let bot = post("bots", json!({ "first_name": "Desk" })).await;
    let client = post("clients", json!({ "first_name": "Oleg", "phone": "+79001112233" })).await;
    let client_path = format!("bots/{}/clients/{}", bot["id"], client["id"]);
    post(&format!("{client_path}/start"), json!({ "payload": "src_1" })).await;
    for body in [
        json!({ "kind": "text", "text": "hello" }),
        json!({ "kind": "photo", "caption": "look", "bytes": "aGVsbG8=" }),
        json!({ "kind": "contact" }),
        json!({ "kind": "location", "latitude": 1.5, "longitude": 2.5 }),
        json!({ "kind": "unknown", "members": { "hologram": {} } }),
    ] {
        let answer = post(&format!("{client_path}/messages"), body).await;
        assert!(answer["message_id"].is_i64(), "{answer}");
    }
    let items = json!({ "items": [{ "kind": "photo" }, { "kind": "photo" }] });
    assert_eq!(
        post(&format!("{client_path}/albums"), items).await["message_ids"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let api = format!("{}/bot{}", it.simulator.base_url(), bot["token"].as_str().unwrap());
    let updates: Value =
        it.http.get(format!("{api}/getUpdates")).send().await.unwrap().json().await.unwrap();
    assert_eq!(updates["result"].as_array().unwrap().len(), 8);

    let rule = json!({ "subjects": ["sendMessage"], "times": 1, "fault": "too_many_requests", "retry_after": 2 });
    assert!(post("faults", rule).await["id"].is_u64());
    post("faults/updates", json!({ "times": 1, "fault": "duplicate", "copies": 1 })).await;
    let listed = get("faults").await;
    assert_eq!(
        (listed["calls"].as_array().unwrap().len(), listed["updates"].as_array().unwrap().len()),
        (1, 1)
    );
    let chat_path = format!("bots/{}/chats/{}", bot["id"], client["id"]);
    let waiting_path = format!("{chat_path}/messages?after=0&wait_ms=10000");
    let waiting = get(&waiting_path);
    let sending = async {
        let body = json!({ "chat_id": client["id"], "text": "hi Oleg" });
        for expected in [429, 200] {
            let sent = it.http.post(format!("{api}/sendMessage")).json(&body).send().await.unwrap();
            assert_eq!(sent.status().as_u16(), expected);
        }
    };
    let (sent, ()) = tokio::join!(waiting, sending);
    assert_eq!(sent[0]["text"], "hi Oleg");
    let notices = get(&format!("{chat_path}/notices?after=0")).await;
    assert_eq!(
        (&notices[0]["what"], &notices[0]["message"]["text"]),
        (&json!("message"), &json!("hi Oleg"))
    );
    let calls = get("calls?method=sendMessage").await;
    assert_eq!(calls.as_array().unwrap().len(), 2);
    let missing = it.http.post(format!("{control}/bots/1/clients/2/start")).send().await.unwrap();
    assert_eq!(missing.status().as_u16(), 404);
    let refused = it
        .http
        .post(format!("{control}/{client_path}/messages"))
        .json(&json!({ "kind": "no such" }));
    assert_eq!(refused.send().await.unwrap().status().as_u16(), 400);

    let reset = format!("{}/control/reset", it.simulator.base_url());
    it.http.post(reset).send().await.unwrap();
    assert_eq!(get("bots").await, json!([]));
    assert_eq!(get("calls").await, json!([]));
}

#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn shows(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.0.lock().unwrap()).contains(text)
    }
}

#[tokio::test]
async fn a_person_at_a_terminal_writes_to_the_bot_and_reads_its_answers() {
    let it = setting().await;
    let screen = Screen::default();
    let (base, token) = (it.simulator.base_url(), it.bot.token());
    let (mut keyboard, input) = tokio::io::duplex(1024);
    let input = tokio::io::BufReader::new(input);
    let chat =
        simulator::terminal::converse(&base, &token, "Dana", input, Box::new(screen.clone()));
    let talk = async {
        keyboard.write_all(b"Is anybody there?\n/photo look\n").await.unwrap();
        eventually("both are sent", || it.bot.pending_updates() == 2).await;
        let updates = it.drain().await;
        assert_eq!(updates[0]["message"]["text"], "Is anybody there?");
        assert_eq!(updates[1]["message"]["caption"], "look");
        let dana = &updates[0]["message"]["from"]["id"];
        let sent = it.result("sendMessage", json!({ "chat_id": dana, "text": "Yes, I am" })).await;
        eventually("the answer", || screen.shows("Harbour Desk [103] Yes, I am")).await;
        let edit = json!({ "chat_id": dana, "message_id": sent["message_id"], "text": "We are" });
        it.result("editMessageText", edit).await;
        eventually("the edit", || screen.shows("Harbour Desk [103, edited] We are")).await;
        keyboard.write_all(b"/reply 99 what\n/quit\n").await.unwrap();
    };
    let (ended, ()) = tokio::join!(chat, talk);
    ended.unwrap();
    assert!(screen.shows("! unknown: message 99"));
    let stranger = simulator::terminal::chat(&base, "1:no-such-token", "Dana").await;
    assert!(stranger.is_err());
}

#[tokio::test]
async fn thousands_of_messages_are_kept_in_order_and_each_once() {
    let it = setting().await.started().await;
    let telegram = it.simulator.telegram();
    let chats = telegram.create_clients(20);
    for chat in &chats {
        it.bot.client(*chat).start(None).unwrap();
    }
    let senders = chats.iter().map(|chat| {
        let it = &it;
        async move {
            for number in 0..100 {
                it.result("sendMessage", json!({ "chat_id": chat, "text": number.to_string() }))
                    .await;
            }
        }
    });
    futures_util::future::join_all(senders).await;
    for chat in &chats {
        let read: Vec<_> =
            it.bot.sent_to(*chat).into_iter().filter_map(|message| message.text).collect();
        assert_eq!(read, (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
    }
    let numbers: Vec<u64> = telegram
        .calls_where(&CallFilter { ok: Some(true), ..CallFilter::default() })
        .iter()
        .map(|call| call.number)
        .collect();
    assert!(numbers.is_sorted());
    let message_ids: BTreeSet<i64> =
        telegram.calls_to("sendMessage").into_iter().flat_map(|call| call.message_ids).collect();
    assert_eq!(message_ids.len(), 2000);
}

#[tokio::test]
async fn a_stopped_simulator_is_gone_at_once() {
    let it = setting().await;
    let url = it.url("getMe");
    let stopping = Instant::now();
    it.simulator.stop().await;
    assert!(stopping.elapsed() < SOON);
    assert!(it.http.get(url).send().await.unwrap_err().is_connect());
}
