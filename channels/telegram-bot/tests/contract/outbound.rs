//! What the driver asks of the provider, and what it makes of each kind of answer.

use bytes::Bytes;
use channel_telegram_bot::{Options, TelegramBot};
use futures_util::TryStreamExt as _;
use hub_domain::AttachmentKind;
use hub_domain::channel::{
    ChannelDriver as _, DriverError, InboundUpdate, IntakeMode, OutboundAttachment,
    OutboundMessage, SendReceipt,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::{TOKEN, WEBHOOK_SECRET, access, driver_of};

const CHAT: &str = "5401220033";

fn text(text: &str) -> OutboundMessage {
    OutboundMessage {
        chat_id: CHAT.to_owned(),
        text: text.to_owned(),
        attachment: None,
        reply_to: None,
    }
}

fn file(kind: AttachmentKind, mime_type: &str, size: usize, caption: &str) -> OutboundMessage {
    let attachment = OutboundAttachment {
        kind,
        file_name: "Счёт \"7\".bin".to_owned(),
        mime_type: mime_type.to_owned(),
        bytes: Bytes::from(vec![b'x'; size]),
    };
    OutboundMessage { attachment: Some(attachment), ..text(caption) }
}

fn taken(message_id: i64) -> ResponseTemplate {
    let chat = json!({ "id": 5_401_220_033_i64, "type": "private" });
    let result = json!({ "message_id": message_id, "date": 1_795_000_000, "chat": chat });
    ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "result": result }))
}

fn refusal(code: u16, description: &str) -> ResponseTemplate {
    let body = json!({ "ok": false, "error_code": code, "description": description });
    ResponseTemplate::new(code).set_body_json(body)
}

/// A provider that answers one method, always the same.
async fn provider(name: &str, answer: ResponseTemplate) -> (MockServer, TelegramBot) {
    let server = MockServer::start().await;
    answer_with(&server, name, answer).await;
    let driver = driver_of(&server.uri());
    (server, driver)
}

async fn answer_with(server: &MockServer, name: &str, answer: ResponseTemplate) {
    let path = path(format!("/bot{TOKEN}/{name}"));
    Mock::given(method("POST")).and(path).respond_with(answer).mount(server).await;
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("recording is on")
}

fn method_of(request: &Request) -> &str {
    request.url.path().rsplit('/').next().unwrap_or_default()
}

