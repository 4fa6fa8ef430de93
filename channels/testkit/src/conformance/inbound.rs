//! What clients do, as the hub is told.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use hub_domain::channel::{ChannelAccess, InboundUpdate};
use hub_domain::{AttachmentKind, Content};

use super::{Act, Harness, Intake, assert_discreet, picture, send, text_to};

pub async fn the_account_is_the_one_that_was_connected<H: Harness + ?Sized>(harness: &H) {
    let (driver, access) = (harness.driver(), harness.access());
    assert!(driver.credential_is_well_formed(&access.secret));
    let account = driver.account(&access).await.expect("the account answers");
    assert_eq!(account.external_id, access.external_id);
    assert!(!account.name.is_empty());
}

pub async fn a_text_comes_in_with_its_sender_and_its_number<H: Harness + ?Sized>(harness: &H) {
    let mut intake = Intake::begin(harness).await;
    let act = Act::Text("Добрый день".to_owned());
    let external_id = harness.client_does(act).await.expect("every client can write");
    let message = intake.next_message().await;
    assert_eq!(message.external_id, external_id);
    assert_eq!(message.content, Content::text("Добрый день"));
    assert_eq!(message.sender.chat_id, harness.chat_id(), "answers go where the message came from");
    assert!(!message.sender.external_id.is_empty());
    assert!(!message.by_us && message.attachments.is_empty() && message.edited_at.is_none());
}

pub async fn text_of_any_script_comes_in_unchanged<H: Harness + ?Sized>(harness: &H) {
    let mut intake = Intake::begin(harness).await;
    for text in [
        "سؤال \u{200f}(A-12)\u{200e}",
        "👨\u{200d}👩\u{200d}👧 zero\u{200b}width",
        "<b>no markup</b> & \"quotes\" _*[x](y)",
        "line\nline\n\n  indented",
    ] {
        harness.client_does(Act::Text(text.to_owned())).await.expect("every client can write");
        assert_eq!(intake.next_message().await.content.words(), text);
    }
}

pub async fn messages_come_in_order_and_again_until_the_cursor_moves<H: Harness + ?Sized>(
    harness: &H,
) {
    let intake = Intake::begin(harness).await;
    for number in 1..=3 {
        harness.client_does(Act::Text(format!("text {number}"))).await.expect("can write");
    }
    let (driver, access) = (harness.driver(), harness.access());
    let poll = |cursor: Option<String>| {
        let (driver, access) = (driver.clone(), access.clone());
        async move { driver.poll(&access, cursor.as_deref()).await.expect("a poll works") }
    };
    let first = poll(intake.cursor.clone()).await;
    let again = poll(intake.cursor.clone()).await;
    assert_eq!(first, again, "what was not confirmed comes again");
    let ordinals: Vec<i64> = first
        .updates
        .iter()
        .map(|update| match &update.update {
            InboundUpdate::Message(message) => message.ordinal,
            other => panic!("no message: {other:?}"),
        })
        .collect();
    assert_eq!(ordinals.len(), 3);
    assert!(ordinals.is_sorted_by(|a, b| a < b), "{ordinals:?}");
    let after = poll(first.next_cursor.clone()).await;
    assert!(after.updates.is_empty(), "what was confirmed comes no more");
    assert_eq!(after.next_cursor, first.next_cursor, "an empty poll keeps the cursor");
}

pub async fn an_edit_names_the_message_it_changes<H: Harness + ?Sized>(harness: &H) {
    let mut intake = Intake::begin(harness).await;
    let act = Act::Text("в понедельник".to_owned());
    let external_id = harness.client_does(act).await.expect("every client can write");
    let original = intake.next_message().await;
    let edit = Act::Edit { external_id, text: "во вторник".to_owned() };
    if harness.client_does(edit).await.is_none() {
        return;
    }
    let update = intake.next().await;
    let InboundUpdate::Edited(edited) = update else { panic!("no edit: {update:?}") };
    assert_eq!(edited.external_id, original.external_id);
    assert_eq!((edited.ordinal, edited.sent_at), (original.ordinal, original.sent_at));
    assert_eq!(edited.sender, original.sender);
    assert_eq!(edited.content.words(), "во вторник");
    assert!(edited.edited_at.is_some());
}

async fn fetch<H: Harness + ?Sized>(harness: &H, file_ref: &str) -> Bytes {
    let download = harness.driver().download(&harness.access(), file_ref).await.expect("opened");
    let told = download.size_bytes;
    let chunks: Vec<Bytes> = download.bytes.try_collect().await.expect("read to the end");
    let bytes = Bytes::from(chunks.concat());
    assert!(told.is_none_or(|told| told == bytes.len() as u64), "the told size is the real one");
    bytes
}

pub async fn a_photo_is_one_attachment_that_can_be_fetched<H: Harness + ?Sized>(harness: &H) {
    let mut intake = Intake::begin(harness).await;
    let photo = Act::Photo { bytes: picture(), caption: "справка".to_owned() };
    if harness.client_does(photo).await.is_none() {
        return;
    }
    let message = intake.next_message().await;
    assert_eq!(message.content.words(), "справка");
    assert_eq!(message.attachments.len(), 1);
    assert_eq!(message.attachments[0].kind, AttachmentKind::Photo);
    assert_eq!(fetch(harness, &message.attachments[0].file_ref).await, picture());
}

