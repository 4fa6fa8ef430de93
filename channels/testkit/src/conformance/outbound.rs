//! What the hub wants of a provider, and what it may believe of the answers.

use bytes::Bytes;
use hub_domain::AttachmentKind;
use hub_domain::channel::{ChannelAccess, DriverError, OutboundAttachment, OutboundMessage};
use hub_domain::content::utf16_len;

use super::{Act, Fault, Harness, Seen, assert_discreet, file_to, picture, send, text_to};

fn document() -> OutboundAttachment {
    OutboundAttachment {
        kind: AttachmentKind::Document,
        file_name: "Программа \"5 класс\".pdf".to_owned(),
        mime_type: "application/pdf".to_owned(),
        bytes: Bytes::from_static(b"%PDF-1.4 a document"),
    }
}

async fn only_seen<H: Harness + ?Sized>(harness: &H) -> Seen {
    let mut seen = harness.seen().await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    seen.remove(0)
}

pub async fn a_text_arrives_once_and_unchanged<H: Harness + ?Sized>(harness: &H) {
    let text = "Да, <b>есть</b> места & *звёздочки* 👩\u{200d}🏫\nвторая строка";
    let sent = send(harness, &text_to(harness, text)).await;
    let receipt = sent.expect("sent");
    let expected = Seen {
        external_id: receipt.external_id,
        text: text.to_owned(),
        file: None,
        reply_to: None,
    };
    assert_eq!(only_seen(harness).await, expected);
}

