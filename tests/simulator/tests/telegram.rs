//! The simulated Bot API as a bot meets it: over real HTTP, compared with the contract.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use simulator::Simulator;
use simulator::faults::When;
use simulator::telegram::{
    Bot, BotSpec, CallFault, CallFilter, Client, ClientMessage, ClientSpec, Contact, Content, Edit,
    FileSpec, Handover, Media, UpdateFault,
};
use tokio::io::AsyncWriteExt;

const SOON: Duration = Duration::from_secs(10);

struct Setting {
    simulator: Simulator,
    http: reqwest::Client,
    bot: Bot,
    marta: Client,
}

async fn setting() -> Setting {
    let simulator = Simulator::start("127.0.0.1:0").await.unwrap();
    let bot = simulator.telegram().create_bot(BotSpec {
        first_name: Some("Harbour Desk".to_owned()),
        username: Some("harbour_desk_bot".to_owned()),
        ..BotSpec::default()
    });
    let marta = bot.new_client(ClientSpec {
        id: Some(5_200_100_401),
        first_name: Some("Marta".to_owned()),
        last_name: Some("Lindqvist".to_owned()),
        username: Some("marta_l".to_owned()),
        phone: Some("+46701234567".to_owned()),
        language_code: Some("sv".to_owned()),
    });
    let http =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().unwrap();
    Setting { simulator, http, bot, marta }
}

impl Setting {
    fn url(&self, method: &str) -> String {
        format!("{}/bot{}/{method}", self.simulator.base_url(), self.bot.token())
    }

