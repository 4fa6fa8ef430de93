//! The log: it tells the state, page by page, and forgets from its beginning only.

use std::collections::HashMap;

use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::{Content, ConversationId, ConversationState, MessageId, MessageStatus};

use crate::harness::{START, TestStore, append_something, incoming, on_both_engines, photo};

on_both_engines! {
    async fn whoever_applies_the_log_has_what_the_queries_answer(store: TestStore) {
        let office = store.office("a").await;
        for ordinal in [1, 2, 5, 4, 3] {
            for client in ["kate", "petr"] {
                let mut message = incoming(office.channel, client, ordinal);
                message.message.attachments = vec![photo(ordinal * 10_000_000)];
                message.message.verified_phone = (ordinal == 5).then(|| "+79261234567".to_owned());
                message.message.sender.username = Some(format!("{client}_{ordinal}"));
                message.message.content = Content::Location {
                    latitude: 55.755_826_123_456_7 + ordinal as f64 / 3.0,
                    longitude: 37.617_3,
                    title: None,
                    address: None,
                    live: false,
                };
                store.clock.advance_millis(7);
                store.ingest(office.company, vec![message]).await.unwrap();
            }
        }
        let mut reader = store.reader().await.unwrap();
        let found = reader.db().conversation_of_identity(office.channel, "kate").await.unwrap();
        let conversation = found.unwrap();
        let answer = store.answer(&office, conversation.id, "ответ").await;
        store
            .job(office.company, move |tx| {
                Box::pin(async move {
                    let mut message = tx.db().message(office.company, answer).await?.unwrap();
                    message.status = Some(MessageStatus::Sending);
                    let mut archived = conversation;
                    archived.state = ConversationState::Archived;
                    let changes = Changes {
                        message: Some(message),
                        conversation: Some(archived),
                        ..Changes::default()
                    };
                    let kind = EventType::MessageStatusChanged;
                    tx.append(kind, Origin::System, Some(office.channel), changes).await
                })
            })
            .await;
        // A set of several calls: told by the set-based path.
        let more = ["kate", "olga", "petr"].map(|client| incoming(office.channel, client, 9));
        store.ingest(office.company, more.to_vec()).await.unwrap();

        let mut conversations = HashMap::new();
        let mut messages = HashMap::new();
        for event in store.log(office.company).await {
            if let Some(conversation) = event.changes.conversation {
                assert_eq!(conversation.version, event.offset);
                conversations.insert(conversation.id, conversation);
            }
            if let Some(message) = event.changes.message {
                assert_eq!(message.version, event.offset);
                messages.insert(message.id, message);
            }
        }
        assert_eq!((conversations.len(), messages.len()), (3, 14));
        for (id, told) in conversations {
            let stored = store.conversation(office.company, ConversationId(id.0)).await;
            assert_eq!(serde_json::to_value(told).unwrap(), serde_json::to_value(stored).unwrap());
        }
        for (id, told) in messages {
            let stored = store.message(office.company, MessageId(id.0)).await;
            assert_eq!(serde_json::to_value(told).unwrap(), serde_json::to_value(stored).unwrap());
        }
    }

    async fn the_log_is_read_page_by_page_up_to_the_end_asked_for(store: TestStore) {
        let office = store.office("a").await;
        let others = store.office("b").await;
        for company in [office.company, others.company] {
            store
                .job(company, |tx| {
                    Box::pin(async move {
                        for _ in 0..10 {
                            append_something(tx).await?;
                        }
                        Ok(())
                    })
                })
                .await;
        }
        let mut reader = store.reader().await.unwrap();
        let mut page = async |after, through, limit| -> Vec<i64> {
            let rows = reader.db().events_after(office.company, after, through, limit).await.unwrap();
            rows.iter().map(|row| row.offset).collect()
        };
        assert_eq!(page(0, 10, 4).await, [1, 2, 3, 4]);
        assert_eq!(page(4, 10, 4).await, [5, 6, 7, 8]);
        assert_eq!(page(8, 10, 4).await, [9, 10]);
        assert_eq!(page(8, 9, 4).await, [9]);
        assert_eq!(page(10, 10, 4).await, Vec::<i64>::new());
    }

    async fn pruning_takes_old_events_from_the_beginning_and_moves_the_horizon(store: TestStore) {
        let office = store.office("a").await;
        for _ in 0..10 {
            store.job(office.company, |tx| Box::pin(append_something(tx))).await;
            store.clock.advance_millis(1000);
        }
        let prune = |second: i64, limit: i64| {
            store.job(office.company, move |tx| {
                Box::pin(async move {
                    let before = START.plus_seconds(second);
                    tx.db().prune_events(office.company, before, limit).await
                })
            })
        };
        let horizon = async || {
            let mut reader = store.reader().await.unwrap();
            let stream = reader.db().company_stream(office.company).await.unwrap().unwrap();
            (stream.pruned_offset, stream.event_offset)
        };
        let old = async |second: i64| {
            let mut reader = store.reader().await.unwrap();
            reader.db().companies_with_events_before(START.plus_seconds(second)).await.unwrap()
        };
        assert_eq!(old(0).await, Vec::<i64>::new());
        assert_eq!(old(1).await, [office.company.0]);
        assert_eq!(prune(0, 100).await, 0);
        assert_eq!(horizon().await, (0, 10));
        assert_eq!(prune(6, 4).await, 4);
        assert_eq!(horizon().await, (4, 10));
        assert_eq!(prune(6, 4).await, 2);
        assert_eq!(horizon().await, (6, 10));
        assert_eq!(prune(6, 4).await, 0);
        assert_eq!(old(6).await, Vec::<i64>::new());
        let left: Vec<i64> = store.log(office.company).await.iter().map(|event| event.offset).collect();
        assert_eq!(left, [7, 8, 9, 10]);

        // Emptied, it goes on with the next number.
        assert_eq!(prune(100, 100).await, 4);
        assert_eq!(horizon().await, (10, 10));
        assert_eq!(store.job(office.company, |tx| Box::pin(append_something(tx))).await, 11);
    }

    async fn a_new_epoch_is_part_of_the_position(store: TestStore) {
        let office = store.office("a").await;
        store.job(office.company, |tx| Box::pin(append_something(tx))).await;
        store
            .system(move |tx| {
                Box::pin(async move { tx.db().set_epoch(office.company, "restored").await })
            })
            .await;
        let position = store.position(office.company).await.unwrap().unwrap();
        assert_eq!((position.epoch.as_str(), position.offset), ("restored", 1));
    }
}
