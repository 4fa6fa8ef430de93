//! Calls of a bot: how they are written, and what each does.

use std::time::Duration;

use reqwest::multipart::Form;
use serde_json::{Value, json};
use simulator::telegram::{ClientMessage, Handover};

use crate::setting::{SOON, keys, set, setting};

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