    async fn raw(&self, method: &str, body: Value) -> Result<(u16, String), reqwest::Error> {
        let response = self.http.post(self.url(method)).json(&body).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    async fn call(&self, method: &str, body: Value) -> Value {
        let (status, text) = self.raw(method, body).await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        let expected = answer["error_code"].as_u64().unwrap_or(200);
        assert_eq!(u64::from(status), expected, "the status equals the code: {answer}");
        answer
    }

    async fn result(&self, method: &str, body: Value) -> Value {
        let answer = self.call(method, body).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer["result"].clone()
    }

    async fn refusal(&self, method: &str, body: Value) -> (u64, String) {
        let answer = self.call(method, body).await;
        assert_eq!(answer["ok"], false, "{method}: {answer}");
        (answer["error_code"].as_u64().unwrap(), answer["description"].as_str().unwrap().to_owned())
    }

    async fn updates(&self, parameters: Value) -> Vec<Value> {
        self.result("getUpdates", parameters).await.as_array().unwrap().clone()
    }

    /// Takes and confirms everything there is.
    async fn drain(&self) -> Vec<Value> {
        let updates = self.updates(json!({})).await;
        if let Some(last) = updates.last() {
            let next = last["update_id"].as_i64().unwrap() + 1;
            self.updates(json!({ "offset": next })).await;
        }
        updates
    }

    /// Presses start, so that the bot may write.
    async fn started(self) -> Self {
        self.marta.start(None).unwrap();
        self.drain().await;
        self
    }

    async fn upload(&self, method: &str, field: &str, bytes: Vec<u8>, name: &str) -> Value {
        let form = Form::new()
            .text("chat_id", self.marta.id().to_string())
            .part(field.to_owned(), Part::bytes(bytes).file_name(name.to_owned()));
        self.http.post(self.url(method)).multipart(form).send().await.unwrap().json().await.unwrap()
    }
}

async fn eventually(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !reached() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn ids(updates: &[Value]) -> Vec<i64> {
    updates.iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
}

fn texts(updates: &[Value]) -> Vec<&str> {
    updates.iter().map(|update| update["message"]["text"].as_str().unwrap_or("-")).collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn set<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
    names.iter().copied().collect()
}

// Calls

#[tokio::test]
async fn a_bot_is_told_who_it_is_however_the_method_is_spelled() {
    let it = setting().await;
    for method in ["getMe", "GETME", "getme"] {
        let me = it.result(method, json!({})).await;
        assert_eq!(me["id"], it.bot.id());
        let expected = set(&[
            "id",
            "is_bot",
            "first_name",
            "username",
            "can_join_groups",
            "can_read_all_group_messages",
            "supports_inline_queries",
            "can_connect_to_business",
            "has_main_web_app",
        ]);
        assert_eq!(keys(&me), expected);
    }
    let by_get: Value =
        it.http.get(it.url("test/getMe")).send().await.unwrap().json().await.unwrap();
    assert_eq!(by_get["result"]["username"], "harbour_desk_bot");
}

#[tokio::test]
async fn parameters_come_by_query_form_json_and_multipart_alike() {
    let it = setting().await.started().await;
    let first = it.marta.text("question").unwrap();
    let chat = it.marta.id().to_string();
    let reply = json!({ "message_id": first }).to_string();
    let fields =
        [("chat_id", chat.as_str()), ("text", "answer"), ("reply_parameters", reply.as_str())];
    let form = fields
        .iter()
        .fold(Form::new(), |form, (name, value)| form.text(*name, (*value).to_owned()));
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let by_form = it
        .http
        .post(it.url("sendMessage"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(query.clone());
    let requests = [
        it.http.get(format!("{}?{query}", it.url("sendMessage"))),
        by_form,
        it.http.post(it.url("sendMessage")).multipart(form),
        it.http.post(it.url("sendMessage")).json(
            &json!({ "chat_id": it.marta.id(), "text": "answer", "reply_parameters": { "message_id": first } }),
        ),
    ];
    for request in requests {
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["result"]["reply_to_message"]["message_id"], first, "{answer}");
    }
    assert_eq!(it.marta.inbox().len(), 4);
}

#[tokio::test]
async fn wrong_tokens_and_methods_are_refused_as_the_contract_says() {
    let it = setting().await;
    let base = it.simulator.base_url();
    let get = async |path: String| -> (u16, Value) {
        let response = it.http.get(format!("{base}{path}")).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    };
    let unknown = format!("/bot{}/getMe", "999:SIMULATOR-BOT-TOKEN-000000000000001");
    assert_eq!(
        get(unknown).await,
        (401, json!({ "ok": false, "error_code": 401, "description": "Unauthorized" }))
    );
    let malformed = json!({ "ok": false, "error_code": 404, "description": "Not Found" });
    assert_eq!(get("/botnonsense/getMe".to_owned()).await, (404, malformed));
    let (status, answer) = get(format!("/bot{}/sendTelepathy", it.bot.token())).await;
    assert_eq!(
        (status, answer["description"].as_str().unwrap()),
        (404, "Not Found: method not found")
    );

    let old = it.url("getMe");
    let new_token = it.bot.revoke_token();
    let refused = it.http.get(old).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 401);
    assert_eq!(it.bot.token(), new_token);
    it.result("getMe", json!({})).await;
    let recorded = it.simulator.telegram().calls();
    let all = serde_json::to_string(&recorded).unwrap();
    assert_eq!(recorded.len(), 5);
    assert!(!all.contains("SIMULATOR-BOT-TOKEN"), "a record never holds a token");
}

#[tokio::test]
async fn a_sent_message_is_a_message_object_and_is_recorded() {
    let it = setting().await.started().await;
    let sent = it
        .result("sendMessage", json!({ "chat_id": it.marta.id(), "text": " Yes, 3 left\n" }))
        .await;
    assert_eq!(keys(&sent), set(&["message_id", "from", "chat", "date", "text"]));
    assert_eq!(keys(&sent["from"]), set(&["id", "is_bot", "first_name", "username"]));
    assert_eq!(keys(&sent["chat"]), set(&["id", "first_name", "last_name", "username", "type"]));
    assert_eq!(
        sent["text"], "Yes, 3 left",
        "white space at the ends goes, as the provider does it"
    );
    let next =
        it.result("sendMessage", json!({ "chat_id": it.marta.id(), "text": "and more" })).await;
    assert!(next["message_id"].as_i64() > sent["message_id"].as_i64());

    let calls = it.simulator.telegram().calls_to("sendMessage");
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].params["text"], " Yes, 3 left\n");
    assert_eq!(calls[0].message_ids, [sent["message_id"].as_i64().unwrap()]);
    assert_eq!(calls[0].handover, Handover::Delivered);
    assert!(calls[0].processed && calls[0].ok && calls[0].fault.is_none());
    let inbox: Vec<String> =
        it.marta.inbox().into_iter().filter_map(|message| message.text).collect();
    assert_eq!(inbox, ["Yes, 3 left", "and more"]);
}

#[tokio::test]
async fn texts_are_refused_at_the_limits_of_the_contract() {
    let it = setting().await.started().await;
    let chat = it.marta.id();
    let send = async |text: String| {
        it.refusal("sendMessage", json!({ "chat_id": chat, "text": text })).await
    };
    let refused = (400, "Bad Request: message is too long".to_owned());
    assert_eq!(send("a".repeat(4097)).await, refused);
    assert_eq!(send("👍".repeat(2049)).await, refused, "two UTF-16 units each");
    it.result("sendMessage", json!({ "chat_id": chat, "text": "👍".repeat(2048) })).await;
    assert_eq!(send(String::new()).await, (400, "Bad Request: message text is empty".to_owned()));
    assert_eq!(
        send(" \n".to_owned()).await,
        (400, "Bad Request: text must be non-empty".to_owned())
    );
    let broken = it
        .refusal(
            "sendMessage",
            json!({ "chat_id": chat, "text": "see <b2>", "parse_mode": "HTML" }),
        )
        .await;
    assert_eq!(
        broken.1,
        "Bad Request: can't parse entities: Unsupported start tag \"b2\" at byte offset 4"
    );
    let entities = json!([{ "type": "bold", "offset": 0, "length": 9 }]);
    it.refusal("sendMessage", json!({ "chat_id": chat, "text": "short", "entities": entities }))
        .await;
    let long = json!({ "chat_id": chat, "photo": "x", "caption": "a".repeat(1025) });
    assert_eq!(it.refusal("sendPhoto", long).await.1, "Bad Request: message caption is too long");
    assert_eq!(it.marta.inbox().len(), 1, "what was refused did not happen");
}

