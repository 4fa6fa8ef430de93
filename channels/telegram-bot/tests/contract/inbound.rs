//! Every kind of update the provider sends, as the hub's own.

use std::sync::LazyLock;

use channel_telegram_bot::{SECRET_HEADER, TelegramBot};
use http::{HeaderMap, HeaderValue};
use hub_domain::channel::{
    ChannelDriver as _, InboundAttachment, InboundMessage, InboundReply, InboundUpdate, Sender,
};
use hub_domain::{AttachmentKind, Content, Entity, ForwardOrigin, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{NOW, WEBHOOK_SECRET, access, driver_of};

/// One for all: building a client reads the machine's certificates.
fn driver() -> &'static TelegramBot {
    static DRIVER: LazyLock<TelegramBot> = LazyLock::new(|| driver_of("http://127.0.0.1:9"));
    &DRIVER
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&bytes).expect("a fixture is JSON")
}

fn parse(update: &Value) -> InboundUpdate {
    let driver = driver();
    let body = serde_json::to_vec(update).expect("JSON");
    let mut updates = driver.parse_webhook(&access(), &body).expect("an update");
    assert_eq!(updates.len(), 1);
    let numbered = updates.remove(0);
    assert_eq!(numbered.update_id, update["update_id"].as_i64());
    numbered.update
}

fn message_in(name: &str) -> InboundMessage {
    match parse(&fixture(name)) {
        InboundUpdate::Message(message) => *message,
        other => panic!("{name} is no message: {other:?}"),
    }
}

fn edit_in(name: &str) -> InboundMessage {
    match parse(&fixture(name)) {
        InboundUpdate::Edited(message) => *message,
        other => panic!("{name} is no edit: {other:?}"),
    }
}

fn text_of(message: &InboundMessage) -> (&str, &[Entity]) {
    match &message.content {
        Content::Text { text, entities } => (text, entities),
        other => panic!("no text: {other:?}"),
    }
}

fn only_attachment(message: &InboundMessage) -> &InboundAttachment {
    assert_eq!(message.attachments.len(), 1, "{:?}", message.attachments);
    &message.attachments[0]
}

fn irina() -> Sender {
    Sender {
        external_id: "5401220033".to_owned(),
        chat_id: "5401220033".to_owned(),
        name: "Ирина Соколова".to_owned(),
        username: Some("irina_s".to_owned()),
        language: Some("ru".to_owned()),
    }
}

#[track_caller]
fn assert_skipped(name: &str, reason: &str, kind: &str) {
    match parse(&fixture(name)) {
        InboundUpdate::Skipped { reason: told, kind: of, .. } => {
            assert_eq!((told, of.as_str()), (reason, kind), "{name}");
        }
        other => panic!("{name} is not skipped: {other:?}"),
    }
}

#[test]
fn a_text_is_a_message_of_its_sender_in_the_order_of_the_chat() {
    let expected = InboundMessage {
        external_id: "5401220033:301".to_owned(),
        sender: irina(),
        by_us: false,
        ordinal: 301,
        sent_at: Timestamp::from_seconds(1_795_000_301),
        edited_at: None,
        content: Content::text("Добрый день! Есть места в первый класс?"),
        attachments: Vec::new(),
        album_id: None,
        reply_to: None,
        forwarded_from: None,
        verified_phone: None,
        raw: None,
    };
    assert_eq!(message_in("text"), expected);
}

#[test]
fn a_sender_without_username_language_and_last_name_is_still_a_sender() {
    let message = message_in("text_start");
    assert_eq!(message.sender.name, "Tom");
    assert_eq!((message.sender.username, message.sender.language), (None, None));
}

#[test]
fn a_sender_that_is_not_told_is_the_person_of_the_private_chat() {
    let message = message_in("no_from");
    assert_eq!(message.sender, Sender { language: None, ..irina() });
}

#[test]
fn ranges_of_marks_count_utf16_units() {
    let message = message_in("text_zwj");
    let (text, entities) = text_of(&message);
    let units: Vec<u16> = text.encode_utf16().collect();
    let from = entities[0].offset as usize;
    let marked = &units[from..from + entities[0].length as usize];
    assert_eq!(String::from_utf16(marked).expect("whole characters"), "Цена");
}

