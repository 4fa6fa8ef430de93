//! Several nodes on one PostgreSQL database.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use futures_util::future::{join, join_all};
use hub_domain::DeliveryId;
use hub_domain::delivery::DeliveryState;
use hub_domain::event::EventType;
use hub_store::records::Ingested;
use hub_store::{Store, StoreError};
use tokio::sync::oneshot;

use crate::deliveries::{claim, claim_within, enqueue, numbers, put_back, settle, two_lanes};
use crate::harness::{START, TestStore, append_something, incoming, new_delivery, within_seconds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_number_the_log_without_gaps_and_lose_nothing() {
    let first = TestStore::on_postgres().await;
    let second = first.open_again(|_| {}).await;
    let mut offices = Vec::new();
    for name in ["a", "b", "c"] {
        offices.push(first.office(name).await);
    }
    let nodes: [&Store; 2] = [&first, &second];
    let work = (0..300_i64).map(|n| {
        let (node, office) = (nodes[n as usize % 2], offices[n as usize % 3]);
        async move {
            if n % 5 == 0 {
                let outcome: Result<i64, StoreError> =
                    node.write(office.company, |tx| Box::pin(append_something(tx))).await;
                outcome.unwrap();
            } else {
                // Each message is told to both nodes; four messages a client.
                let client = format!("client {}", n % 10);
                let message = incoming(office.channel, &client, n / 2 + 1);
                node.ingest(office.company, vec![message]).await.unwrap();
            }
        }
    });
    within_seconds(60, "the work of two nodes", join_all(work)).await;
    for office in offices {
        let end = first.assert_gap_free(office.company).await;
        assert_eq!(second.position(office.company).await.unwrap().unwrap().offset, end);
        let log = first.log(office.company).await;
        let received: Vec<i64> = log
            .iter()
            .filter(|event| event.event_type == EventType::MessageReceived)
            .map(|event| event.changes.message.as_ref().unwrap().id.0)
            .collect();
        let stored = format!("SELECT COUNT(*) FROM messages WHERE company_id = {}", office.company);
        assert_eq!(first.number(stored).await, received.len() as i64);
        let distinct: HashSet<i64> = received.iter().copied().collect();
        assert_eq!(distinct.len(), received.len());
    }
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_told_to_two_nodes_at_once_is_stored_by_one() {
    let first = TestStore::on_postgres().await;
    let second = first.open_again(|_| {}).await;
    let office = first.office("a").await;
    for ordinal in 1..=30 {
        let message = || vec![incoming(office.channel, "kate", ordinal)];
        let (one, other) = tokio::join!(
            first.ingest(office.company, message()),
            second.ingest(office.company, message())
        );
        let stored = [one.unwrap(), other.unwrap()]
            .concat()
            .iter()
            .filter(|outcome| matches!(outcome, Ingested::Stored { .. }))
            .count();
        assert_eq!(stored, 1, "message {ordinal}");
    }
    assert_eq!(first.assert_gap_free(office.company).await, 30);
    assert_eq!(first.number("SELECT COUNT(*) FROM conversations").await, 1);
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_replayed_while_its_lane_is_being_claimed_waits_for_the_claim() {
    let first = TestStore::on_postgres().await;
    let second = first.open_again(|_| {}).await;
    two_lanes(&first).await;
    let dead = claim(&first, "first", START, 1).await[0];
    assert!(settle(&first, "first", dead, DeliveryState::Dead, None).await);

    let (claimed, is_claimed) = oneshot::channel();
    let (commit, may_commit) = oneshot::channel::<()>();
    let claiming = first.write_system(move |tx| {
        Box::pin(async move {
            let ids = claim_within(tx, "first", START, 1).await?;
            claimed.send(ids.clone()).expect("the test waits");
            may_commit.await.expect("the test says when");
            Ok::<_, StoreError>(ids)
        })
    });
    let meanwhile = async {
        assert_eq!(numbers(&is_claimed.await.unwrap()), [2], "the next of lane a");
        assert!(put_back(&second, dead, DeliveryState::Dead).await);
        // Its row is free, and nothing of its lane is seen to be in flight. Lane b is open to all.
        let others = claim(&second, "second", START, 10).await;
        assert_eq!(numbers(&others), [3], "two of lane a at once");
        commit.send(()).unwrap();
    };
    let (ours, ()) = within_seconds(20, "the claim", join(claiming, meanwhile)).await;
    let ours = ours.unwrap();
    assert_eq!(claim(&second, "second", START, 10).await, [], "the lane is under way");
    assert!(settle(&first, "first", ours[0], DeliveryState::Done, None).await);
    assert_eq!(numbers(&claim(&second, "second", START, 10).await), [1], "then the replayed one");
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_dead_letters_are_replayed_no_lane_has_two_under_way_and_none_is_lost() {
    const LANES: i64 = 3;
    const MANY: i64 = 90;
    let first = TestStore::on_postgres().await;
    let second = first.open_again(|_| {}).await;
    let office = first.office("a").await;
    let lanes =
        (0..MANY).map(|n| new_delivery(office.company, &format!("lane {}", n % LANES), "t"));
    enqueue(&first, &office, lanes.collect()).await;
    let under_way: Mutex<HashMap<i64, i64>> = Mutex::default();
    let tries: Mutex<HashMap<i64, u32>> = Mutex::default();
    let worker = |n: usize| {
        let (node, under_way, tries) = ([&*first, &second][n % 2], &under_way, &tries);
        async move {
            let owner = format!("worker {n}");
            loop {
                for DeliveryId(id) in claim(node, &owner, START, 2).await {
                    let ahead = under_way.lock().unwrap().insert(id % LANES, id);
                    assert_eq!(ahead, None, "{id} is of the same lane");
                    let again = {
                        let mut tries = tries.lock().unwrap();
                        let tries = tries.entry(id).or_default();
                        *tries += 1;
                        *tries == 1
                    };
                    let end = if again { DeliveryState::Dead } else { DeliveryState::Done };
                    under_way.lock().unwrap().remove(&(id % LANES));
                    assert!(settle(node, &owner, DeliveryId(id), end, None).await);
                    if again {
                        assert!(put_back(node, DeliveryId(id), DeliveryState::Dead).await);
                    }
                }
                if node.reader().await.unwrap().db().delivery_counts().await.unwrap().is_empty() {
                    return;
                }
            }
        }
    };
    within_seconds(60, "the queue", join_all((0..6).map(worker))).await;
    let tries = tries.into_inner().unwrap();
    assert_eq!(tries.len() as i64, MANY);
    assert!(tries.values().all(|tries| *tries == 2), "each failed once and was made once");
    second.close().await;
}