#[tokio::test]
async fn a_bot_writes_only_to_those_who_let_it() {
    let it = setting().await;
    let send =
        async |chat: i64| it.call("sendMessage", json!({ "chat_id": chat, "text": "x" })).await;
    let marta = it.marta.id();
    assert_eq!(send(marta).await["description"], "Bad Request: chat not found");
    assert_eq!(send(4242).await["description"], "Bad Request: chat not found");
    let group = it.bot.create_group("Harbour ops", None);
    it.marta.send(ClientMessage::text("hello").in_group(group)).unwrap();
    let met = send(marta).await;
    assert_eq!(
        (met["error_code"].as_u64(), &met["description"]),
        (Some(403), &json!("Forbidden: bot can't initiate conversation with a user"))
    );
    it.marta.start(None).unwrap();
    assert_eq!(send(marta).await["ok"], true);
    it.marta.block().unwrap();
    assert_eq!(send(marta).await["description"], "Forbidden: bot was blocked by the user");
    assert!(it.marta.text("I cannot").is_err());
    it.marta.unblock().unwrap();
    assert_eq!(send(marta).await["ok"], true);
    it.simulator.telegram().deactivate_client(marta).unwrap();
    assert_eq!(send(marta).await["description"], "Forbidden: user is deactivated");

    assert_eq!(send(group).await["ok"], true);
    let upgraded = it.bot.upgrade_group(group).unwrap();
    let moved = send(group).await;
    assert_eq!(moved["parameters"], json!({ "migrate_to_chat_id": upgraded }));
    it.bot.kick_from_group(upgraded);
    assert_eq!(
        send(upgraded).await["description"],
        "Forbidden: bot was kicked from the supergroup chat"
    );
}

#[tokio::test]
async fn replies_need_their_message_unless_told_otherwise() {
    let it = setting().await.started().await;
    let chat = it.marta.id();
    let mut body =
        json!({ "chat_id": chat, "text": "x", "reply_parameters": { "message_id": 99_999 } });
    assert_eq!(
        it.refusal("sendMessage", body.clone()).await.1,
        "Bad Request: message to be replied not found"
    );
    body["reply_parameters"]["allow_sending_without_reply"] = true.into();
    let sent = it.result("sendMessage", body).await;
    assert!(sent.get("reply_to_message").is_none());
}

#[tokio::test]
async fn edits_and_deletions_change_what_the_client_reads() {
    let it = setting().await.started().await;
    let chat = it.marta.id();
    let id =
        it.result("sendMessage", json!({ "chat_id": chat, "text": "one" })).await["message_id"]
            .clone();
    let edit = |text: &str| json!({ "chat_id": chat, "message_id": id, "text": text });
    let not_modified = it.refusal("editMessageText", edit("one")).await;
    assert!(
        not_modified
            .1
            .starts_with("Bad Request: message is not modified: specified new message content")
    );
    let edited = it.result("editMessageText", edit("two")).await;
    assert!(edited["edit_date"].is_i64());
    assert_eq!(it.marta.inbox()[0].text.as_deref(), Some("two"));
    let theirs = it.marta.text("mine").unwrap();
    let foreign = json!({ "chat_id": chat, "message_id": theirs, "text": "x" });
    assert_eq!(
        it.refusal("editMessageText", foreign).await.1,
        "Bad Request: message can't be edited"
    );
    let unknown = json!({ "chat_id": chat, "message_id": 99_999, "text": "x" });
    assert_eq!(
        it.refusal("editMessageText", unknown).await.1,
        "Bad Request: message to edit not found"
    );
    it.refusal("editMessageCaption", json!({ "chat_id": chat, "message_id": id, "caption": "x" }))
        .await;

    it.result("deleteMessage", json!({ "chat_id": chat, "message_id": id })).await;
    assert!(it.marta.inbox().is_empty());
    assert!(it.bot.sent_to_with_deleted(chat)[0].deleted);
    let again = it.refusal("deleteMessage", json!({ "chat_id": chat, "message_id": id })).await;
    assert_eq!(again.1, "Bad Request: message to delete not found");

    let old =
        it.result("sendMessage", json!({ "chat_id": chat, "text": "old" })).await["message_id"]
            .clone();
    it.simulator.telegram().advance_clock(Duration::from_hours(49));
    let late = it.refusal("deleteMessage", json!({ "chat_id": chat, "message_id": old })).await;
    assert!(late.1.contains("message can't be deleted"), "{late:?}");
    let new =
        it.result("sendMessage", json!({ "chat_id": chat, "text": "new" })).await["message_id"]
            .clone();
    it.result("deleteMessages", json!({ "chat_id": chat, "message_ids": [old, new, 99_999] }))
        .await;
    let left: Vec<_> = it.marta.inbox().into_iter().filter_map(|message| message.text).collect();
    assert_eq!(left, ["old"]);
}

