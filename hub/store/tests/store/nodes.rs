//! Several nodes on one PostgreSQL database.

use futures_util::future::join_all;
use hub_domain::event::EventType;
use hub_store::records::Ingested;
use hub_store::{Store, StoreError};

use crate::harness::{TestStore, append_something, incoming, within_seconds};

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
        let distinct: std::collections::HashSet<i64> = received.iter().copied().collect();
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