/// A document of the client, as it came in.
async fn document<H: Harness + ?Sized>(harness: &H, bytes: &Bytes) -> Option<(String, String)> {
    let mut intake = Intake::begin(harness).await;
    let file_name = "Договор № 7 (копия).pdf".to_owned();
    harness.client_does(Act::Document { bytes: bytes.clone(), file_name }).await?;
    let message = intake.next_message().await;
    assert_eq!(message.attachments.len(), 1);
    let file = &message.attachments[0];
    assert_eq!(file.kind, AttachmentKind::Document);
    Some((file.file_ref.clone(), file.file_name.clone().unwrap_or_default()))
}

pub async fn a_document_keeps_its_name<H: Harness + ?Sized>(harness: &H) {
    // Larger than any one chunk.
    let bytes = Bytes::from(vec![7_u8; 300_000]);
    let Some((file_ref, file_name)) = document(harness, &bytes).await else { return };
    assert_eq!(file_name, "Договор № 7 (копия).pdf");
    assert_eq!(fetch(harness, &file_ref).await, bytes);
}

pub async fn a_file_whose_address_expired_can_still_be_fetched<H: Harness + ?Sized>(harness: &H) {
    let bytes = Bytes::from_static(b"still here");
    let Some((file_ref, _)) = document(harness, &bytes).await else { return };
    assert_eq!(fetch(harness, &file_ref).await, bytes);
    harness.expire_file_addresses().await;
    assert_eq!(fetch(harness, &file_ref).await, bytes);
}

pub async fn a_file_that_is_not_handed_out_is_refused<H: Harness + ?Sized>(harness: &H) {
    let mut intake = Intake::begin(harness).await;
    if harness.client_does(Act::DocumentTooLarge).await.is_none() {
        return;
    }
    let message = intake.next_message().await;
    let file = &message.attachments[0];
    let limit = harness.driver().capabilities().download_limit_bytes;
    assert!(file.size_bytes.is_none_or(|size| size > limit));
    let error = harness.driver().download(&harness.access(), &file.file_ref).await;
    let error = error.expect_err("too large");
    assert!(matches!(error, hub_domain::channel::DriverError::Refused { .. }), "{error:?}");
    assert_eq!(error.code(), "file_too_big");
    assert_discreet(harness, &error);
}

/// Sends a message of ours for clients to act upon.
async fn our_message<H: Harness + ?Sized>(harness: &H) -> String {
    let message = text_to(harness, "Вторник или среда?");
    send(harness, &message).await.expect("sent").external_id
}

pub async fn a_reply_names_the_message_it_answers<H: Harness + ?Sized>(harness: &H) {
    let ours = our_message(harness).await;
    let mut intake = Intake::begin(harness).await;
    let reply = Act::Reply { to: ours.clone(), text: "среда".to_owned() };
    if harness.client_does(reply).await.is_none() {
        return;
    }
    let reply = intake.next_message().await.reply_to.expect("it answers something");
    assert_eq!(reply.external_id.as_deref(), Some(ours.as_str()));
}

pub async fn an_own_phone_is_vouched_for<H: Harness + ?Sized>(harness: &H) {
    let mut intake = Intake::begin(harness).await;
    if harness.client_does(Act::ShareOwnPhone).await.is_none() {
        return;
    }
    let message = intake.next_message().await;
    assert!(message.verified_phone.is_some_and(|phone| phone.chars().any(char::is_numeric)));
    assert!(matches!(message.content, Content::Contact { own: true, .. }));
}

pub async fn a_pressed_button_can_be_answered_twice<H: Harness + ?Sized>(harness: &H) {
    let ours = our_message(harness).await;
    let mut intake = Intake::begin(harness).await;
    let press = Act::Press { external_id: ours.clone(), data: "wednesday".to_owned() };
    if harness.client_does(press).await.is_none() {
        return;
    }
    let update = intake.next().await;
    let InboundUpdate::ButtonPressed { external_id, sender, data, message_external_id, .. } =
        update
    else {
        panic!("no press: {update:?}")
    };
    assert_eq!((data.as_str(), message_external_id), ("wednesday", Some(ours)));
    assert_eq!(sender.chat_id, harness.chat_id());
    for _ in 0..2 {
        let answered = harness.driver().answer_button(&harness.access(), &external_id).await;
        answered.expect("an answer is repeatable");
    }
}

pub async fn a_reaction_names_our_message<H: Harness + ?Sized>(harness: &H) {
    let ours = our_message(harness).await;
    let mut intake = Intake::begin(harness).await;
    for emoji in [Some("👍".to_owned()), None] {
        let react = Act::React { external_id: ours.clone(), emoji: emoji.clone() };
        if harness.client_does(react).await.is_none() {
            return;
        }
        let update = intake.next().await;
        let InboundUpdate::Reaction { message_external_id, emojis, .. } = update else {
            panic!("no reaction: {update:?}")
        };
        assert_eq!(message_external_id, ours);
        assert_eq!(emojis, Vec::from_iter(emoji));
    }
}