#[tokio::test]
async fn buttons_reactions_and_typing_reach_the_client() {
    let it = setting().await.started().await;
    let chat = it.marta.id();
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Yes", "callback_data": "yes:4512" }]] });
    let sent = it
        .result("sendMessage", json!({ "chat_id": chat, "text": "?", "reply_markup": keyboard }))
        .await;
    assert_eq!(sent["reply_markup"], keyboard);
    let id = sent["message_id"].as_i64().unwrap();
    let press = it.marta.press(id, "yes:4512").unwrap();
    let update = it.drain().await.remove(0);
    assert_eq!(update["callback_query"]["id"], press);
    it.result("answerCallbackQuery", json!({ "callback_query_id": press })).await;
    assert!(it.marta.is_answered(&press));
    let twice = it.refusal("answerCallbackQuery", json!({ "callback_query_id": press })).await;
    assert!(
        twice.1.starts_with("Bad Request: query is too old and response timeout expired"),
        "{twice:?}"
    );

    assert_eq!(
        it.result("sendChatAction", json!({ "chat_id": chat, "action": "typing" })).await,
        true
    );
    it.refusal("sendChatAction", json!({ "chat_id": chat, "action": "sleeping" })).await;
    let reaction = |emoji: &str| json!({ "chat_id": chat, "message_id": id, "reaction": [{ "type": "emoji", "emoji": emoji }] });
    it.result("setMessageReaction", reaction("❤")).await;
    assert_eq!(
        it.refusal("setMessageReaction", reaction("🧾")).await.1,
        "Bad Request: REACTION_INVALID"
    );
    let notices = it.marta.wait_notices(0, SOON).await;
    let seen: Vec<Value> = notices.iter().map(|notice| json!(notice.what)).collect();
    assert_eq!(seen, ["message", "callback_answered", "action", "reaction"]);
}

#[tokio::test]
async fn the_phone_comes_by_the_button_that_asked_for_it() {
    let it = setting().await.started().await;
    let keyboard = json!({ "keyboard": [[{ "text": "Share number", "request_contact": true }]] });
    let body =
        json!({ "chat_id": it.marta.id(), "text": "Your number?", "reply_markup": keyboard });
    let asked = it.result("sendMessage", body).await;
    assert!(asked.get("reply_markup").is_none());
    assert_eq!(it.marta.inbox()[0].keyboard.as_ref(), Some(&keyboard));
    it.marta.share_phone().unwrap();
    let message = it.drain().await.remove(0)["message"].clone();
    assert_eq!(message["contact"]["phone_number"], "46701234567");
    assert_eq!(message["contact"]["user_id"], message["from"]["id"]);
    assert_eq!(message["reply_to_message"]["message_id"], asked["message_id"]);
}

// Long poll

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

// The shapes of updates

