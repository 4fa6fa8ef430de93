//! The bus against a real Redis that is killed and started again: hints may be lost, nothing else is.

use std::time::Duration;

use hub_domain::{ConversationId, MemberId};
use test_services::RedisServer;
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(20);

struct Node {
    bus: Bus,
    signals: broadcast::Receiver<Signal>,
    commits: broadcast::Sender<Commit>,
    lifecycle: Lifecycle,
}

impl Node {
    fn start(url: &str) -> Self {
        Self::start_trusting(url, None)
    }

    fn start_trusting(url: &str, ca_file: Option<&Path>) -> Self {
        let bus = Bus::redis(url, ca_file, "test").expect("the address is one");
        let signals = bus.subscribe();
        let (commits, receiver) = broadcast::channel(16);
        let lifecycle = Lifecycle::new(Duration::from_secs(1));
        bus.start(&lifecycle, receiver);
        Self { bus, signals, commits, lifecycle }
    }

    async fn connected(url: &str) -> Self {
        let mut node = Self::start(url);
        node.wait_for(&Signal::Resync).await;
        node
    }

    async fn wait_for(&mut self, wanted: &Signal) -> Vec<Signal> {
        let mut before = Vec::new();
        let found = timeout(SOON, async {
            loop {
                let signal = self.signals.recv().await.expect("the bus lives");
                if signal == *wanted {
                    return;
                }
                before.push(signal);
            }
        });
        found.await.unwrap_or_else(|_| panic!("no {wanted:?}"));
        before
    }

    fn commit(&self, company: i64, offset: i64) -> Signal {
        let company_id = CompanyId(company);
        self.commits.send(Commit::Events { company_id, offset }).expect("the bus listens");
        Signal::Hint { company_id, offset }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

fn typing() -> Passing {
    Passing {
        company_id: CompanyId(7),
        channel_id: Some(ChannelId(3)),
        ephemeral: Ephemeral::Typing { member_id: MemberId(1), conversation_id: ConversationId(5) },
    }
}

#[tokio::test]
async fn over_tls_nodes_hear_each_other_and_believe_nobody_unknown() {
    let redis = RedisServer::start_own_with_tls();
    let (url, authority) = (redis.url(), redis.authority());
    let mut first = Node::start_trusting(&url, Some(&authority));
    let mut second = Node::start_trusting(&url, Some(&authority));
    first.wait_for(&Signal::Resync).await;
    second.wait_for(&Signal::Resync).await;
    let own = first.commit(7, 11);
    second.wait_for(&own).await;

    let stranger = redis::client(&url, None).expect("an address");
    let refused = stranger.get_multiplexed_async_connection().await.map(drop).expect_err("unknown");
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    let plain = redis::client(&url.replace("rediss", "redis"), None).expect("an address");
    plain.get_multiplexed_async_connection().await.map(drop).expect_err("only TLS is spoken");
    let key = authority.with_file_name("server.key");
    for unusable in [key.as_path(), Path::new("/nowhere.pem")] {
        let refused = redis::client(&url, Some(unusable)).expect_err("no certificate");
        assert!(matches!(refused, BusError::CaFile { .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_node_hears_what_another_did_and_not_what_it_did_itself() {
    let redis = RedisServer::start_own();
    let mut first = Node::connected(&redis.url()).await;
    let mut second = Node::connected(&redis.url()).await;
    let own = first.commit(7, 11);
    second.wait_for(&own).await;
    first.bus.pass(typing());
    second.wait_for(&Signal::Ephemeral(typing())).await;
    first.bus.signed_out(SessionId(4));
    second.wait_for(&Signal::SignedOut(SessionId(4))).await;
    let answer = second.commit(8, 1);
    let heard = first.wait_for(&answer).await;
    assert!(heard.iter().all(|signal| *signal == Signal::Resync), "{heard:?}");
}

#[tokio::test]
async fn after_redis_came_back_hints_pass_again_and_everyone_looks() {
    let mut redis = RedisServer::start_own();
    let mut first = Node::connected(&redis.url()).await;
    let mut second = Node::connected(&redis.url()).await;
    assert!(first.bus.is_healthy() && second.bus.is_healthy());
    redis.kill();
    timeout(SOON, async {
        while first.bus.is_healthy() || second.bus.is_healthy() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("both notice");
    // What is said now waits or is found by looking; it must not stop anything.
    first.commit(7, 12);
    first.bus.pass(typing());
    redis.restart();
    second.wait_for(&Signal::Resync).await;
    first.wait_for(&Signal::Resync).await;
    timeout(SOON, async {
        while !(first.bus.is_healthy() && second.bus.is_healthy()) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("both are back");
    let hint = first.commit(7, 13);
    let heard = second.wait_for(&hint).await;
    assert!(!heard.contains(&Signal::Ephemeral(typing())), "what passes by is not kept");
}

#[tokio::test]
async fn a_node_starts_while_redis_is_away() {
    let mut redis = RedisServer::start_own();
    redis.kill();
    let mut node = Node::start(&redis.url());
    assert!(!node.bus.is_healthy());
    redis.restart();
    node.wait_for(&Signal::Resync).await;
    assert!(node.bus.is_healthy());
}

#[test]
fn a_packet_holds_the_highest_offset_of_each_company() {
    let mut packet = Packet::default();
    assert!(packet.is_empty());
    for (company, offset) in [(7, 3), (8, 1), (7, 5), (7, 4)] {
        packet.add_commit(Commit::Events { company_id: CompanyId(company), offset });
    }
    packet.add(Outgoing::Ephemeral(typing()));
    let text = serde_json::to_string(&packet).unwrap();
    let read: Packet = serde_json::from_str(&text).unwrap();
    assert_eq!(read, packet);
    let mut later = Packet::default();
    later.merge(read);
    let signals: Vec<Signal> = later.signals().collect();
    assert_eq!(
        signals,
        [
            Signal::Hint { company_id: CompanyId(7), offset: 5 },
            Signal::Hint { company_id: CompanyId(8), offset: 1 },
        ]
    );
}

#[test]
fn one_node_is_always_healthy() {
    let bus = Bus::in_process();
    assert!(bus.is_healthy());
    assert_eq!(bus.kind(), "in_process");
    bus.pass(typing());
}