pub async fn blocking_is_told_and_refuses_sends<H: Harness + ?Sized>(harness: &H) {
    let mut intake = Intake::begin(harness).await;
    for (act, expected) in [(Act::Block, false), (Act::Unblock, true)] {
        if harness.client_does(act).await.is_none() {
            return;
        }
        let update = intake.next().await;
        let InboundUpdate::Reachability { sender, reachable, .. } = update else {
            panic!("not about reach: {update:?}")
        };
        assert_eq!((reachable, sender.chat_id), (expected, harness.chat_id()));
        let sent = send(harness, &text_to(harness, "вы здесь?")).await;
        if expected {
            sent.expect("reachable again");
        } else {
            let error = sent.expect_err("blocked");
            assert_eq!(error.code(), "client_blocked");
            assert!(matches!(error, hub_domain::channel::DriverError::Refused { .. }), "{error:?}");
            assert!(harness.seen().await.is_empty());
        }
    }
}

async fn assert_skipped_and_passed<H: Harness + ?Sized>(harness: &H, act: Act) {
    let mut intake = Intake::begin(harness).await;
    if harness.client_does(act).await.is_none() {
        return;
    }
    let update = intake.next().await;
    assert!(matches!(update, InboundUpdate::Skipped { .. }), "not skipped: {update:?}");
    harness.client_does(Act::Text("after".to_owned())).await.expect("every client can write");
    assert_eq!(intake.next_message().await.content.words(), "after");
}

pub async fn a_group_is_no_conversation<H: Harness + ?Sized>(harness: &H) {
    assert_skipped_and_passed(harness, Act::TextInGroup("всем привет".to_owned())).await;
}

pub async fn an_unknown_thing_moves_the_cursor<H: Harness + ?Sized>(harness: &H) {
    assert_skipped_and_passed(harness, Act::UnknownThing).await;
}

pub async fn unknown_content_is_kept<H: Harness + ?Sized>(harness: &H) {
    let mut intake = Intake::begin(harness).await;
    if harness.client_does(Act::UnknownContent).await.is_none() {
        return;
    }
    let message = intake.next_message().await;
    assert!(matches!(message.content, Content::Unsupported { .. }), "{:?}", message.content);
    assert!(message.raw.is_some_and(|raw| raw.is_object()));
}

pub async fn a_webhook_is_believed_with_its_secret_only<H: Harness + ?Sized>(harness: &H) {
    let Some(calls) = harness.webhook_calls("привет").await else { return };
    let (driver, access) = (harness.driver(), harness.access());
    let other = ChannelAccess { webhook_secret: "another-secret".into(), ..access.clone() };
    let unset = ChannelAccess { webhook_secret: "".into(), ..access.clone() };
    assert!(!calls.is_empty(), "the provider called");
    for call in &calls {
        assert!(driver.webhook_is_genuine(&access, &call.headers, &call.body));
        assert!(!driver.webhook_is_genuine(&other, &call.headers, &call.body));
        assert!(!driver.webhook_is_genuine(&unset, &call.headers, &call.body));
        let bare = http::HeaderMap::new();
        assert!(!driver.webhook_is_genuine(&access, &bare, &call.body));
        assert!(!driver.webhook_is_genuine(&unset, &bare, &call.body));
    }
}

pub async fn a_webhook_says_the_same_as_a_poll<H: Harness + ?Sized>(harness: &H) {
    let mut intake = Intake::begin(harness).await;
    harness.client_does(Act::Text("привет".to_owned())).await.expect("every client can write");
    let polled = intake.next_message().await;
    // Confirms, so that the webhook tells only what comes next.
    while intake.poll().await {}
    let Some(calls) = harness.webhook_calls("привет").await else { return };
    let (driver, access) = (harness.driver(), harness.access());
    let parse = |body: &[u8]| driver.parse_webhook(&access, body).expect("a body of the provider");
    let posted: Vec<_> = calls.iter().flat_map(|call| parse(&call.body)).collect();
    assert_eq!(posted.len(), 1);
    let InboundUpdate::Message(message) = &posted[0].update else {
        panic!("no message: {posted:?}")
    };
    assert_eq!(message.sender, polled.sender);
    assert_eq!(message.content, polled.content);
    assert!(message.ordinal > polled.ordinal);
    assert_eq!(parse(&calls[0].body), parse(&calls[0].body), "reading is pure");
}

pub async fn bodies_of_no_meaning_are_errors<H: Harness + ?Sized>(harness: &H) {
    let deep = "[".repeat(100_000);
    for body in [&b""[..], b"{", b"null", b"[]", b"\xff\xfe\x00", deep.as_bytes()] {
        let parsed = harness.driver().parse_webhook(&harness.access(), body);
        let error = parsed.expect_err("no meaning");
        assert!(error.detail.len() < 300, "a detail as long as its cause");
    }
    harness.driver().account(&harness.access()).await.expect("the driver works on");
}