#[tokio::test]
async fn messages_have_the_members_of_the_contract() {
    let it = setting().await;
    let marta = &it.marta;
    let media = |kind: fn(Media) -> Content| ClientMessage::of(kind(Media::default()));
    let common = ["message_id", "from", "chat", "date"];
    let origin =
        json!({ "type": "hidden_user", "sender_user_name": "Anna K.", "date": 1_789_994_000 });
    let own = ClientMessage::of(Content::Contact(Contact::default()));
    let other = ClientMessage::of(Content::Contact(Contact {
        phone_number: Some("+4915112345678".to_owned()),
        first_name: Some("Supplier".to_owned()),
        ..Contact::default()
    }));
    let point = Content::Location { latitude: 59.3, longitude: 18.0, live_period: None };
    let live = Content::Location { latitude: 59.3, longitude: 18.0, live_period: Some(900) };
    let venue = Content::Venue {
        latitude: 59.3,
        longitude: 18.0,
        title: "Café Ö".to_owned(),
        address: "Storgatan 1".to_owned(),
    };
    let poll = Content::Poll {
        question: "Which day?".to_owned(),
        options: vec!["Mon".to_owned(), "Tue".to_owned()],
    };
    let dice = Content::Dice { emoji: "🎯".to_owned(), value: 5 };
    let hologram = json!({ "hologram": { "depth": 3 } }).as_object().unwrap().clone();
    let captioned = Media { caption: Some("see".to_owned()), ..Media::default() };
    let file = ["file_id", "file_unique_id", "file_size"];
    // message, its own members, the members of the first of them
    let cases: Vec<(ClientMessage, &[&str], &[&str])> = vec![
        (ClientMessage::text("hello"), &["text"], &[]),
        (ClientMessage::text("/start src_1"), &["text", "entities"], &[]),
        (ClientMessage::of(Content::Photo(captioned)), &["photo", "caption"], &["width", "height"]),
        (media(Content::Document), &["document"], &["file_name", "mime_type"]),
        (
            media(Content::Video),
            &["video"],
            &["duration", "width", "height", "file_name", "mime_type", "thumbnail"],
        ),
        (media(Content::Voice), &["voice"], &["duration", "mime_type"]),
        (media(Content::VideoNote), &["video_note"], &["duration", "length"]),
        (
            media(Content::Audio),
            &["audio"],
            &["duration", "file_name", "mime_type", "title", "performer"],
        ),
        (
            media(Content::Animation),
            &["animation", "document"],
            &["duration", "width", "height", "file_name", "mime_type"],
        ),
        (
            media(Content::Sticker),
            &["sticker"],
            &["width", "height", "emoji", "set_name", "is_animated", "is_video", "type"],
        ),
        (own, &["contact"], &["phone_number", "first_name", "last_name", "user_id"]),
        (other, &["contact"], &["phone_number", "first_name"]),
        (
            ClientMessage::of(point),
            &["location"],
            &["latitude", "longitude", "horizontal_accuracy"],
        ),
        (
            ClientMessage::of(live),
            &["location"],
            &["latitude", "longitude", "live_period", "heading"],
        ),
        (ClientMessage::of(venue), &["venue", "location"], &["location", "title", "address"]),
        (
            ClientMessage::of(poll),
            &["poll"],
            &[
                "id",
                "question",
                "options",
                "total_voter_count",
                "is_closed",
                "is_anonymous",
                "type",
                "allows_multiple_answers",
                "allows_revoting",
                "members_only",
            ],
        ),
        (ClientMessage::of(dice), &["dice"], &["emoji", "value"]),
        (ClientMessage::text("x").forwarded_from(origin), &["text", "forward_origin"], &[]),
        (ClientMessage::of(Content::Unknown { members: hologram }), &["hologram"], &["depth"]),
    ];
    for (message, members, inner) in cases {
        let name = format!("{:?}", message.content);
        let message_id = marta.send(message).unwrap();
        let update = it.drain().await.remove(0);
        assert_eq!(keys(&update), set(&["update_id", "message"]));
        let message = &update["message"];
        assert_eq!(message["message_id"], message_id);
        assert_eq!(keys(message), set(&[&common[..], members].concat()), "{name}");
        assert_eq!(
            keys(&message["from"]),
            set(&["id", "is_bot", "first_name", "last_name", "username", "language_code"])
        );
        assert_eq!(
            keys(&message["chat"]),
            set(&["id", "first_name", "last_name", "username", "type"])
        );
        if !inner.is_empty() {
            let first = &message[members[0]];
            let object = first.as_array().and_then(|sizes| sizes.last()).unwrap_or(first);
            let expected = if object.get("file_id").is_some() {
                [&file[..], inner].concat()
            } else {
                inner.to_vec()
            };
            assert_eq!(keys(object), set(&expected), "{name}");
        }
    }
}