fn params_of(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

/// The error must never show where it was sent: the token is in the address.
#[track_caller]
fn assert_discreet(error: &DriverError) {
    let shown = format!("{error} {error:?} {}", error.detail());
    for secret in [TOKEN, "AAtest", "/bot", WEBHOOK_SECRET] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

fn name_of(error: &DriverError) -> &'static str {
    match error {
        DriverError::Retry { .. } => "retry",
        DriverError::Refused { .. } => "refused",
        DriverError::Unauthorized { .. } => "unauthorized",
        DriverError::Conflict { .. } => "conflict",
        DriverError::Unknown { .. } => "unknown",
    }
}

#[tokio::test]
async fn a_text_goes_plain_and_comes_back_with_its_number() {
    let (server, driver) = provider("sendMessage", taken(412)).await;
    let receipt = driver.send(&access(), &text("5 < 6 *не разметка*")).await.expect("sent");
    assert_eq!(receipt, SendReceipt { external_id: format!("{CHAT}:412"), ordinal: 412 });
    let params = params_of(&requests(&server).await[0]);
    let expected = json!({ "chat_id": 5_401_220_033_i64, "text": "5 < 6 *не разметка*" });
    assert_eq!(params, expected);
}

#[tokio::test]
async fn a_reply_points_at_the_message_but_does_not_depend_on_it() {
    let (server, driver) = provider("sendMessage", taken(413)).await;
    let reply = OutboundMessage { reply_to: Some(format!("{CHAT}:300")), ..text("да") };
    driver.send(&access(), &reply).await.expect("sent");
    let elsewhere = OutboundMessage { reply_to: Some("77:300".to_owned()), ..text("да") };
    driver.send(&access(), &elsewhere).await.expect("sent");
    let requests = requests(&server).await;
    let expected = json!({ "message_id": 300, "allow_sending_without_reply": true });
    assert_eq!(params_of(&requests[0])["reply_parameters"], expected);
    assert_eq!(params_of(&requests[1]).get("reply_parameters"), None);
}

#[tokio::test]
async fn a_reply_whose_target_is_refused_goes_without_it() {
    let server = MockServer::start().await;
    let path = path(format!("/bot{TOKEN}/sendMessage"));
    Mock::given(method("POST"))
        .and(path)
        .respond_with(refusal(400, "Bad Request: message to be replied not found"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    answer_with(&server, "sendMessage", taken(414)).await;
    let reply = OutboundMessage { reply_to: Some(format!("{CHAT}:300")), ..text("да") };
    let receipt = driver_of(&server.uri()).send(&access(), &reply).await.expect("sent");
    assert_eq!(receipt.ordinal, 414);
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 2);
    assert_eq!(params_of(&requests[1]).get("reply_parameters"), None);
}

#[tokio::test]
async fn every_kind_of_file_goes_by_its_method_with_its_caption() {
    for (kind, mime_type, caption, name, field) in [
        (AttachmentKind::Photo, "image/jpeg", "вот", "sendPhoto", "photo"),
        (AttachmentKind::Video, "video/mp4", "вот", "sendVideo", "video"),
        (AttachmentKind::Animation, "image/gif", "вот", "sendAnimation", "animation"),
        (AttachmentKind::Voice, "audio/ogg; codecs=opus", "вот", "sendVoice", "voice"),
        (AttachmentKind::Audio, "audio/mpeg", "вот", "sendAudio", "audio"),
        (AttachmentKind::Document, "application/pdf", "вот", "sendDocument", "document"),
        (AttachmentKind::VideoNote, "video/mp4", "", "sendVideoNote", "video_note"),
        (AttachmentKind::Sticker, "image/webp", "", "sendSticker", "sticker"),
        // What would lose the caption, or not be shown, goes in a form that keeps both.
        (AttachmentKind::VideoNote, "video/mp4", "вот", "sendVideo", "video"),
        (AttachmentKind::Sticker, "image/webp", "вот", "sendDocument", "document"),
        (AttachmentKind::Photo, "image/heic", "вот", "sendDocument", "document"),
        (AttachmentKind::Voice, "audio/webm", "вот", "sendDocument", "document"),
    ] {
        let (server, driver) = provider(name, taken(1)).await;
        driver.send(&access(), &file(kind, mime_type, 9, caption)).await.expect(name);
        let requests = requests(&server).await;
        let body = String::from_utf8_lossy(&requests[0].body);
        let part = format!("name=\"{field}\"; filename=\"Счёт \\\"7\\\".bin\"");
        assert!(body.contains(&part), "{name}: {body}");
        assert!(body.contains(&format!("\r\n\r\n{CHAT}\r\n")), "{name}: {body}");
        assert_eq!(body.contains("name=\"caption\"\r\n\r\nвот\r\n"), !caption.is_empty(), "{body}");
    }
}

#[tokio::test]
async fn a_photo_too_large_to_be_one_goes_as_a_document() {
    let (server, driver) = provider("sendDocument", taken(1)).await;
    let photo = file(AttachmentKind::Photo, "image/png", 10 * 1024 * 1024 + 1, "");
    driver.send(&access(), &photo).await.expect("sent");
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn a_photo_refused_for_its_shape_goes_as_a_document() {
    let (server, driver) =
        provider("sendPhoto", refusal(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")).await;
    answer_with(&server, "sendDocument", taken(5)).await;
    let photo = file(AttachmentKind::Photo, "image/png", 9, "лента");
    assert_eq!(driver.send(&access(), &photo).await.expect("sent").ordinal, 5);
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_before_anything_is_sent() {
    let (server, driver) = provider("sendDocument", taken(1)).await;
    let large = file(AttachmentKind::Document, "application/zip", 50 * 1024 * 1024 + 1, "");
    let error = driver.send(&access(), &large).await.expect_err("too large");
    assert_eq!((name_of(&error), error.code()), ("refused", "upload_too_big"));
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn refusals_of_a_send_are_told_apart() {
    for (status, description, outcome, code) in [
        (401, "Unauthorized", "unauthorized", "token_revoked"),
        (404, "Not Found", "unauthorized", "token_revoked"),
        (404, "Not Found: method not found", "refused", "bad_request"),
        (403, "Forbidden: bot was blocked by the user", "refused", "client_blocked"),
        (403, "Forbidden: user is deactivated", "refused", "client_deactivated"),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            "refused",
            "cannot_initiate",
        ),
        (403, "Forbidden: bot was kicked from the supergroup chat", "refused", "not_a_member"),
        (403, "Forbidden: something new", "refused", "forbidden"),
        (400, "Bad Request: chat not found", "refused", "chat_not_found"),
        (400, "Bad Request: PEER_ID_INVALID", "refused", "chat_not_found"),
        (400, "Bad Request: message is too long", "refused", "text_too_long"),
        (400, "Bad Request: message caption is too long", "refused", "caption_too_long"),
        (400, "Bad Request: VOICE_MESSAGES_FORBIDDEN", "refused", "voice_forbidden"),
        (400, "Bad Request: FROZEN_METHOD_INVALID", "unauthorized", "account_frozen"),
        (400, "Bad Request: some new reason", "refused", "bad_request"),
        (413, "Request Entity Too Large", "refused", "upload_too_big"),
    ] {
        let (_server, driver) = provider("sendMessage", refusal(status, description)).await;
        let error = driver.send(&access(), &text("x")).await.expect_err(description);
        assert_eq!((name_of(&error), error.code()), (outcome, code), "{description}");
        assert_eq!(error.detail(), description);
        assert_discreet(&error);
    }
}

#[tokio::test]
async fn too_many_requests_tells_when_to_come_back() {
    let body = json!({
        "ok": false,
        "error_code": 429,
        "description": "Too Many Requests: retry after 27",
        "parameters": { "retry_after": 27 },
    });
    let answers = [
        ResponseTemplate::new(429).set_body_json(body),
        ResponseTemplate::new(429).insert_header("Retry-After", "27").set_body_string("slow down"),
    ];
    for answer in answers {
        let (_server, driver) = provider("sendMessage", answer).await;
        let error = driver.send(&access(), &text("x")).await.expect_err("limited");
        assert_eq!(error.code(), "rate_limited");
        let DriverError::Retry { retry_after_ms, whole_account, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!((retry_after_ms, whole_account), (Some(27_000), false));
    }
}

/// Answers after which a message may or may not be with the client.
fn uncertain_answers() -> Vec<(&'static str, ResponseTemplate)> {
    let html = "<html><head><title>502 Bad Gateway</title></head></html>";
    let nameless = json!({ "ok": true, "result": true });
    vec![
        ("500 of the provider", refusal(500, "Internal Server Error")),
        ("502 of a front", ResponseTemplate::new(502).set_body_raw(html, "text/html")),
        ("504 of a front", ResponseTemplate::new(504).set_body_raw(html, "text/html")),
        ("503 without a time", ResponseTemplate::new(503).set_body_string("busy")),
        ("200 with half an answer", ResponseTemplate::new(200).set_body_string("{\"ok\":tr")),
        ("200 with a page", ResponseTemplate::new(200).set_body_raw(html, "text/html")),
        ("200 that names no message", ResponseTemplate::new(200).set_body_json(nameless)),
    ]
}

#[tokio::test]
async fn an_answer_that_proves_nothing_leaves_a_send_unknown() {
    for (what, answer) in uncertain_answers() {
        let (server, driver) = provider("sendMessage", answer).await;
        let error = driver.send(&access(), &text("x")).await.expect_err(what);
        assert_eq!(name_of(&error), "unknown", "{what}: {error}");
        assert_eq!(requests(&server).await.len(), 1, "{what}: never tried again by itself");
        assert_discreet(&error);
    }
}

#[tokio::test]
async fn a_front_that_promises_to_have_done_nothing_is_tried_again() {
    let busy = ResponseTemplate::new(503).insert_header("Retry-After", "3");
    let (_server, driver) = provider("sendMessage", busy).await;
    let error = driver.send(&access(), &text("x")).await.expect_err("busy");
    assert!(matches!(error, DriverError::Retry { retry_after_ms: Some(3000), .. }), "{error:?}");

    for status in [301, 403, 404, 408] {
        let page = ResponseTemplate::new(status).set_body_string("<html>a proxy</html>");
        let (_server, driver) = provider("sendMessage", page).await;
        let error = driver.send(&access(), &text("x")).await.expect_err("a proxy");
        assert_eq!((name_of(&error), error.code()), ("retry", "provider_error"), "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, _) = provider("sendMessage", taken(1)).await;
    let target = format!("{}/bot{TOKEN}/sendMessage", elsewhere.uri());
    let redirect = ResponseTemplate::new(307).insert_header("Location", target.as_str());
    let (_server, driver) = provider("sendMessage", redirect).await;
    driver.send(&access(), &text("x")).await.expect_err("a redirect");
    assert!(requests(&elsewhere).await.is_empty());
}

#[tokio::test]
async fn the_same_answers_to_a_repeatable_call_are_tried_again() {
    for (what, answer) in uncertain_answers() {
        let (_server, driver) = provider("getUpdates", answer).await;
        let error = driver.poll(&access(), None).await.expect_err(what);
        assert_eq!(name_of(&error), "retry", "{what}: {error}");
    }
    let (_server, driver) =
        provider("editMessageText", refusal(500, "Internal Server Error")).await;
    let error = driver.edit(&access(), &format!("{CHAT}:1"), "x", false).await.expect_err("500");
    assert_eq!(name_of(&error), "retry");
}

#[tokio::test]
async fn silence_after_a_send_is_unknown_and_after_a_question_is_tried_again() {
    let late = || taken(1).set_delay(std::time::Duration::from_secs(30));
    let (server, driver) = provider("sendMessage", late()).await;
    answer_with(&server, "deleteMessage", late()).await;
    let error = driver.send(&access(), &text("x")).await.expect_err("silence");
    assert_eq!((name_of(&error), error.code()), ("unknown", "provider_timeout"));
    assert_discreet(&error);
    let error = driver.delete(&access(), &format!("{CHAT}:1")).await.expect_err("silence");
    assert_eq!((name_of(&error), error.code()), ("retry", "provider_timeout"));
}

#[tokio::test]
async fn a_provider_that_is_not_there_was_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let driver = driver_of(&format!("http://{address}"));
    let error = driver.send(&access(), &text("x")).await.expect_err("refused");
    assert_eq!((name_of(&error), error.code()), ("retry", "provider_unreachable"));
    assert_discreet(&error);

    let driver = driver_of("http://name-that-does-not-exist.invalid");
    let error = driver.send(&access(), &text("x")).await.expect_err("no such name");
    assert_eq!(name_of(&error), "retry");
    assert_discreet(&error);
}

/// Reads what arrives, writes `answer`, and closes; counts the connections that carried a request.
async fn cutting_provider(answer: &'static [u8]) -> (String, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    #[expect(clippy::disallowed_methods, reason = "awaited by its test")]
    let served = tokio::spawn(async move {
        let mut requests = 0;
        let patience = std::time::Duration::from_millis(300);
        while let Ok(Ok((mut socket, _))) = tokio::time::timeout(patience, listener.accept()).await
        {
            let mut buffer = [0_u8; 4096];
            if socket.read(&mut buffer).await.unwrap_or(0) > 0 {
                requests += 1;
            }
            let _ = socket.write_all(answer).await;
        }
        requests
    });
    (format!("http://{address}"), served)
}

#[tokio::test]
async fn a_cut_after_the_request_leaves_a_send_unknown_and_is_sent_once() {
    let half: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ok\":true,";
    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\n", half] {
        let (url, served) = cutting_provider(answer).await;
        let error = driver_of(&url).send(&access(), &text("x")).await.expect_err("cut");
        assert_eq!((name_of(&error), error.code()), ("unknown", "connection_lost"), "{error}");
        assert_discreet(&error);
        assert_eq!(served.await.expect("served"), 1);
    }
}

#[tokio::test]
async fn an_edit_without_a_change_and_a_delete_of_nothing_are_done() {
    let not_modified = "Bad Request: message is not modified: specified new message content and \
                        reply markup are exactly the same";
    let (server, driver) = provider("editMessageText", refusal(400, not_modified)).await;
    let gone = refusal(400, "Bad Request: message to delete not found");
    answer_with(&server, "deleteMessage", gone).await;
    let old = "Bad Request: query is too old and response timeout expired or query ID is invalid";
    answer_with(&server, "answerCallbackQuery", refusal(400, old)).await;
    let message = format!("{CHAT}:300");
    driver.edit(&access(), &message, "то же", false).await.expect("nothing to change");
    driver.delete(&access(), &message).await.expect("nothing to delete");
    driver.answer_button(&access(), "99").await.expect("nobody waits");
}

#[tokio::test]
async fn edits_and_deletes_name_the_message_and_are_refused_with_a_code() {
    let done = ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "result": true }));
    let (server, driver) = provider("editMessageCaption", done).await;
    let forbidden = refusal(400, "Bad Request: message can't be deleted for everyone");
    answer_with(&server, "deleteMessage", forbidden).await;
    let gone = refusal(400, "Bad Request: message to edit not found");
    answer_with(&server, "editMessageText", gone).await;

    driver.edit(&access(), &format!("{CHAT}:300"), "подпись", true).await.expect("edited");
    let params = params_of(&requests(&server).await[0]);
    let expected = json!({ "chat_id": 5_401_220_033_i64, "message_id": 300, "caption": "подпись" });
    assert_eq!(params, expected);
    let error = driver.delete(&access(), &format!("{CHAT}:300")).await.expect_err("too old");
    assert_eq!(error.code(), "message_not_deletable");
    let error = driver.edit(&access(), &format!("{CHAT}:300"), "x", false).await;
    assert_eq!(error.expect_err("gone").code(), "message_not_found");
    let error = driver.edit(&access(), "not ours", "x", false).await.expect_err("not an id");
    assert_eq!((name_of(&error), error.code()), ("refused", "bad_request"));
}

#[tokio::test]
async fn a_poll_asks_for_what_the_hub_uses_and_moves_past_everything() {
    let updates = json!([
        { "update_id": 8, "telepathy_event": {} },
        { "update_id": 12, "message": { "message_id": 1, "date": 1_795_000_000, "text": "a",
            "chat": { "id": 5, "type": "private" }, "from": { "id": 5, "first_name": "A" } } },
        "not an update",
    ]);
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "result": updates }));
    let (server, driver) = provider("getUpdates", answer).await;
    let batch = driver.poll(&access(), Some("8")).await.expect("polled");
    assert_eq!(batch.next_cursor.as_deref(), Some("13"));
    assert_eq!(batch.updates.len(), 3);
    assert!(matches!(batch.updates[0].update, InboundUpdate::Skipped { .. }));
    assert!(matches!(batch.updates[1].update, InboundUpdate::Message(_)));
    let params = params_of(&requests(&server).await[0]);
    assert_eq!((&params["offset"], &params["timeout"]), (&json!(8), &json!(1)));
    let kinds =
        ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"];
    assert_eq!(params["allowed_updates"], json!(kinds));
}

#[tokio::test]
async fn an_empty_poll_keeps_the_cursor() {
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "result": [] }));
    let (_server, driver) = provider("getUpdates", answer).await;
    let batch = driver.poll(&access(), Some("8")).await.expect("polled");
    assert_eq!((batch.updates.len(), batch.next_cursor.as_deref()), (0, Some("8")));
}

