//! Words of any script survive the way in and out; what one engine cannot store is cleaned for both.

use hub_domain::channel::InboundReply;
use hub_domain::{Content, Entity, ForwardOrigin};

use crate::harness::{TestStore, incoming, on_both_engines, photo};

fn difficult_texts() -> Vec<String> {
    vec![
        "\u{202e}שלום עולם\u{202c} مرحبا \u{200f}!".to_owned(),
        "👩‍👩‍👧‍👦 é e\u{301} \u{feff}\u{200b} 𝔘𝔷𝔢𝔩".to_owned(),
        "Ж".repeat(4096),
        "😀".repeat(4096),
        "'; DROP TABLE messages; -- $1 ? %s {} \\u0000 \\ \" \r\n\t".to_owned(),
        "\u{1}\u{7f}\u{85}\u{2028}\u{fffe}\u{10ffff}".to_owned(),
        String::new(),
    ]
}

on_both_engines! {
    async fn difficult_texts_come_out_as_they_went_in(store: TestStore) {
        let office = store.office("a").await;
        let texts = difficult_texts();
        // In one set and alone: two ways of storing.
        for together in [true, false] {
            let mut set = Vec::new();
            for (n, text) in texts.iter().enumerate() {
                let mut message =
                    incoming(office.channel, &format!("{together} {n} {text:.50}"), 1);
                let entity = Entity { kind: "bold".to_owned(), offset: 0, length: 1, url: None };
                message.message.content =
                    Content::Text { text: text.clone(), entities: vec![entity] };
                message.message.sender.name.clone_from(text);
                message.message.sender.username = Some(text.clone());
                message.message.album_id = Some(text.clone());
                message.message.forwarded_from = Some(ForwardOrigin { name: text.clone() });
                message.message.reply_to =
                    Some(InboundReply { external_id: Some(text.clone()), text: text.clone() });
                message.message.raw = Some(serde_json::json!({ "text": text }));
                let mut file = photo(1);
                file.file_name = Some(text.clone());
                file.emoji = Some(text.clone());
                message.message.attachments = vec![file];
                set.push(message);
            }
            if together {
                store.ingest(office.company, set.clone()).await.unwrap();
            } else {
                for message in set.clone() {
                    store.take(office.company, message).await;
                }
            }
            for (message, text) in set.iter().zip(&texts) {
                let mut reader = store.reader().await.unwrap();
                let external = &message.message.external_id;
                let stored = reader.db().message_by_external(office.channel, external).await;
                let stored = stored.unwrap().unwrap();
                assert_eq!(stored.content, message.message.content);
                assert_eq!(stored.album_id.as_ref(), Some(text));
                assert_eq!(&stored.forwarded_from.unwrap().name, text);
                assert_eq!(&stored.reply_to.unwrap().text, text);
                assert_eq!(stored.attachments[0].file_name.as_ref(), Some(text));
                assert_eq!(stored.attachments[0].emoji.as_ref(), Some(text));
                let contact = store.conversation(office.company, stored.conversation_id).await.contact;
                assert_eq!(&contact.name, text);
                assert_eq!(contact.username.as_ref(), Some(text));
            }
        }
    }

    async fn a_nul_anywhere_in_a_message_becomes_a_replacement_character(store: TestStore) {
        let office = store.office("a").await;
        let mut message = incoming(office.channel, "ka\0te", 1);
        let nul = "до\0после".to_owned();
        let clean = "до\u{FFFD}после".to_owned();
        message.message.content = Content::text(nul.clone());
        message.message.sender.name.clone_from(&nul);
        message.message.sender.username = Some(nul.clone());
        message.message.sender.language = Some(nul.clone());
        message.message.album_id = Some(nul.clone());
        message.message.forwarded_from = Some(ForwardOrigin { name: nul.clone() });
        message.message.reply_to =
            Some(InboundReply { external_id: Some(nul.clone()), text: nul.clone() });
        message.message.raw = Some(serde_json::json!({ "text": nul }));
        let mut file = photo(1);
        file.file_name = Some(nul.clone());
        file.mime_type = Some(nul.clone());
        file.file_ref.clone_from(&nul);
        message.message.attachments = vec![file];

        let neighbour = incoming(office.channel, "olga", 1);
        let outcome = store.ingest(office.company, vec![neighbour, message.clone()]).await.unwrap();
        let hub_store::records::Ingested::Stored { message_id, conversation_id } = outcome[1] else {
            panic!("stored was expected: {outcome:?}");
        };
        let stored = store.message(office.company, message_id).await;
        assert_eq!(stored.content, Content::text(clean.clone()));
        assert_eq!(stored.album_id.as_ref(), Some(&clean));
        assert_eq!(stored.forwarded_from.unwrap().name, clean);
        assert_eq!(stored.reply_to.unwrap().text, clean);
        assert_eq!(stored.attachments[0].file_name.as_ref(), Some(&clean));
        let contact = store.conversation(office.company, conversation_id).await.contact;
        assert_eq!(contact.name, clean);

        // And it is still one and the same message and client.
        let again = store.ingest(office.company, vec![message]).await.unwrap();
        assert_eq!(again, [hub_store::records::Ingested::Duplicate]);
        let (_, same) = store.take(office.company, incoming(office.channel, "ka\0te", 2)).await;
        assert_eq!(same, conversation_id);
    }

    async fn an_answer_of_ours_keeps_its_text(store: TestStore) {
        let office = store.office("a").await;
        let (_, conversation) = store.take(office.company, incoming(office.channel, "kate", 1)).await;
        for text in difficult_texts() {
            let id = store.answer(&office, conversation, &text).await;
            assert_eq!(store.message(office.company, id).await.content, Content::text(text));
        }
    }
}