#[tokio::test]
async fn replies_albums_edits_and_groups_have_the_members_of_the_contract() {
    let it = setting().await.started().await;
    let (marta, chat) = (&it.marta, it.marta.id());
    let asked =
        it.result("sendMessage", json!({ "chat_id": chat, "text": "The 2-litre model?" })).await;
    let asked = asked["message_id"].as_i64().unwrap();
    marta.send(ClientMessage::text("this part?").reply_to(asked).quoting("2-litre")).unwrap();
    let reply = it.drain().await.remove(0)["message"].clone();
    assert_eq!(
        keys(&reply),
        set(&["message_id", "from", "chat", "date", "text", "quote", "reply_to_message"])
    );
    assert_eq!(keys(&reply["quote"]), set(&["text", "position", "is_manual"]));
    assert_eq!(
        keys(&reply["reply_to_message"]),
        set(&["message_id", "from", "chat", "date", "text"])
    );

    let picture = |caption: Option<&str>| {
        ClientMessage::of(Content::Photo(Media {
            caption: caption.map(str::to_owned),
            ..Media::default()
        }))
    };
    marta.album(vec![picture(Some("damage")), picture(None), picture(None)]).unwrap();
    let album = it.drain().await;
    let groups: BTreeSet<_> =
        album.iter().map(|part| part["message"]["media_group_id"].as_str().unwrap()).collect();
    assert_eq!((album.len(), groups.len()), (3, 1));
    let captioned = album.iter().filter(|part| part["message"].get("caption").is_some()).count();
    assert_eq!(captioned, 1);

    let id = marta.text("blue").unwrap();
    let before = it.drain().await.remove(0);
    marta.edit(id, Edit { text: Some("black".to_owned()), ..Edit::default() }).unwrap();
    let edited = it.drain().await.remove(0);
    assert_eq!(keys(&edited), set(&["update_id", "edited_message"]));
    let edited = &edited["edited_message"];
    assert_eq!(keys(edited), set(&["message_id", "from", "chat", "date", "text", "edit_date"]));
    assert_eq!(
        (&edited["message_id"], &edited["date"]),
        (&before["message"]["message_id"], &before["message"]["date"])
    );

    let group = it.bot.create_group("Harbour ops", None);
    marta.send(ClientMessage::text("@harbour_desk_bot help").in_group(group)).unwrap();
    let message = it.drain().await.remove(0)["message"].clone();
    assert_eq!(keys(&message["chat"]), set(&["id", "title", "type"]));
    assert_eq!(message["entities"], json!([{ "offset": 0, "length": 17, "type": "mention" }]));
}

#[tokio::test]
async fn other_updates_have_the_members_of_the_contract() {
    let it = setting().await.started().await;
    let marta = &it.marta;
    marta.block().unwrap();
    marta.unblock().unwrap();
    let blocks = it.drain().await;
    let member = |at: usize| &blocks[at]["my_chat_member"];
    assert_eq!(
        keys(member(0)),
        set(&["chat", "from", "date", "old_chat_member", "new_chat_member"])
    );
    assert_eq!(member(0)["new_chat_member"]["status"], "kicked");
    assert_eq!(keys(&member(0)["new_chat_member"]), set(&["user", "status", "until_date"]));
    assert_eq!(member(1)["new_chat_member"]["status"], "member");
    assert_eq!(keys(&member(1)["new_chat_member"]), set(&["user", "status"]));

    marta.press(12, "old").unwrap();
    let callback = it.drain().await.remove(0)["callback_query"].clone();
    assert_eq!(keys(&callback), set(&["id", "from", "message", "chat_instance", "data"]));
    assert_eq!(keys(&callback["message"]), set(&["chat", "message_id", "date"]));
    assert_eq!(callback["message"]["date"], 0, "a message the bot no longer reaches");

    it.updates(json!({ "allowed_updates": ["message_reaction"] })).await;
    marta.react(95, Some("❤"), None).unwrap();
    let reaction = it.drain().await.remove(0)["message_reaction"].clone();
    assert_eq!(
        keys(&reaction),
        set(&["chat", "message_id", "user", "date", "old_reaction", "new_reaction"])
    );

    marta.do_unknown_thing("telepathy_event").unwrap();
    it.bot.skip_update_numbers(50);
    it.bot.inject(&json!({ "update_id": 1, "channel_post": { "message_id": 77, "chat": { "id": -1 }, "date": 1 } })).unwrap();
    let updates = it.drain().await;
    assert_eq!(keys(&updates[0]), set(&["update_id", "telepathy_event"]));
    assert_eq!(keys(&updates[1]), set(&["update_id", "channel_post"]));
    assert_eq!(ids(&updates)[1] - ids(&updates)[0], 51);
    assert!(it.bot.inject(&json!({ "message": {}, "edited_message": {} })).is_err());
}

// Files

