//! The shapes of updates, compared with the contract.

use std::collections::BTreeSet;

use serde_json::json;
use simulator::telegram::{ClientMessage, Contact, Content, Edit, Media};

use crate::setting::{ids, keys, set, setting};

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
