//! Whatever order updates come in, and however they are cut into calls, the history is the same.

use hub_domain::Direction;
use hub_store::records::Incoming;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::harness::{Office, TestStore, incoming, on_both_engines};

/// Calls of ingest, each with ordinals of messages: a permutation of `1..=many`, cut anywhere.
fn calls(many: i64) -> impl Strategy<Value = Vec<Vec<i64>>> {
    let shuffled = Just((1..=many).collect::<Vec<i64>>()).prop_shuffle();
    let cuts = prop::collection::vec(any::<bool>(), many as usize);
    (shuffled, cuts).prop_map(|(ordinals, cuts)| {
        let mut calls = vec![Vec::new()];
        for (ordinal, cut) in ordinals.into_iter().zip(cuts) {
            if cut {
                calls.push(Vec::new());
            }
            calls.last_mut().expect("there is a first call").push(ordinal);
        }
        calls
    })
}

/// The same cases on each run and each engine.
fn cases(many: i64, count: usize) -> Vec<Vec<Vec<i64>>> {
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    (0..count).map(|_| calls(many).new_tree(&mut runner).unwrap().current()).collect()
}

struct Outcome {
    ordinals: Vec<i64>,
    unanswered: i64,
    last: String,
}

async fn tell(
    store: &TestStore,
    office: &Office,
    client: &str,
    case: &[Vec<i64>],
    make: impl Fn(i64) -> Incoming,
) -> Outcome {
    for call in case {
        let set = call.iter().map(|ordinal| make(*ordinal)).collect();
        store.ingest(office.company, set).await.unwrap();
    }
    let mut reader = store.reader().await.unwrap();
    let found = reader.db().conversation_of_identity(office.channel, client).await.unwrap();
    let conversation = found.unwrap();
    let history = store.history(conversation.id).await;
    Outcome {
        ordinals: history.iter().map(|message| message.ordinal).collect(),
        unanswered: conversation.unanswered_count,
        last: conversation.last_message.unwrap().text,
    }
}

on_both_engines! {
    async fn any_order_and_any_partition_of_a_clients_messages_give_the_same_history(store: TestStore) {
        const MANY: i64 = 9;
        let office = store.office("a").await;
        for (n, case) in cases(MANY, 60).iter().enumerate() {
            let client = format!("client {n}");
            let make = |ordinal| incoming(office.channel, &client, ordinal);
            let outcome = tell(&store, &office, &client, case, make).await;
            assert_eq!(outcome.ordinals, (1..=MANY).collect::<Vec<_>>(), "{case:?}");
            assert_eq!(outcome.unanswered, MANY, "{case:?}");
            assert_eq!(outcome.last, format!("сообщение {MANY}"), "{case:?}");
        }
        store.assert_gap_free(office.company).await;
    }

    async fn a_mixed_correspondence_in_any_order_keeps_its_order_and_what_waits_for_an_answer(store: TestStore) {
        const MANY: i64 = 9;
        // Our side wrote the 3rd and the 6th from elsewhere: 7, 8 and 9 wait for an answer.
        let ours = |ordinal: i64| ordinal == 3 || ordinal == 6;
        let office = store.office("a").await;
        for (n, case) in cases(MANY, 60).iter().enumerate() {
            let client = format!("client {n}");
            let make = |ordinal| {
                let mut message = incoming(office.channel, &client, ordinal);
                message.message.by_us = ours(ordinal);
                message
            };
            let outcome = tell(&store, &office, &client, case, make).await;
            assert_eq!(outcome.ordinals, (1..=MANY).collect::<Vec<_>>(), "{case:?}");
            // What came after an answer that stands behind it may wait too: nobody had seen it.
            assert!(outcome.unanswered >= 3, "{case:?}: {}", outcome.unanswered);
            assert_eq!(outcome.last, format!("сообщение {MANY}"), "{case:?}");
        }
    }

    async fn messages_without_a_provider_order_stand_in_the_order_they_came(store: TestStore) {
        let office = store.office("a").await;
        let mut expected = Vec::new();
        for n in 0..10 {
            let mut message = incoming(office.channel, "kate", 0);
            message.message.external_id = format!("{n}");
            let (id, conversation) = store.take(office.company, message).await;
            expected.push(id);
            if n == 9 {
                let history = store.history(conversation).await;
                assert!(history.iter().all(|message| message.direction == Direction::Incoming));
                let stored: Vec<_> = history.iter().map(|message| message.id).collect();
                assert_eq!(stored, expected);
            }
        }
    }
}