pub async fn numbers_of_sent_messages_grow<H: Harness + ?Sized>(harness: &H) {
    let mut ordinals = Vec::new();
    for text in ["one", "two", "three"] {
        let sent = send(harness, &text_to(harness, text)).await;
        ordinals.push(sent.expect("sent").ordinal);
    }
    assert!(ordinals.is_sorted_by(|a, b| a < b), "{ordinals:?}");
    let texts: Vec<String> = harness.seen().await.into_iter().map(|seen| seen.text).collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

/// A text of exactly this many UTF-16 units that fewer characters make.
fn text_of_units(units: usize) -> String {
    let text = format!("{}😀", "ю".repeat(units - 2));
    assert_eq!(utf16_len(&text), units);
    text
}

pub async fn a_text_at_the_limit_arrives_and_one_above_is_refused<H: Harness + ?Sized>(
    harness: &H,
) {
    let limit = harness.driver().capabilities().text_limit;
    let longest = text_of_units(limit);
    let sent = send(harness, &text_to(harness, &longest)).await;
    sent.expect("within the limit");
    assert_eq!(only_seen(harness).await.text, longest);
    let longer = text_to(harness, &text_of_units(limit + 1));
    let error = send(harness, &longer).await.expect_err("too long");
    assert!(matches!(error, DriverError::Refused { .. }), "{error:?}");
    assert_eq!(error.code(), "text_too_long");
    assert_eq!(harness.seen().await.len(), 1);
}

pub async fn a_caption_at_the_limit_arrives_and_one_above_is_refused<H: Harness + ?Sized>(
    harness: &H,
) {
    let capabilities = harness.driver().capabilities();
    if capabilities.media_limit(AttachmentKind::Document).is_none() {
        return;
    }
    let longest = text_of_units(capabilities.caption_limit);
    let sent = send(harness, &file_to(harness, document(), &longest)).await;
    sent.expect("within the limit");
    assert_eq!(only_seen(harness).await.text, longest);
    let longer = file_to(harness, document(), &text_of_units(capabilities.caption_limit + 1));
    let error = send(harness, &longer).await.expect_err("too long");
    assert!(matches!(error, DriverError::Refused { .. }), "{error:?}");
    assert_eq!(error.code(), "caption_too_long");
    assert_eq!(harness.seen().await.len(), 1);
}

pub async fn every_kind_of_file_arrives_whole<H: Harness + ?Sized>(harness: &H) {
    let capabilities = harness.driver().capabilities();
    for limit in &capabilities.media {
        let mime_type = match limit.kind {
            AttachmentKind::Photo => "image/png",
            AttachmentKind::Video | AttachmentKind::VideoNote | AttachmentKind::Animation => {
                "video/mp4"
            }
            AttachmentKind::Voice => "audio/ogg",
            AttachmentKind::Audio => "audio/mpeg",
            AttachmentKind::Sticker => "image/webp",
            AttachmentKind::Document => "application/pdf",
        };
        let bytes = match limit.kind {
            AttachmentKind::Photo => picture(),
            kind => Bytes::from(format!("a file sent as {}", kind.as_str())),
        };
        for caption in ["", "подпись"] {
            let file = OutboundAttachment {
                kind: limit.kind,
                mime_type: mime_type.to_owned(),
                bytes: bytes.clone(),
                ..document()
            };
            let before = harness.seen().await.len();
            let sent = send(harness, &file_to(harness, file, caption)).await;
            let receipt = sent.unwrap_or_else(|error| panic!("{}: {error}", limit.kind.as_str()));
            let mut seen = harness.seen().await.split_off(before);
            assert_eq!(seen.len(), 1, "{}", limit.kind.as_str());
            let seen = seen.remove(0);
            assert_eq!(seen.external_id, receipt.external_id);
            assert_eq!(seen.text, caption, "{}: the caption stays", limit.kind.as_str());
            let file = seen.file.expect("a file");
            assert_eq!(file.bytes, bytes, "{}", limit.kind.as_str());
            // A kind that carries no caption may go as another one that does.
            assert!(file.kind == limit.kind || !caption.is_empty(), "{file:?}");
            if limit.kind == AttachmentKind::Document {
                let name = file.file_name.unwrap_or_default();
                assert!(name.starts_with("Программа") && name.contains(".pdf"), "{name}");
            }
        }
    }
}

pub async fn an_answer_points_at_what_it_answers<H: Harness + ?Sized>(harness: &H) {
    if !harness.driver().capabilities().reply {
        return;
    }
    let theirs = harness.client_does(Act::Text("вопрос".to_owned())).await.expect("can write");
    let mut answer = text_to(harness, "ответ");
    answer.reply_to = Some(theirs.clone());
    send(harness, &answer).await.expect("sent");
    assert_eq!(only_seen(harness).await.reply_to, Some(theirs));
}

pub async fn an_answer_to_what_is_gone_still_arrives<H: Harness + ?Sized>(harness: &H) {
    let (driver, access) = (harness.driver(), harness.access());
    let capabilities = driver.capabilities();
    if !(capabilities.reply && capabilities.delete) {
        return;
    }
    let gone = driver.send(&access, &text_to(harness, "ошибка")).await.expect("sent").external_id;
    driver.delete(&access, &gone).await.expect("deleted");
    let mut answer = text_to(harness, "вместо неё");
    answer.reply_to = Some(gone);
    driver.send(&access, &answer).await.expect("sent without the quotation");
    assert_eq!(only_seen(harness).await.text, "вместо неё");
}

pub async fn an_edit_changes_the_message_however_often<H: Harness + ?Sized>(harness: &H) {
    let (driver, access) = (harness.driver(), harness.access());
    if !driver.capabilities().edit {
        return;
    }
    let sent = driver.send(&access, &text_to(harness, "в понедельник")).await.expect("sent");
    for _ in 0..2 {
        let edited = driver.edit(&access, &sent.external_id, "во вторник", false).await;
        edited.expect("an edit is repeatable");
        assert_eq!(only_seen(harness).await.text, "во вторник");
    }
}

pub async fn a_caption_can_be_edited<H: Harness + ?Sized>(harness: &H) {
    let (driver, access) = (harness.driver(), harness.access());
    let capabilities = driver.capabilities();
    if !capabilities.edit || capabilities.media_limit(AttachmentKind::Document).is_none() {
        return;
    }
    let message = file_to(harness, document(), "старая");
    let sent = driver.send(&access, &message).await.expect("sent");
    driver.edit(&access, &sent.external_id, "новая", true).await.expect("edited");
    let seen = only_seen(harness).await;
    assert_eq!(seen.text, "новая");
    assert_eq!(seen.file.expect("the file stays").bytes, document().bytes);
}

pub async fn a_deletion_takes_the_message_away_however_often<H: Harness + ?Sized>(harness: &H) {
    let (driver, access) = (harness.driver(), harness.access());
    if !driver.capabilities().delete {
        return;
    }
    let sent = driver.send(&access, &text_to(harness, "лишнее")).await.expect("sent");
    for _ in 0..2 {
        driver.delete(&access, &sent.external_id).await.expect("a deletion is repeatable");
        assert!(harness.seen().await.is_empty());
    }
    if driver.capabilities().edit {
        let error = driver.edit(&access, &sent.external_id, "x", false).await.expect_err("gone");
        assert!(matches!(error, DriverError::Refused { .. }), "{error:?}");
    }
}

pub async fn a_stranger_cannot_be_written_to<H: Harness + ?Sized>(harness: &H) {
    let Some(chat_id) = harness.stranger_chat_id() else { return };
    let message = OutboundMessage { chat_id, ..text_to(harness, "здравствуйте") };
    let error = send(harness, &message).await.expect_err("a stranger");
    assert!(matches!(error, DriverError::Refused { .. }), "{error:?}");
    assert_discreet(harness, &error);
    // Not even an address.
    let message = OutboundMessage { chat_id: "no address".to_owned(), ..message };
    let error = send(harness, &message).await.expect_err("no address");
    assert!(matches!(error, DriverError::Refused { .. }), "{error:?}");
}

#[track_caller]
fn assert_unauthorized<H: Harness + ?Sized, T>(harness: &H, result: Result<T, DriverError>) {
    let Err(error) = result else { panic!("a dead credential works") };
    assert!(matches!(error, DriverError::Unauthorized { .. }), "{error:?}");
    assert_discreet(harness, &error);
}

pub async fn a_revoked_credential_is_told_by_every_call<H: Harness + ?Sized>(harness: &H) {
    let (driver, access) = (harness.driver(), harness.access());
    harness.revoke().await;
    assert_unauthorized(harness, driver.account(&access).await);
    assert_unauthorized(harness, driver.poll(&access, None).await);
    assert_unauthorized(harness, driver.send(&access, &text_to(harness, "x")).await);
    assert_unauthorized(harness, driver.send(&access, &file_to(harness, document(), "")).await);
    assert_unauthorized(harness, driver.download(&access, "any").await);
    assert!(harness.seen().await.is_empty());
}

pub async fn a_malformed_credential_is_told_without_asking<H: Harness + ?Sized>(harness: &H) {
    let driver = harness.driver();
    for malformed in
        ["", " ", "nonsense", "1:2/../../x", "7:\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}"]
    {
        let access = ChannelAccess { secret: malformed.into(), ..harness.access() };
        let passes = driver.credential_is_well_formed(&access.secret);
        assert!(!passes, "{malformed:?} passes as a credential");
        let result = driver.account(&access).await;
        assert!(
            matches!(result, Err(DriverError::Unauthorized { .. })),
            "{malformed:?}: {result:?}"
        );
    }
}

pub async fn a_limited_send_tells_when_and_works_later<H: Harness + ?Sized>(harness: &H) {
    if !harness.inject(Fault::RateLimited { seconds: 2 }).await {
        return;
    }
    let (driver, access) = (harness.driver(), harness.access());
    let message = text_to(harness, "терпение");
    let error = driver.send(&access, &message).await.expect_err("limited");
    assert!(matches!(error, DriverError::Retry { retry_after_ms: Some(2000), .. }), "{error:?}");
    assert_eq!(error.code(), "rate_limited");
    assert!(harness.seen().await.is_empty());
    driver.send(&access, &message).await.expect("later it works");
    assert_eq!(only_seen(harness).await.text, "терпение");
}

pub async fn no_fault_doubles_a_message_or_hides_one<H: Harness + ?Sized>(harness: &H) {
    let (driver, access) = (harness.driver(), harness.access());
    for with_file in [false, true] {
        for fault in Fault::ALL {
            if !harness.inject(fault).await {
                continue;
            }
            let text = format!("{fault:?}, with a file: {with_file}");
            let message = if with_file {
                file_to(harness, document(), &text)
            } else {
                text_to(harness, &text)
            };
            let result = driver.send(&access, &message).await;
            let arrived = harness.seen().await.iter().filter(|seen| seen.text == text).count();
            match &result {
                Ok(_) => assert_eq!(arrived, 1, "{text}: said to be sent"),
                Err(DriverError::Unknown { .. }) => {
                    assert!(arrived <= 1, "{text}: doubled by the driver itself");
                }
                Err(error) => assert_eq!(arrived, 0, "{text}: said not to be sent: {error:?}"),
            }
            if let Err(error) = &result {
                assert_discreet(harness, error);
            }
            let after = text_to(harness, &format!("after {text}"));
            driver.send(&access, &after).await.expect("the fault is over");
        }
    }
}