#[tokio::test]
async fn a_poll_that_is_shut_out_says_by_whom() {
    for (description, code) in [
        (
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook",
            "webhook_active",
        ),
        (
            "Conflict: terminated by other getUpdates request; make sure that only one bot runs",
            "other_poller",
        ),
    ] {
        let (_server, driver) = provider("getUpdates", refusal(409, description)).await;
        let error = driver.poll(&access(), None).await.expect_err("shut out");
        assert_eq!((name_of(&error), error.code()), ("conflict", code));
    }
}

#[tokio::test]
async fn intake_is_set_up_with_the_secret_and_the_kinds_or_taken_away() {
    let done = || ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "result": true }));
    let (server, driver) = provider("setWebhook", done()).await;
    answer_with(&server, "deleteWebhook", done()).await;
    let url = "https://hub.example.org/webhooks/telegram_bot/1";
    driver.configure_intake(&access(), IntakeMode::Webhook, Some(url)).await.expect("set");
    driver.configure_intake(&access(), IntakeMode::Polling, None).await.expect("deleted");
    let error = driver.configure_intake(&access(), IntakeMode::Webhook, None).await;
    assert_eq!(error.expect_err("no address").code(), "webhook_url_missing");
    let requests = requests(&server).await;
    let params = params_of(&requests[0]);
    assert_eq!(params["url"], url);
    assert_eq!(params["secret_token"], WEBHOOK_SECRET);
    assert_eq!(params["max_connections"], 40);
    assert!(params["allowed_updates"].as_array().is_some_and(|kinds| kinds.len() == 5));
    let methods: Vec<&str> = requests.iter().map(method_of).collect();
    assert_eq!(methods, ["setWebhook", "deleteWebhook"]);
}

