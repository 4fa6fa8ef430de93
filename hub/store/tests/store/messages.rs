//! Messages: pages both ways, intentions, and what may be changed of them.

use hub_domain::{AttachmentKind, Content, Direction, Message, MessageId, MessageStatus};
use hub_store::StoreError;
use hub_store::records::{MessageKey, NewAttachment, NewMessage};

use crate::harness::{START, TestStore, incoming, on_both_engines};

on_both_engines! {
    async fn pages_both_ways_join_to_the_whole_history(store: TestStore) {
        let office = store.office("a").await;
        // Late ones share their position with the one they stand before.
        let mut conversation = None;
        for ordinal in [1, 2, 9, 5, 4, 7, 3, 20, 11, 12, 10, 8, 6] {
            let message = incoming(office.channel, "kate", ordinal);
            conversation = Some(store.take(office.company, message).await.1);
        }
        let conversation = conversation.unwrap();
        for n in 0..5 {
            store.answer(&office, conversation, &format!("ответ {n}")).await;
        }
        let neighbour = incoming(office.channel, "petr", 1);
        store.take(office.company, neighbour).await;
        let history = store.history(conversation).await;
        assert_eq!(history.len(), 18);
        let keys: Vec<MessageKey> = history.iter().map(MessageKey::of).collect();
        assert!(keys.is_sorted());
        let mut reader = store.reader().await.unwrap();
        for limit in [1, 4, 100] {
            let (mut upwards, mut before) = (Vec::<Message>::new(), MessageKey::END);
            loop {
                let page = reader.db().messages_before(conversation, before, limit).await.unwrap();
                let Some(first) = page.first() else { break };
                before = MessageKey::of(first);
                upwards.splice(0..0, page);
            }
            assert_eq!(upwards, history);
            let (mut downwards, mut after) = (Vec::<Message>::new(), MessageKey::START);
            loop {
                let page = reader.db().messages_after(conversation, after, limit).await.unwrap();
                let Some(last) = page.last() else { break };
                after = MessageKey::of(last);
                downwards.extend(page);
            }
            assert_eq!(downwards, history);
        }
        let last = reader.db().last_message_key(conversation).await.unwrap();
        assert_eq!(last.as_ref(), keys.last());
    }

    async fn one_intention_is_found_by_its_id_and_never_stands_twice(store: TestStore) {
        let office = store.office("a").await;
        let other = store.office("b").await;
        let (_, conversation) = store.take(office.company, incoming(office.channel, "kate", 1)).await;
        let (_, theirs) = store.take(other.company, incoming(other.channel, "kate", 1)).await;
        let write = |office: crate::harness::Office, conversation_id| {
            store.write(office.company, move |tx| {
                Box::pin(async move {
                    let position = tx.next_offset()?;
                    let message = NewMessage {
                        company_id: office.company,
                        channel_id: office.channel,
                        conversation_id,
                        direction: Direction::Outgoing,
                        author_member_id: Some(office.member),
                        client_message_id: Some("intention".to_owned()),
                        intention_hash: Some("fingerprint".to_owned()),
                        content: Content::text("ответ"),
                        reply_to: None,
                        status: Some(MessageStatus::Queued),
                        position,
                        sent_at: START,
                        version: position,
                    };
                    tx.db().insert_message(&message).await
                })
            })
        };
        let first: Result<MessageId, StoreError> = write(office, conversation).await;
        let first = first.unwrap();
        let again = write(office, conversation).await.unwrap_err();
        assert!(
            again.is_conflict_on("messages_client_message_id", "messages.client_message_id"),
            "{again:?}"
        );
        // Another company's browser may have had the same idea.
        write(other, theirs).await.unwrap();
        let mut reader = store.reader().await.unwrap();
        let found = reader.db().message_by_client_id(office.company, "intention").await.unwrap();
        let (message, hash) = found.unwrap();
        assert_eq!((message.id, hash.as_deref()), (first, Some("fingerprint")));
        assert_eq!(message.client_message_id.as_deref(), Some("intention"));
    }

    async fn an_answer_names_what_it_quotes_to_the_provider(store: TestStore) {
        let office = store.office("a").await;
        let (quoted, conversation) =
            store.take(office.company, incoming(office.channel, "kate", 1)).await;
        let id = store
            .job(office.company, move |tx| {
                Box::pin(async move {
                    let position = tx.next_offset()?;
                    let message = NewMessage {
                        company_id: office.company,
                        channel_id: office.channel,
                        conversation_id: conversation,
                        direction: Direction::Outgoing,
                        author_member_id: Some(office.member),
                        client_message_id: None,
                        intention_hash: None,
                        content: Content::text("ответ"),
                        reply_to: Some((quoted, "слова".to_owned())),
                        status: Some(MessageStatus::Queued),
                        position,
                        sent_at: START,
                        version: position,
                    };
                    tx.db().insert_message(&message).await
                })
            })
            .await;
        let mut reader = store.reader().await.unwrap();
        let address = reader.db().message_address(office.company, id).await.unwrap().unwrap();
        assert_eq!(address.chat_id, "kate");
        assert_eq!(address.external_id, None);
        assert_eq!(address.reply_to_external_id.as_deref(), Some("kate:1"));
        let reply = store.message(office.company, id).await.reply_to.unwrap();
        assert_eq!((reply.message_id, reply.text.as_str()), (Some(quoted), "слова"));
    }

    async fn saving_a_message_that_is_not_there_is_an_error(store: TestStore) {
        let (office, other) = (store.office("a").await, store.office("b").await);
        let (id, _) = store.take(office.company, incoming(office.channel, "kate", 1)).await;
        let message = store.message(office.company, id).await;
        let outcome = store.write(other.company, move |tx| {
            Box::pin(async move { tx.db().save_message(other.company, &message).await })
        });
        let outcome: Result<(), StoreError> = outcome.await;
        assert!(matches!(outcome, Err(StoreError::Inconsistent(_))), "{outcome:?}");
    }

    async fn older_reactions_do_not_replace_newer_ones(store: TestStore) {
        let office = store.office("a").await;
        let (id, _) = store.take(office.company, incoming(office.channel, "kate", 1)).await;
        for (second, newer) in [(10, true), (5, false), (10, true), (11, true)] {
            let changed = store
                .job(office.company, move |tx| {
                    Box::pin(async move {
                        let at = START.plus_seconds(second);
                        tx.db().touch_reactions(office.company, id, at).await
                    })
                })
                .await;
            assert_eq!(changed, newer, "second {second}");
        }
    }

    async fn an_uploaded_file_goes_with_one_message_only(store: TestStore) {
        let office = store.office("a").await;
        let (first, _) = store.take(office.company, incoming(office.channel, "kate", 1)).await;
        let (second, _) = store.take(office.company, incoming(office.channel, "kate", 2)).await;
        let file = NewAttachment {
            company_id: office.company,
            channel_id: office.channel,
            uploaded_by: Some(office.member),
            kind: AttachmentKind::Document,
            file_key: "key".to_owned(),
            file_name: "Программа.pdf".to_owned(),
            mime_type: "application/pdf".to_owned(),
            size_bytes: 10,
            width: None,
            height: None,
            created_at: START,
        };
        let file = store
            .job(office.company, move |tx| {
                Box::pin(async move { tx.db().insert_attachment(&file).await })
            })
            .await;
        let orphans = async || {
            let mut reader = store.reader().await.unwrap();
            reader.db().orphaned_attachments(START.plus_seconds(1), 10).await.unwrap().len()
        };
        assert_eq!(orphans().await, 1);
        for (message, taken) in [(first, true), (second, false), (first, false)] {
            let claimed = store
                .job(office.company, move |tx| {
                    Box::pin(async move {
                        tx.db().claim_attachment(office.company, file, message, 0).await
                    })
                })
                .await;
            assert_eq!(claimed, taken);
        }
        assert_eq!(orphans().await, 0);
        // What belongs to a message is not swept away as an orphan.
        store
            .job(office.company, move |tx| {
                Box::pin(async move { tx.db().delete_attachment(file).await })
            })
            .await;
        assert_eq!(store.message(office.company, first).await.attachments[0].id, file);
        assert!(store.message(office.company, second).await.attachments.is_empty());
    }
}

#[test]
fn a_cursor_of_messages_reads_back_and_anything_else_is_refused() {
    for key in [MessageKey::START, MessageKey::END, MessageKey { position: 12, ordinal: 0, id: -3 }]
    {
        assert_eq!(key.to_string().parse::<MessageKey>().unwrap(), key);
    }
    for text in ["", "1", "1.2", "1.2.", "a.b.c", "1.2.3.4", "1.2.99999999999999999999"] {
        assert!(text.parse::<MessageKey>().is_err(), "{text}");
    }
}
