//! Several nodes over one Redis.

use hub_domain::{ConversationId, Ephemeral};
use test_services::RedisServer;

use super::*;
use crate::bus::Passing;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_get_each_others_events_in_order() {
    let redis = RedisServer::start_own();
    let place = Place::postgres().await;
    let bus = || Bus::redis(&redis.url(), None, "test").unwrap();
    let first = Node::on_bus(&place, settings(), bus()).await;
    let second = Node::on_bus(&place, settings(), bus()).await;
    until("both are connected", || first.bus.is_healthy() && second.bus.is_healthy()).await;
    let company = first.company().await;
    let (mut at_first, mut at_second) =
        (Client::connect(&first, 1).await, Client::connect(&second, 2).await);
    at_first.watch(company, None).await;
    at_second.watch(company, None).await;
    let write = |node: &'static str, writer: &Node| {
        let (store, count) = (writer.store.clone(), if node == "first" { 40 } else { 60 });
        async move {
            for _ in 0..count {
                let append = store.write(company, |tx| {
                    Box::pin(async move {
                        let kind = EventType::ConversationAnswered;
                        tx.append(kind, Origin::System, None, Changes::default()).await
                    })
                });
                append.await.map(drop).map_err(|error: StoreError| error)?;
            }
            Ok::<_, StoreError>(())
        }
    };
    let (one, two) = tokio::join!(write("first", &first), write("second", &second));
    one.and(two).unwrap();
    // No sweep helps here: the hints do it.
    at_first.follow(0, 100).await;
    at_second.follow(0, 100).await;
    // What members do passes between nodes as well, and so does the end of a session.
    let looking = ClientFrame::LookingAt { company_id: company, conversation_id: None };
    at_first.send(&looking).await;
    let ephemeral = Ephemeral::LookingAt { member_id: MemberId(1), conversation_id: None };
    let expected = ServerFrame::Ephemeral { company_id: company, ephemeral };
    assert_eq!(at_second.frame().await, expected);
    // What a client does has no author to be spared: every connection hears of it.
    let ephemeral = Ephemeral::ClientTyping { conversation_id: ConversationId(5) };
    first.fanout.pass(Passing {
        company_id: company,
        channel_id: None,
        ephemeral: ephemeral.clone(),
    });
    let expected = ServerFrame::Ephemeral { company_id: company, ephemeral };
    assert_eq!(at_first.frame().await, expected);
    assert_eq!(at_second.frame().await, expected);
    first.fanout.signed_out(SessionId(2));
    assert_eq!(at_second.closed().await, 4100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_nodes_look_and_with_it_they_hear_again() {
    let mut redis = RedisServer::start_own();
    let place = Place::postgres().await;
    let bus = || Bus::redis(&redis.url(), None, "test").unwrap();
    let writer = Node::on_bus(&place, settings(), bus()).await;
    let sweep = Duration::from_millis(100);
    let looks = Node::on_bus(&place, Settings { sweep, ..settings() }, bus()).await;
    let hears = Node::on_bus(&place, settings(), bus()).await;
    let nodes = [&writer, &looks, &hears];
    until("all are connected", || nodes.iter().all(|node| node.bus.is_healthy())).await;
    let company = writer.company().await;
    let (mut looking, mut hearing) =
        (Client::connect(&looks, 1).await, Client::connect(&hears, 2).await);
    looking.watch(company, None).await;
    hearing.watch(company, None).await;
    writer.append(company, 2).await;
    looking.follow(0, 2).await;
    hearing.follow(0, 2).await;
    redis.kill();
    until("all noticed", || nodes.iter().all(|node| !node.bus.is_healthy())).await;
    writer.append(company, 3).await;
    looking.follow(2, 5).await;
    redis.restart();
    // This one never looks by itself: it does because the bus is back.
    hearing.follow(2, 5).await;
    until("all are connected", || nodes.iter().all(|node| node.bus.is_healthy())).await;
    writer.append(company, 1).await;
    hearing.follow(5, 6).await;
    looking.follow(5, 6).await;
}