#[tokio::test]
async fn an_account_is_asked_with_its_token_and_a_malformed_token_is_never_sent() {
    let me =
        json!({ "id": 7_420_011, "is_bot": true, "first_name": "Школа", "username": "rostok_bot" });
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "result": me }));
    let (server, driver) = provider("getMe", answer).await;
    let account = driver.account(&access()).await.expect("asked");
    assert_eq!((account.external_id.as_str(), account.name.as_str()), ("7420011", "Школа"));
    assert_eq!(account.username.as_deref(), Some("rostok_bot"));

    let malformed = "7420011:AA/../../other?x=".into();
    let stranger = hub_domain::channel::ChannelAccess { secret: malformed, ..access() };
    let error = driver.account(&stranger).await.expect_err("malformed");
    assert_eq!((name_of(&error), error.code()), ("unauthorized", "token_revoked"));
    assert_eq!(requests(&server).await.len(), 1);
}

fn file_answer(file_path: &str) -> ResponseTemplate {
    let file = json!({ "file_id": "F", "file_path": file_path, "file_size": 5 });
    ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "result": file }))
}

async fn serve_file(server: &MockServer, at: &str, answer: ResponseTemplate) {
    let path = path(format!("/file/bot{TOKEN}/{at}"));
    Mock::given(method("GET")).and(path).respond_with(answer).mount(server).await;
}