#[test]
fn marks_that_do_not_fit_are_dropped_and_unknown_kinds_are_kept() {
    let message = message_in("text_entities");
    let (_, entities) = text_of(&message);
    let kinds: Vec<&str> = entities.iter().map(|entity| entity.kind.as_str()).collect();
    assert_eq!(kinds, ["text_link", "bold", "sparkle"]);
    assert_eq!(entities[0].url.as_deref(), Some("https://example.org/x"));
}

#[test]
fn direction_marks_and_joiners_stay_as_they_came() {
    let message = message_in("text_rtl");
    assert_eq!(text_of(&message).0, "شكرا \u{200f}(A-12)\u{200d} \u{202b}x");
}

#[test]
fn a_nul_in_a_text_becomes_the_replacement_character() {
    assert_eq!(text_of(&message_in("text_nul")).0, "a\u{fffd}b");
}

#[test]
fn a_photo_is_its_largest_size_with_the_caption_as_text() {
    let message = message_in("photo");
    let photo = only_attachment(&message);
    assert_eq!(photo.kind, AttachmentKind::Photo);
    assert_eq!(photo.file_ref, "BAAC-p-l");
    assert_eq!(photo.unique_ref.as_deref(), Some("uq-p-l"));
    assert_eq!((photo.width, photo.height, photo.size_bytes), (Some(1280), Some(853), Some(90111)));
    let (text, entities) = text_of(&message);
    assert_eq!(text, "Справка 📄");
    assert_eq!((entities[0].kind.as_str(), entities[0].length), ("italic", 7));
}

#[test]
fn parts_of_an_album_share_its_id_and_only_one_has_the_caption() {
    let (first, second) = (message_in("album_1"), message_in("album_2"));
    assert_eq!(first.album_id.as_deref(), Some("998877"));
    assert_eq!(first.album_id, second.album_id);
    assert_ne!(first.external_id, second.external_id);
    assert_eq!((text_of(&first).0, text_of(&second).0), ("Два фото", ""));
}

#[test]
fn a_document_keeps_its_name_without_the_path() {
    let message = message_in("document");
    let document = only_attachment(&message);
    assert_eq!(document.kind, AttachmentKind::Document);
    assert_eq!(document.file_name.as_deref(), Some("Договор № 7 (копия).pdf"));
    assert_eq!(document.mime_type.as_deref(), Some("application/pdf"));
    assert_eq!(text_of(&message).0, "договор");
}

#[test]
fn a_document_too_large_to_fetch_is_still_told_with_its_size() {
    assert_eq!(only_attachment(&message_in("document_large")).size_bytes, Some(73_400_320));
}

#[test]
fn voice_video_round_video_and_audio_are_kinds_of_their_own() {
    let cases = [
        ("voice", AttachmentKind::Voice, Some(7), None, "audio/ogg"),
        ("video", AttachmentKind::Video, Some(12), Some((720, 1280)), "video/mp4"),
        ("video_note", AttachmentKind::VideoNote, Some(5), Some((384, 384)), "video/mp4"),
        ("audio", AttachmentKind::Audio, Some(201), None, "audio/mpeg"),
    ];
    for (name, kind, duration, sides, mime_type) in cases {
        let message = message_in(name);
        let file = only_attachment(&message);
        assert_eq!((file.kind, file.duration_seconds), (kind, duration), "{name}");
        assert_eq!(file.width.zip(file.height), sides, "{name}");
        assert_eq!(file.mime_type.as_deref(), Some(mime_type), "{name}");
    }
}

#[test]
fn a_sticker_tells_the_emoji_it_stands_for() {
    let message = message_in("sticker");
    let sticker = only_attachment(&message);
    assert_eq!(sticker.kind, AttachmentKind::Sticker);
    assert_eq!(sticker.emoji.as_deref(), Some("👍🏽"));
    assert_eq!(sticker.mime_type.as_deref(), Some("application/x-tgsticker"));
}