#[tokio::test]
async fn a_file_of_a_client_is_downloaded_by_a_path_that_can_expire() {
    let it = setting().await;
    it.marta.photo(Some("look")).unwrap();
    let content = Bytes::from_static(b"\x00\x01 a bill");
    let file = FileSpec {
        bytes: Some(content.clone()),
        file_name: Some("Rechnung № 12 (копия).pdf".to_owned()),
        ..FileSpec::default()
    };
    it.marta.document(file, None).unwrap();
    let big = FileSpec { size_bytes: Some(73_400_320), ..FileSpec::default() };
    it.marta.document(big, None).unwrap();
    let updates = it.drain().await;
    let download = async |path: &Value| {
        let base = it.simulator.base_url();
        let url = format!("{base}/file/bot{}/{}", it.bot.token(), path.as_str().unwrap());
        let response = it.http.get(url).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap())
    };

    let sizes = updates[0]["message"]["photo"].as_array().unwrap();
    assert!(sizes.len() > 1);
    let largest =
        it.result("getFile", json!({ "file_id": sizes.last().unwrap()["file_id"] })).await;
    assert_eq!(keys(&largest), set(&["file_id", "file_unique_id", "file_size", "file_path"]));
    let (status, picture) = download(&largest["file_path"]).await;
    assert_eq!((status, picture.len() as u64), (200, largest["file_size"].as_u64().unwrap()));
    assert!(picture.starts_with(&[0xFF, 0xD8]), "a JPEG");

    let document = &updates[1]["message"]["document"];
    assert_eq!(document["file_name"], "Rechnung № 12 (копия).pdf");
    let file_id = json!({ "file_id": document["file_id"] });
    let path = it.result("getFile", file_id.clone()).await["file_path"].clone();
    assert_eq!(download(&path).await, (200, content));
    it.bot.expire_file_paths();
    assert_eq!(download(&path).await.0, 404);
    let fresh = it.result("getFile", file_id).await["file_path"].clone();
    assert_eq!(download(&fresh).await.0, 200);

    let too_big = json!({ "file_id": updates[2]["message"]["document"]["file_id"] });
    assert_eq!(
        it.refusal("getFile", too_big).await,
        (400, "Bad Request: file is too big".to_owned())
    );
    let wrong = it.refusal("getFile", json!({ "file_id": "AgACnonsense" })).await.1;
    assert_eq!(wrong, "Bad Request: wrong file_id or the file is temporarily unavailable");
    let stranger = it.simulator.telegram().create_bot(BotSpec::default());
    let url = format!("{}/bot{}/getFile", it.simulator.base_url(), stranger.token());
    let foreign =
        it.http.post(url).json(&json!({ "file_id": document["file_id"] })).send().await.unwrap();
    assert_eq!(foreign.status().as_u16(), 400, "an id belongs to its bot");
}

fn png(width: u32, height: u32, length: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.resize(length.max(bytes.len()), 0);
    bytes
}

#[tokio::test]
async fn uploads_are_kept_can_be_sent_again_and_are_bounded() {
    let it = setting().await.started().await;
    let sent =
        it.upload("sendPhoto", "photo", png(800, 600, 7000), "a.png").await["result"].clone();
    assert_eq!(keys(&sent), set(&["message_id", "from", "chat", "date", "photo"]));
    let size = &sent["photo"][0];
    assert_eq!(keys(size), set(&["file_id", "file_unique_id", "file_size", "width", "height"]));
    assert_eq!(
        (&size["width"], &size["height"], &size["file_size"]),
        (&json!(800), &json!(600), &json!(7000))
    );
    let again =
        it.result("sendPhoto", json!({ "chat_id": it.marta.id(), "photo": size["file_id"] })).await;
    assert_eq!(again["photo"][0]["file_unique_id"], size["file_unique_id"]);
    assert_eq!(it.bot.file_bytes(size["file_id"].as_str().unwrap()).unwrap().len(), 7000);
    let mismatch = json!({ "chat_id": it.marta.id(), "document": size["file_id"] });
    assert_eq!(it.refusal("sendDocument", mismatch).await.1, "Bad Request: type of file mismatch");

    let description = async |method: &str, field: &str, bytes: Vec<u8>| {
        it.upload(method, field, bytes, "x.bin").await["description"]
            .as_str()
            .unwrap_or("ok")
            .to_owned()
    };
    assert_eq!(
        description("sendPhoto", "photo", b"no picture".to_vec()).await,
        "Bad Request: IMAGE_PROCESS_FAILED"
    );
    assert_eq!(
        description("sendPhoto", "photo", png(9000, 1001, 100)).await,
        "Bad Request: PHOTO_INVALID_DIMENSIONS"
    );
    assert_eq!(
        description("sendPhoto", "photo", png(210, 10, 100)).await,
        "Bad Request: PHOTO_INVALID_DIMENSIONS"
    );
    let big = description("sendPhoto", "photo", png(10, 10, (10 << 20) + 1)).await;
    assert!(big.contains("file is too big"), "{big}");
    assert_eq!(
        description("sendDocument", "document", Vec::new()).await,
        "Bad Request: file must be non-empty"
    );
    assert_eq!(
        description("sendDocument", "document", vec![0; (50 << 20) + 1]).await,
        "Request Entity Too Large"
    );
    assert_eq!(
        description("sendDocument", "photo", vec![0; 9]).await,
        "Bad Request: there is no document in the request"
    );
    for (method, field) in [
        ("sendDocument", "document"),
        ("sendVideo", "video"),
        ("sendAnimation", "animation"),
        ("sendVoice", "voice"),
        ("sendAudio", "audio"),
        ("sendVideoNote", "video_note"),
        ("sendSticker", "sticker"),
    ] {
        let answer = it.upload(method, field, b"content".to_vec(), "x.bin").await;
        assert_eq!(answer["result"][field]["file_size"], 7, "{answer}");
    }
    it.simulator.telegram().forbid_voice(it.marta.id(), true).unwrap();
    assert_eq!(
        description("sendVoice", "voice", vec![1]).await,
        "Bad Request: VOICE_MESSAGES_FORBIDDEN"
    );
    let recorded = it.simulator.telegram().calls_to("sendVoice");
    assert_eq!(
        recorded[0].params["voice"],
        json!({ "file_name": "x.bin", "content_type": null, "size_bytes": 7 })
    );
}