async fn bytes_of(driver: &TelegramBot) -> Result<Vec<u8>, DriverError> {
    let download = driver.download(&access(), "F").await?;
    let chunks: Vec<Bytes> = download.bytes.try_collect().await?;
    Ok(chunks.concat())
}

#[tokio::test]
async fn a_file_is_fetched_from_the_path_that_was_told() {
    let (server, driver) = provider("getFile", file_answer("photos/file 1.jpg")).await;
    let answer = ResponseTemplate::new(200).set_body_raw(&b"hello"[..], "image/jpeg");
    serve_file(&server, "photos/file%201.jpg", answer).await;
    let download = driver.download(&access(), "F").await.expect("opened");
    assert_eq!(download.size_bytes, Some(5));
    assert_eq!(download.mime_type.as_deref(), Some("image/jpeg"));
    assert_eq!(bytes_of(&driver).await.expect("read"), b"hello");
}

#[tokio::test]
async fn a_path_that_expired_is_asked_for_once_more() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(file_answer("old.bin"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    answer_with(&server, "getFile", file_answer("new.bin")).await;
    serve_file(&server, "old.bin", refusal(404, "Not Found")).await;
    serve_file(&server, "new.bin", ResponseTemplate::new(200).set_body_string("fresh")).await;
    assert_eq!(bytes_of(&driver_of(&server.uri())).await.expect("read"), b"fresh");
}

#[tokio::test]
async fn a_file_that_stays_away_is_no_revoked_token() {
    let (server, driver) = provider("getFile", file_answer("gone.bin")).await;
    serve_file(&server, "gone.bin", refusal(404, "Not Found")).await;
    let error = bytes_of(&driver).await.expect_err("gone");
    assert_eq!((name_of(&error), error.code()), ("retry", "file_unavailable"));
    assert_eq!(requests(&server).await.len(), 4, "asked for a fresh path once");
    assert_discreet(&error);
}

#[tokio::test]
async fn a_file_that_the_provider_does_not_hand_out_is_refused() {
    for (description, outcome, code) in [
        ("Bad Request: file is too big", "refused", "file_too_big"),
        (
            "Bad Request: wrong file_id or the file is temporarily unavailable",
            "retry",
            "file_unavailable",
        ),
        ("Bad Request: invalid file_id", "refused", "file_not_found"),
    ] {
        let (_server, driver) = provider("getFile", refusal(400, description)).await;
        let error = bytes_of(&driver).await.expect_err(description);
        assert_eq!((name_of(&error), error.code()), (outcome, code));
    }
}

#[tokio::test]
async fn a_path_that_leaves_its_folder_is_not_followed() {
    for path in ["../../getMe", "a//b", "/etc/passwd", "a/./b"] {
        let (server, driver) = provider("getFile", file_answer(path)).await;
        bytes_of(&driver).await.expect_err(path);
        assert_eq!(requests(&server).await.len(), 1, "{path}");
    }
}

#[tokio::test]
async fn a_download_that_is_cut_short_says_so() {
    let (server, _) = provider("getFile", file_answer("a.bin")).await;
    let half: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
    let (cutting, served) = cutting_provider(half).await;
    // The path comes from one server; the file itself from one that gives up.
    let front = front_of(server.uri(), cutting).await;
    let error = bytes_of(&driver_of(&front)).await.expect_err("cut");
    assert_eq!((name_of(&error), error.code()), ("retry", "download_cut"));
    assert_eq!(served.await.expect("served"), 1);
}

/// One address for two servers: files come from the second, everything else from the first.
async fn front_of(api: String, files: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    #[expect(clippy::disallowed_methods, reason = "ends with the runtime of its test")]
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut first = vec![0_u8; 8192];
            let read = client.read(&mut first).await.unwrap_or(0);
            let target = if first.starts_with(b"GET /file/") { &files } else { &api };
            let target = target.trim_start_matches("http://");
            let mut server = tokio::net::TcpStream::connect(target).await.expect("a server");
            server.write_all(&first[..read]).await.expect("written");
            let mut answer = vec![0_u8; 8192];
            let read = server.read(&mut answer).await.unwrap_or(0);
            // One answer a connection, so that the next request is looked at again.
            let _ = client.write_all(&answer[..read]).await;
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn an_address_that_is_none_is_found_at_start() {
    for url in ["", "api.telegram.org", "ftp://api.telegram.org", "https://x/?a=b"] {
        assert!(TelegramBot::new(url, Options::default()).is_err(), "{url}");
    }
    for url in ["https://api.telegram.org", "http://127.0.0.1:8081/", "http://proxy/telegram"] {
        assert!(TelegramBot::new(url, Options::default()).is_ok(), "{url}");
    }
}
