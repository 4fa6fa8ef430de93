//! Storing what clients write: once, at its place, with all that follows from it.

use futures_util::future::join_all;
use hub_domain::delivery::{DeliveryKind, DeliveryState};
use hub_domain::event::EventType;
use hub_domain::{
    AttachmentState, ChannelId, Content, ConversationState, Direction, MessageStatus,
};
use hub_store::records::{Incoming, Ingested};
use hub_store::{Commit, StoreError};

use crate::harness::{START, TestStore, incoming, on_both_engines, photo, within_seconds};

fn by_us(mut message: Incoming) -> Incoming {
    message.message.by_us = true;
    message
}

on_both_engines! {
    async fn a_message_told_many_times_at_once_is_stored_once(store: TestStore) {
        let office = store.office("a").await;
        let tellings = (0..5).map(|_| {
            let message = incoming(office.channel, "kate", 1);
            // Twice in one call, in five calls at once.
            store.ingest(office.company, vec![message.clone(), message])
        });
        let mut stored = 0;
        for outcome in join_all(tellings).await {
            for outcome in outcome.unwrap() {
                stored += usize::from(outcome != Ingested::Duplicate);
            }
        }
        assert_eq!(stored, 1);
        let again = store.ingest(office.company, vec![incoming(office.channel, "kate", 1)]).await;
        assert_eq!(again.unwrap(), [Ingested::Duplicate]);
        assert_eq!(store.number("SELECT COUNT(*) FROM messages").await, 1);
        assert_eq!(store.log(office.company).await.len(), 1);
    }

    async fn of_a_deleted_channel_nothing_is_stored_and_whoever_asks_is_told(store: TestStore) {
        let office = store.office("a").await;
        let gone = store.channel(office.company, "another").await;
        store.take(office.company, incoming(gone, "kate", 1)).await;
        store.execute(format!("UPDATE channels SET deleted_at = 1 WHERE id = {gone}")).await;
        // In one set with others: the same message twice, one that is known, one of another channel.
        let tellings = [
            vec![incoming(gone, "kate", 2), incoming(office.channel, "kate", 2)],
            vec![incoming(gone, "kate", 2), incoming(gone, "kate", 1)],
        ];
        let told = join_all(tellings.map(|messages| store.ingest(office.company, messages))).await;
        let told: Vec<Ingested> = told.into_iter().flat_map(Result::unwrap).collect();
        assert!(matches!(told[1], Ingested::Stored { .. }), "{told:?}");
        for place in [0, 2, 3] {
            assert_eq!(told[place], Ingested::ChannelDeleted);
        }
        let stored = format!("SELECT COUNT(*) FROM messages WHERE channel_id = {gone}");
        assert_eq!(store.number(stored).await, 1);
        store
            .system(move |tx| {
                Box::pin(async move { tx.db().save_poll_cursor(gone, Some("7")).await })
            })
            .await;
        let cursor = format!("SELECT COUNT(*) FROM channels WHERE id = {gone} AND poll_cursor = '7'");
        assert_eq!(store.number(cursor).await, 0, "nothing is confirmed to its provider");
    }

    async fn outcomes_are_answered_in_the_order_of_the_messages(store: TestStore) {
        let office = store.office("a").await;
        let (seventh, _) = store.take(office.company, incoming(office.channel, "kate", 7)).await;
        let told = [9, 7, 8, 9, 3].map(|ordinal| incoming(office.channel, "kate", ordinal));
        let outcomes = store.ingest(office.company, told.to_vec()).await.unwrap();
        let mut ordinals = Vec::new();
        for outcome in outcomes {
            ordinals.push(match outcome {
                Ingested::Stored { message_id, .. } => {
                    assert_ne!(message_id, seventh);
                    store.message(office.company, message_id).await.ordinal
                }
                Ingested::Duplicate => 0,
                Ingested::ChannelDeleted => unreachable!("nobody deleted it"),
            });
        }
        assert_eq!(ordinals, [9, 0, 8, 0, 3]);
    }

    async fn a_first_contact_makes_one_contact_identity_and_conversation(store: TestStore) {
        let office = store.office("a").await;
        let tellings = (1..=20).map(|ordinal| {
            store.ingest(office.company, vec![incoming(office.channel, "kate", ordinal)])
        });
        for outcome in join_all(tellings).await {
            outcome.unwrap();
        }
        for table in ["contacts", "contact_identities", "conversations"] {
            assert_eq!(store.number(format!("SELECT COUNT(*) FROM {table}")).await, 1, "{table}");
        }
        // The same person on another channel is another identity.
        let other = store.channel(office.company, "another bot").await;
        store.take(office.company, incoming(other, "kate", 1)).await;
        assert_eq!(store.number("SELECT COUNT(*) FROM conversations").await, 2);
        let mut reader = store.reader().await.unwrap();
        let found = reader.db().conversation_of_identity(office.channel, "kate").await.unwrap();
        let conversation = found.unwrap();
        assert_eq!(conversation.unanswered_count, 20);
        assert_eq!(conversation.waiting_since, Some(START));
        assert_eq!(conversation.contact.name, "Клиент kate");
        assert!(conversation.reachable);
        assert_eq!(store.history(conversation.id).await.len(), 20);
    }

    async fn a_late_message_stands_before_the_answer_the_provider_took_after_it(store: TestStore) {
        let office = store.office("a").await;
        let (_, conversation) =
            store.take(office.company, incoming(office.channel, "kate", 10)).await;
        let answer = store.answer(&office, conversation, "ответ").await;
        store
            .job(office.company, move |tx| {
                Box::pin(async move {
                    let db = &mut tx.db();
                    db.set_message_external(office.company, answer, "ours:12", 12).await?;
                    db.raise_max_ordinal(conversation, 12).await?;
                    let position = db.message(office.company, answer).await?.unwrap().position;
                    db.set_last_place(conversation, position, 12).await
                })
            })
            .await;
        store.take(office.company, incoming(office.channel, "kate", 11)).await;
        let ordinals: Vec<i64> =
            store.history(conversation).await.iter().map(|message| message.ordinal).collect();
        assert_eq!(ordinals, [10, 11, 12]);
        let after = store.conversation(office.company, conversation).await;
        assert_eq!(after.last_message.unwrap().id, answer, "the answer is still the last");
        // Nobody had seen it when the answer was written.
        assert_eq!(after.unanswered_count, 1);

        store.take(office.company, incoming(office.channel, "kate", 13)).await;
        let after = store.conversation(office.company, conversation).await;
        assert_eq!(after.unanswered_count, 2);
        assert_eq!(after.last_message.unwrap().text, "сообщение 13");
    }

    async fn a_late_message_never_stands_before_an_earlier_one_of_the_client(store: TestStore) {
        let office = store.office("a").await;
        let (_, conversation) =
            store.take(office.company, incoming(office.channel, "kate", 10)).await;
        // Written before the client's next words came, taken by the provider after them.
        let answer = store.answer(&office, conversation, "ответ").await;
        store.take(office.company, incoming(office.channel, "kate", 11)).await;
        store
            .job(office.company, move |tx| {
                Box::pin(async move {
                    tx.db().set_message_external(office.company, answer, "ours:13", 13).await?;
                    tx.db().raise_max_ordinal(conversation, 13).await
                })
            })
            .await;
        store.take(office.company, incoming(office.channel, "kate", 12)).await;
        let history = store.history(conversation).await;
        let incoming_ordinals: Vec<i64> = history
            .iter()
            .filter(|message| message.direction == Direction::Incoming)
            .map(|message| message.ordinal)
            .collect();
        assert_eq!(incoming_ordinals, [10, 11, 12]);
    }

    async fn what_our_side_wrote_elsewhere_is_an_answer_to_what_stands_before_it(store: TestStore) {
        let office = store.office("a").await;
        let (_, conversation) =
            store.take(office.company, incoming(office.channel, "kate", 1)).await;
        store.take(office.company, incoming(office.channel, "kate", 2)).await;
        store.clock.advance_millis(1000);
        store.take(office.company, incoming(office.channel, "kate", 4)).await;
        // Late: answers 1 and 2, not 4. In one set with 5, which nobody has answered either.
        let set = vec![incoming(office.channel, "kate", 5), by_us(incoming(office.channel, "kate", 3))];
        store.ingest(office.company, set).await.unwrap();
        let after = store.conversation(office.company, conversation).await;
        assert_eq!(after.unanswered_count, 2);
        assert_eq!(after.waiting_since, Some(START.plus_millis(1000)));
        assert_eq!(after.last_message.unwrap().text, "сообщение 5");

        let (ours, _) =
            store.take(office.company, by_us(incoming(office.channel, "kate", 6))).await;
        let after = store.conversation(office.company, conversation).await;
        assert_eq!((after.unanswered_count, after.waiting_since), (0, None));
        assert_eq!(after.last_message.unwrap().id, ours);
        let message = store.message(office.company, ours).await;
        assert_eq!(message.direction, Direction::Outgoing);
        assert_eq!(message.status, Some(MessageStatus::Sent));
        let last = store.log(office.company).await.pop().unwrap();
        assert_eq!(last.event_type, EventType::MessageCreated);
    }

    async fn a_conversation_begun_by_our_side_has_a_place_of_its_own_in_the_list(store: TestStore) {
        let office = store.office("a").await;
        let set = ["kate", "petr", "olga"].map(|who| by_us(incoming(office.channel, who, 1)));
        store.ingest(office.company, set.to_vec()).await.unwrap();
        let places = store
            .texts("SELECT CAST(activity AS TEXT) FROM conversations ORDER BY activity")
            .await;
        assert_eq!(places, ["1", "2", "3"]);
    }

    async fn after_an_outage_the_list_stands_in_the_order_of_time(store: TestStore) {
        let office = store.office("a").await;
        let mut set = Vec::new();
        for (client, ordinal, second) in
            [("zoe", 1, 10), ("kate", 5, 40), ("kate", 4, 20), ("adam", 1, 30), ("kate", 6, 35)]
        {
            let mut message = incoming(office.channel, client, ordinal);
            message.message.sent_at = START.plus_seconds(second);
            set.push(message);
        }
        store.ingest(office.company, set).await.unwrap();
        let log = store.log(office.company).await;
        let told: Vec<String> = log
            .iter()
            .map(|event| {
                let name = &event.changes.conversation.as_ref().unwrap().contact.name;
                let ordinal = event.changes.message.as_ref().unwrap().ordinal;
                format!("{name} {ordinal}")
            })
            .collect();
        let expected = ["zoe 1", "kate 4", "adam 1", "kate 5", "kate 6"].map(|t| format!("Клиент {t}"));
        assert_eq!(told, expected);
    }

    async fn an_archived_conversation_opens_again_when_the_client_writes(store: TestStore) {
        let office = store.office("a").await;
        let (_, id) = store.take(office.company, incoming(office.channel, "kate", 1)).await;
        store
            .job(office.company, move |tx| {
                Box::pin(async move {
                    let found = tx.db().conversation_of_company(office.company, id).await?;
                    let mut conversation = found.unwrap();
                    conversation.state = ConversationState::Archived;
                    tx.db().save_conversation(&conversation).await
                })
            })
            .await;
        store.take(office.company, incoming(office.channel, "kate", 2)).await;
        let after = store.conversation(office.company, id).await;
        assert_eq!(after.state, ConversationState::Open);
    }

    async fn only_a_newer_message_renews_what_is_known_of_the_client(store: TestStore) {
        let office = store.office("a").await;
        let tell = |ordinal, name: &str, username: Option<&str>, phone: Option<&str>| {
            let mut message = incoming(office.channel, "kate", ordinal);
            name.clone_into(&mut message.message.sender.name);
            message.message.sender.username = username.map(ToOwned::to_owned);
            message.message.sender.chat_id = format!("chat {ordinal}");
            message.message.verified_phone = phone.map(ToOwned::to_owned);
            message
        };
        let known = async |id| {
            let card = store.conversation(office.company, id).await.contact;
            let chat = store.texts("SELECT chat_id FROM contact_identities").await.remove(0);
            (card.name, card.username, card.phone, chat)
        };
        let text = |text: &str| text.to_owned();
        let first = tell(5, "Катя", Some("kate5"), None);
        let (_, id) = store.take(office.company, first).await;
        assert_eq!(known(id).await, (text("Катя"), Some(text("kate5")), None, text("chat 5")));

        let old = tell(3, "Катюша", Some("kate3"), Some("+7 926 123-45-67"));
        store.take(office.company, old).await;
        assert_eq!(known(id).await, (text("Катя"), Some(text("kate5")), None, text("chat 5")));

        let new = tell(6, "Катя Орлова", None, Some("+7 926 123-45-67"));
        store.take(office.company, new).await;
        let expected = (text("Катя Орлова"), None, Some(text("79261234567")), text("chat 6"));
        assert_eq!(known(id).await, expected);

        // Nothing told is not "none" for name and phone.
        store.take(office.company, tell(7, "", Some("kate7"), None)).await;
        let expected =
            (text("Катя Орлова"), Some(text("kate7")), Some(text("79261234567")), text("chat 7"));
        assert_eq!(known(id).await, expected);

        // In one set, whatever the order of telling, the newest word holds.
        let set = vec![tell(9, "Екатерина", Some("kate9"), None), tell(8, "Кэт", None, None)];
        store.ingest(office.company, set).await.unwrap();
        let expected =
            (text("Екатерина"), Some(text("kate9")), Some(text("79261234567")), text("chat 9"));
        assert_eq!(known(id).await, expected);

        // Our own words elsewhere say nothing of the client.
        store.take(office.company, by_us(tell(10, "Оператор", Some("us"), None))).await;
        assert_eq!(known(id).await, expected);
    }

    async fn files_come_with_their_message_and_each_is_fetched_once(store: TestStore) {
        let office = store.office("a").await;
        let mut commits = store.commits();
        let mut album = incoming(office.channel, "kate", 1);
        album.message.attachments = vec![photo(1000), photo(20_000_001), photo(20_000_000)];
        album.message.attachments[0].width = None;
        let (id, _) = store.take(office.company, album.clone()).await;
        let files = store.message(office.company, id).await.attachments;
        let states: Vec<_> = files.iter().map(|file| (file.state, file.failure.as_deref())).collect();
        assert_eq!(states, [
            (AttachmentState::Pending, None),
            (AttachmentState::Unavailable, Some("file_too_big")),
            (AttachmentState::Pending, None),
        ]);
        assert_eq!((files[0].width, files[2].width), (None, Some(1280)));
        let log = store.log(office.company).await;
        assert_eq!(log[0].changes.message.as_ref().unwrap().attachments, files);

        let again = store.ingest(office.company, vec![album]).await.unwrap();
        assert_eq!(again, [Ingested::Duplicate]);
        let mut reader = store.reader().await.unwrap();
        let mut due = reader
            .db()
            .deliveries(office.company, DeliveryState::Pending, Some(i64::MAX), 10)
            .await
            .unwrap();
        due.sort_by_key(|delivery| delivery.subject_id);
        let subjects: Vec<_> = due.iter().map(|d| (d.kind, d.subject_id, d.lane.clone())).collect();
        assert_eq!(
            subjects,
            [&files[0], &files[2]].map(|file| (
                DeliveryKind::FetchAttachment, file.id.0, format!("attachment:{}", file.id)
            ))
        );
        let hints = [commits.recv().await.unwrap(), commits.recv().await.unwrap()];
        assert!(hints.contains(&Commit::Deliveries), "{hints:?}");
    }

    async fn a_pressed_button_is_a_message_and_is_answered_once(store: TestStore) {
        let office = store.office("a").await;
        let mut press = incoming(office.channel, "kate", 0);
        press.message.content = Content::Button { data: "yes".to_owned(), text: None };
        press.answer_button = Some("press 1".to_owned());
        for _ in 0..2 {
            store.ingest(office.company, vec![press.clone()]).await.unwrap();
        }
        let payloads = store.texts("SELECT payload FROM deliveries WHERE kind = 'answer_button'").await;
        assert_eq!(payloads, [r#"{"external_id":"press 1"}"#]);
    }

    async fn an_answer_to_a_stored_message_knows_it_and_any_other_keeps_the_words(store: TestStore) {
        let office = store.office("a").await;
        let (first, _) = store.take(office.company, incoming(office.channel, "kate", 1)).await;
        for (ordinal, quoted, expected) in [(2, "kate:1", Some(first)), (3, "gone", None)] {
            let mut message = incoming(office.channel, "kate", ordinal);
            message.message.reply_to = Some(hub_domain::channel::InboundReply {
                external_id: Some(quoted.to_owned()),
                text: "слова".to_owned(),
            });
            let (id, _) = store.take(office.company, message).await;
            let reply = store.message(office.company, id).await.reply_to.unwrap();
            assert_eq!((reply.message_id, reply.text.as_str()), (expected, "слова"));
        }
    }

    async fn a_message_that_cannot_be_stored_harms_nobody_else_in_its_set(store: TestStore) {
        let office = store.office("a").await;
        let others = store.office("b").await;
        let calls = (0..30_i64).map(|n| {
            let (store, office) = (&store, if n % 2 == 0 { office } else { others });
            async move {
                let bad = n % 5 == 3;
                let channel = if bad { ChannelId(404) } else { office.channel };
                let message = incoming(channel, &format!("client {n}"), 1);
                let outcome: Result<Vec<Ingested>, StoreError> =
                    store.ingest(office.company, vec![message]).await;
                assert_eq!(outcome.is_err(), bad, "call {n}: {outcome:?}");
            }
        });
        within_seconds(30, "the set", join_all(calls)).await;
        assert_eq!(store.number("SELECT COUNT(*) FROM messages").await, 24);
        assert_eq!(store.number("SELECT COUNT(*) FROM contacts").await, 24);
        let told = store.assert_gap_free(office.company).await
            + store.assert_gap_free(others.company).await;
        assert_eq!(told, 24);
    }

    async fn a_client_who_writes_can_be_reached_unless_something_newer_is_known(store: TestStore) {
        let office = store.office("a").await;
        let (_, id) = store.take(office.company, incoming(office.channel, "kate", 10)).await;
        let block = |second: i64| {
            store.job(office.company, move |tx| {
                Box::pin(async move {
                    tx.db().set_reachable(id, false, START.plus_seconds(second)).await
                })
            })
        };
        assert!(!block(9).await, "older than the message");
        assert!(store.conversation(office.company, id).await.reachable);
        assert!(block(20).await);
        store.take(office.company, incoming(office.channel, "kate", 15)).await;
        assert!(!store.conversation(office.company, id).await.reachable, "written before the block");
        store.take(office.company, incoming(office.channel, "kate", 21)).await;
        assert!(store.conversation(office.company, id).await.reachable);
    }
}
