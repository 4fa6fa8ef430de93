//! Two nodes on PostgreSQL and Redis: what one receives the others show, and one takes over from another.

use std::time::Duration;

use hub_domain::channel::IntakeMode;
use hub_tests::Database;
use test_services::RedisServer;

use super::desk::{Desk, Setting, seed};
use super::load::{Load, Pace};

/// After which another node polls a channel.
const LEASE: Duration = Duration::from_secs(5);

/// Two nodes, of which the first polls; each operator has a session at a node of its own.
async fn two_nodes(redis_url: Option<String>) -> Desk {
    let mut setting = Setting::of(Database::Postgres, IntakeMode::Polling);
    (setting.nodes, setting.clients) = (2, 3);
    setting.redis_url = redis_url.or(setting.redis_url);
    setting.options.push(("polling.lease_seconds", LEASE.as_secs().to_string()));
    Desk::open("nodes", setting).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_receives_appears_on_the_sessions_of_the_other_without_gaps() {
    let mut desk = two_nodes(None).await;
    let load = Load::start(&desk, seed(), &Pace::default());
    // Longer than a lease without a quiet moment: the node that polls must keep what it has.
    tokio::time::sleep(LEASE + Duration::from_secs(3)).await;
    load.finish(&mut desk).await;
    let verdict = desk.prove().await;
    assert_eq!((verdict.unknown, verdict.reconnects), (0, 0));
    assert!(verdict.written > 100 && verdict.accepted > 20, "there was no load");
    let polls = desk.simulator.telegram().calls_to("getUpdates");
    let conflicts = polls.iter().filter(|call| call.error_code == Some(409)).count();
    assert_eq!(conflicts, 0, "two nodes polled at a time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_polling_node_dies_the_other_takes_over_and_nothing_is_lost() {
    let mut desk = two_nodes(None).await;
    let load = Load::start(&desk, seed(), &Pace::default());
    tokio::time::sleep(Duration::from_secs(1)).await;
    desk.nodes[0].kill().await;
    let died = std::time::Instant::now();
    desk.write(0, "is anybody there?");
    desk.wait_text("is anybody there?").await;
    let took = died.elapsed();
    println!("taken over in {took:?}");
    // Beside the lease: a second until the next look, and what a busy machine takes.
    assert!(took < LEASE + Duration::from_secs(6), "the other node took {took:?}");
    load.finish(&mut desk).await;
    let verdict = desk.prove().await;
    assert!(verdict.reconnects > 0, "the sessions of the dead node turn to the other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_die_and_come_back_while_nodes_work() {
    let mut redis = RedisServer::start_own();
    let mut desk = two_nodes(Some(redis.url())).await;
    let load = Load::start(&desk, seed(), &Pace::default());
    tokio::time::sleep(Duration::from_millis(700)).await;
    tokio::task::block_in_place(|| redis.kill());
    // Node 1 hears of what node 0 polled although nobody tells it.
    desk.write(1, "without Redis");
    desk.wait_text("without Redis").await;
    tokio::task::block_in_place(|| redis.restart());
    desk.write(1, "with Redis again");
    desk.wait_text("with Redis again").await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    load.finish(&mut desk).await;
    let verdict = desk.prove().await;
    assert_eq!((verdict.unknown, verdict.reconnects), (0, 0), "clients notice nothing");
}