#[test]
fn an_animation_is_one_attachment_although_a_document_comes_with_it() {
    let message = message_in("animation");
    assert_eq!(only_attachment(&message).kind, AttachmentKind::Animation);
}

#[test]
fn places_are_locations_and_a_venue_has_a_title() {
    let point = message_in("location");
    let expected = Content::Location {
        latitude: 55.751_244,
        longitude: 37.618_423,
        title: None,
        address: None,
        live: false,
    };
    assert_eq!(point.content, expected);
    match message_in("venue").content {
        Content::Location { title, address, live, .. } => {
            assert_eq!(title.as_deref(), Some("Кафе «Ё»"));
            assert_eq!(address.as_deref(), Some("ул. Лесная, 1"));
            assert!(!live);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_live_location_moves_by_edits_of_the_same_message() {
    let (start, moved) = (message_in("live_location"), edit_in("live_location_moved"));
    assert_eq!(start.external_id, moved.external_id);
    assert!(matches!(start.content, Content::Location { live: true, .. }));
    assert!(
        matches!(moved.content, Content::Location { live: true, latitude, .. } if latitude > 55.755)
    );
}

#[test]
fn an_own_contact_vouches_for_the_phone() {
    let message = message_in("contact_own");
    assert_eq!(message.verified_phone.as_deref(), Some("77011234567"));
    let expected = Content::Contact {
        name: "Ирина Соколова".to_owned(),
        phone: Some("77011234567".to_owned()),
        own: true,
    };
    assert_eq!(message.content, expected);
}

#[test]
fn a_card_of_somebody_else_or_a_forwarded_one_vouches_for_nothing() {
    for name in ["contact_other", "contact_own_forwarded"] {
        let message = message_in(name);
        assert_eq!(message.verified_phone, None, "{name}");
        assert!(matches!(message.content, Content::Contact { own: false, .. }), "{name}");
    }
    assert!(message_in("contact_other").raw.is_some(), "the whole card is kept");
}

#[test]
fn a_reply_points_at_the_message_it_answers() {
    let reply = |external_id: Option<&str>, text: &str| {
        Some(InboundReply {
            external_id: external_id.map(ToOwned::to_owned),
            text: text.to_owned(),
        })
    };
    let ours = Some("5401220033:201");
    assert_eq!(message_in("reply").reply_to, reply(ours, "Запись во вторник или в среду?"));
    assert_eq!(message_in("reply_quote").reply_to, reply(ours, "во вторник"));
    assert_eq!(message_in("external_reply").reply_to, reply(None, "Набор открыт"));
}

#[test]
fn a_forward_tells_where_it_comes_from_and_stays_the_clients() {
    for (name, origin) in [
        ("forward_user", "Tom"),
        ("forward_hidden", "Анна К."),
        ("forward_channel", "Новости школы"),
    ] {
        let message = message_in(name);
        assert_eq!(message.forwarded_from, Some(ForwardOrigin { name: origin.to_owned() }));
        assert_eq!(message.sender, irina());
    }
}

#[test]
fn an_edit_carries_the_message_whole() {
    let edit = edit_in("edited_text");
    assert_eq!(edit.external_id, "5401220033:301");
    assert_eq!(edit.edited_at, Some(Timestamp::from_seconds(1_795_000_800)));
    assert_eq!(text_of(&edit).0, "Добрый день! Есть места во второй класс?");

    let (photo, edit) = (message_in("photo"), edit_in("edited_caption"));
    assert_eq!(photo.external_id, edit.external_id);
    assert_eq!(only_attachment(&photo).unique_ref, only_attachment(&edit).unique_ref);
    assert_eq!(text_of(&edit).0, "Справка новая");
}

#[test]
fn an_edit_whose_time_is_not_told_is_still_marked_as_one() {
    let mut update = fixture("edited_text");
    update["edited_message"]["edit_date"] = Value::Null;
    assert!(matches!(parse(&update), InboundUpdate::Edited(edit) if edit.edited_at.is_some()));
}

#[test]
fn a_pressed_button_names_its_data_and_its_message() {
    let expected = InboundUpdate::ButtonPressed {
        external_id: "99000111".to_owned(),
        sender: irina(),
        data: "yes:12".to_owned(),
        message_external_id: Some("5401220033:201".to_owned()),
        ordinal: 0,
        sent_at: NOW,
    };
    assert_eq!(parse(&fixture("callback")), expected);
}

#[test]
fn a_button_of_an_inaccessible_message_still_counts() {
    let update = parse(&fixture("callback_inaccessible"));
    let InboundUpdate::ButtonPressed { message_external_id, sent_at, .. } = update else {
        panic!("{update:?}")
    };
    assert_eq!(message_external_id.as_deref(), Some("5401220033:12"));
    assert_eq!(sent_at, NOW);
}

#[test]
fn a_client_who_blocks_the_bot_is_out_of_reach_until_they_unblock() {
    for (name, expected) in [("blocked", false), ("unblocked", true)] {
        let at = Timestamp::from_seconds(1_795_002_000);
        let update = InboundUpdate::Reachability { sender: irina(), reachable: expected, at };
        assert_eq!(parse(&fixture(name)), update);
    }
}

#[test]
fn reactions_are_told_whole_and_an_empty_list_takes_them_away() {
    let emojis = |name: &str| match parse(&fixture(name)) {
        InboundUpdate::Reaction { emojis, message_external_id, sender, .. } => {
            assert_eq!(message_external_id, "5401220033:201");
            assert_eq!(sender, irina());
            emojis
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(emojis("reaction"), ["❤", "❔"]);
    assert!(emojis("reaction_removed").is_empty());
}

#[test]
fn what_cannot_be_shown_is_unsupported_with_its_payload_kept() {
    for (name, what, text) in [
        ("poll", "poll", Some("Какой день?\n– Пн\n– Вт")),
        ("dice", "dice", Some("🎯 5")),
        ("unknown_content", "hologram", Some("Глобус")),
        ("strange_photo", "photo", Some("подпись цела")),
    ] {
        let message = message_in(name);
        let expected =
            Content::Unsupported { what: what.to_owned(), text: text.map(ToOwned::to_owned) };
        assert_eq!(message.content, expected, "{name}");
        assert_eq!(message.raw, Some(fixture(name)["message"].clone()), "{name}");
    }
}

#[test]
fn a_strange_part_does_not_cost_the_message() {
    let message = message_in("strange_parts");
    assert_eq!(text_of(&message), ("слова целы", &[][..]));
    assert_eq!((message.reply_to, message.album_id, message.edited_at), (None, None, None));
}

#[test]
fn what_is_not_for_us_is_skipped_with_its_reason() {
    assert_skipped("group_message", "group_chat", "message");
    assert_skipped("group_anonymous", "group_chat", "message");
    assert_skipped("group_migrated", "group_chat", "message");
    assert_skipped("group_kicked", "group_chat", "my_chat_member");
    assert_skipped("callback_group", "group_chat", "callback_query");
    assert_skipped("channel_post", "channel_post", "channel_post");
    assert_skipped("business_message", "business", "business_message");
    assert_skipped("service", "service", "message");
    assert_skipped("unknown_kind", "unknown_kind", "telepathy_event");
}

#[test]
fn what_may_mean_something_later_is_skipped_with_its_payload_kept() {
    let raw_of = |update: &Value| match parse(update) {
        InboundUpdate::Skipped { raw, .. } => raw,
        other => panic!("not skipped: {other:?}"),
    };
    let unknown = fixture("unknown_kind");
    assert_eq!(raw_of(&unknown), Some(unknown["telepathy_event"].clone()));
    let malformed = json!({ "update_id": 1, "message": { "text": "no number" } });
    assert_eq!(raw_of(&malformed), Some(malformed["message"].clone()));
    assert_eq!(raw_of(&fixture("group_message")), None);
}

#[test]
fn a_kind_with_an_odd_name_is_skipped_under_a_printable_one() {
    let update = json!({ "update_id": 1, ("evil\nkind".repeat(40)): {} });
    let InboundUpdate::Skipped { kind, .. } = parse(&update) else { panic!("not skipped") };
    assert!(kind.len() <= 64 && kind.bytes().all(|byte| byte.is_ascii_graphic()), "{kind}");
}

#[test]
fn a_body_that_is_no_update_is_an_error_that_repeats_nothing_of_it() {
    let driver = driver();
    for body in
        [&b"{\"update_id\":1,\"message\":\"secret words"[..], b"[]", b"{}", b"\xff\xfe", b""]
    {
        let error = driver.parse_webhook(&access(), body).expect_err("no update");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn a_webhook_is_believed_only_with_its_secret() {
    let driver = driver();
    let shown = |secret: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(SECRET_HEADER, HeaderValue::from_static(secret));
        headers
    };
    assert!(driver.webhook_is_genuine(&access(), &shown(WEBHOOK_SECRET), b""));
    assert!(!driver.webhook_is_genuine(&access(), &shown("webhook-secret_2"), b""));
    assert!(!driver.webhook_is_genuine(&access(), &shown("webhook-secret"), b""));
    assert!(!driver.webhook_is_genuine(&access(), &HeaderMap::new(), b""));
    let without = hub_domain::channel::ChannelAccess { webhook_secret: "".into(), ..access() };
    assert!(!driver.webhook_is_genuine(&without, &HeaderMap::new(), b""));
    assert!(!driver.webhook_is_genuine(&without, &shown(""), b""));
}

#[test]
fn a_token_has_a_form() {
    let driver = driver();
    let well_formed = |token: &str| driver.credential_is_well_formed(&token.into());
    assert!(well_formed(crate::TOKEN));
    for token in ["", "7420011", ":AAtest-token_of_the_right_form_0001", "7420011:short"] {
        assert!(!well_formed(token), "{token}");
    }
    assert!(!well_formed("7420011:AAtest-token_of/../right_form_00001"));
    assert!(!well_formed("x420011:AAtest-token_of_the_right_form_0001"));
}

/// Any JSON, with the provider's own names likely among the keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("\u{0}")),
        Just(json!("private")),
    ];
    let key = prop_oneof![
        Just("id".to_owned()),
        Just("file_id".to_owned()),
        Just("type".to_owned()),
        Just("text".to_owned()),
        Just("photo".to_owned()),
        Just("offset".to_owned()),
        "[a-z_]{1,10}",
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn every_fixture() -> Vec<Value> {
    let folder = format!("{}/tests/fixtures", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).expect("fixtures");
    let mut names: Vec<String> = files
        .map(|file| file.expect("a file").file_name().to_string_lossy().replace(".json", ""))
        .collect();
    names.sort();
    names.iter().map(|name| fixture(name)).collect()
}

static FIXTURES: LazyLock<Vec<Value>> = LazyLock::new(every_fixture);

/// Every place in a document, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                places(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                places(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn holds_nul(value: &impl std::fmt::Debug) -> bool {
    // `\\` is a backslash that the text itself has; what is left of `\0` is NUL.
    format!("{value:?}").replace("\\\\", "").contains("\\0")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever one part turns into, the update is read and, where its number is left, moves the cursor.
    #[test]
    fn a_changed_part_never_stops_the_cursor(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        by in any_json(),
    ) {
        let fixtures = &*FIXTURES;
        let mut update = which.get(fixtures).clone();
        let mut found = Vec::new();
        places(&update, "", &mut found);
        let place = place.get(&found).clone();
        *update.pointer_mut(&place).expect("a place that was found") = by;
        let body = serde_json::to_vec(&update).expect("JSON");
        let parsed = driver().parse_webhook(&access(), &body);
        match update.get("update_id").and_then(Value::as_i64) {
            Some(number) => {
                let parsed = parsed.expect("numbered");
                prop_assert_eq!(parsed[0].update_id, Some(number));
                prop_assert!(!holds_nul(&parsed), "{:?}", parsed);
            }
            None => prop_assert!(parsed.is_err()),
        }
    }

    #[test]
    fn bytes_of_any_kind_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = driver().parse_webhook(&access(), &body);
    }
}