#[tokio::test]
async fn an_album_is_uploaded_in_one_call_and_gives_a_list() {
    let it = setting().await.started().await;
    let send = async |media: Value, parts: usize| -> Value {
        let mut form =
            Form::new().text("chat_id", it.marta.id().to_string()).text("media", media.to_string());
        for part in 0..parts {
            form =
                form.part(format!("file{part}"), Part::bytes(png(80, 60, 100)).file_name("a.png"));
        }
        it.http
            .post(it.url("sendMediaGroup"))
            .multipart(form)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    let photo = |part: usize| json!({ "type": "photo", "media": format!("attach://file{part}") });
    let sent = send(json!([photo(0), photo(1)]), 2).await["result"].clone();
    let list = sent.as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(
        keys(&list[0]),
        set(&["message_id", "from", "chat", "date", "photo", "media_group_id"])
    );
    assert_eq!(list[0]["media_group_id"], list[1]["media_group_id"]);
    assert_eq!(send(json!([photo(0)]), 1).await["error_code"], 400);
    let mixed = json!([photo(0), { "type": "document", "media": "attach://file1" }]);
    assert_eq!(
        send(mixed, 2).await["description"],
        "Bad Request: document can't be mixed with other media types"
    );
    assert_eq!(it.marta.inbox().len(), 2);
}

#[tokio::test]
async fn a_file_can_be_given_by_an_address_on_this_machine_only() {
    let it = setting().await.started().await;
    let server = axum::Router::new().route("/a.txt", get(async || "a text"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = async { axum::serve(listener, server).await.unwrap() };
    let asked = async {
        let send = |url: String| json!({ "chat_id": it.marta.id(), "document": url });
        let sent = it.result("sendDocument", send(format!("http://{address}/a.txt"))).await;
        assert_eq!(sent["document"]["file_size"], 6);
        assert_eq!(sent["document"]["file_name"], "a.txt");
        let away =
            it.refusal("sendDocument", send("https://files.example.org/a.txt".to_owned())).await.1;
        assert_eq!(away, "Bad Request: failed to get HTTP URL content");
    };
    tokio::select! { () = served => (), () = asked => () }
}

// Webhook

type Posts = Arc<Mutex<Vec<(Option<String>, Value)>>>;

struct Receiver {
    url: String,
    posts: Posts,
    /// Answers with 500 for messages with this text, this many times.
    failing: Arc<Mutex<(String, usize)>>,
    server: tokio_util::task::AbortOnDropHandle<()>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the handle aborts the task when the receiver is dropped"
)]
async fn receiver() -> Receiver {
    let posts = Posts::default();
    let failing = Arc::new(Mutex::new((String::new(), 0)));
    let (kept, refused) = (Arc::clone(&posts), Arc::clone(&failing));
    let handler = async move |headers: HeaderMap, body: Bytes| {
        let update: Value = serde_json::from_slice(&body).unwrap();
        let secret = headers
            .get("x-telegram-bot-api-secret-token")
            .map(|value| value.to_str().unwrap().to_owned());
        let mut refused = refused.lock().unwrap();
        let refuse = refused.1 > 0 && update["message"]["text"] == refused.0.as_str();
        refused.1 -= usize::from(refuse);
        kept.lock().unwrap().push((secret, update));
        if refuse { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    };
    let router = axum::Router::new().route("/hook", post(handler));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let server = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        axum::serve(listener, router).await.unwrap();
    }));
    Receiver { url, posts, failing, server }
}

impl Receiver {
    fn texts(&self) -> Vec<String> {
        let posts = self.posts.lock().unwrap();
        posts
            .iter()
            .map(|(_, update)| update["message"]["text"].as_str().unwrap_or("-").to_owned())
            .collect()
    }
}

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

// Faults

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

// Control

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
