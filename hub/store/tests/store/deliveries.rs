//! The queue of effects: lanes, leases, attempts, the pace of targets.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use hub_domain::delivery::DeliveryState;
use hub_domain::{DeliveryId, Timestamp};
use hub_store::records::{AttemptEnd, ClaimRequest, NewDelivery};
use hub_store::{Store, StoreError, Tx};

use crate::harness::{Office, START, TestStore, new_delivery, on_both_engines, within_seconds};

const DONE: AttemptEnd =
    AttemptEnd { outcome: "done", error_code: None, error_detail: None, retry_at: None };

pub async fn enqueue(store: &Store, office: &Office, deliveries: Vec<NewDelivery>) {
    let outcome: Result<(), StoreError> = store
        .write(office.company, move |tx| {
            Box::pin(async move {
                let now = tx.now();
                tx.db().insert_deliveries(&deliveries, now).await
            })
        })
        .await;
    outcome.unwrap();
}

/// Claims for 30 seconds as the engine does.
pub async fn claim(store: &Store, owner: &str, now: Timestamp, limit: i64) -> Vec<DeliveryId> {
    let owner = owner.to_owned();
    let claimed: Result<Vec<DeliveryId>, StoreError> = store
        .write_system(move |tx| Box::pin(async move { claim_within(tx, &owner, now, limit).await }))
        .await;
    claimed.unwrap()
}

pub async fn claim_within(
    tx: &mut Tx,
    owner: &str,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<DeliveryId>, StoreError> {
    let lease_until = now.plus_seconds(30);
    let request = ClaimRequest { owner: owner.to_owned(), now, lease_until, limit };
    let heads = tx.db().claim_candidates(&request).await?.deliveries;
    let ids: Vec<i64> = heads.iter().map(|delivery| delivery.id.0).collect();
    tx.db().lease_deliveries(&ids, owner, lease_until).await?;
    Ok(heads.iter().map(|delivery| delivery.id).collect())
}

pub async fn settle(
    store: &Store,
    owner: &str,
    id: DeliveryId,
    state: DeliveryState,
    not_before: Option<Timestamp>,
) -> bool {
    let owner = owner.to_owned();
    let ours: Result<bool, StoreError> = store
        .write_system(move |tx| {
            Box::pin(async move {
                tx.db().settle_delivery(id, &owner, state, not_before, &DONE, START).await
            })
        })
        .await;
    ours.unwrap()
}

async fn start(store: &TestStore, owner: &str, id: DeliveryId, now: Timestamp) -> Option<i64> {
    let owner = owner.to_owned();
    store
        .system(move |tx| Box::pin(async move { tx.db().start_attempt(id, &owner, now).await }))
        .await
}

pub async fn put_back(store: &Store, id: DeliveryId, from: DeliveryState) -> bool {
    let done: Result<bool, StoreError> = store
        .write_system(move |tx| {
            Box::pin(async move {
                tx.db().set_delivery_state(id, from, DeliveryState::Pending, START).await
            })
        })
        .await;
    done.unwrap()
}

/// Three deliveries in lane `a`, two in lane `b`, with ids in this order.
pub async fn two_lanes(store: &TestStore) -> Office {
    let office = store.office("a").await;
    let lanes = ["a", "a", "b", "a", "b"].map(|lane| new_delivery(office.company, lane, "t"));
    enqueue(store, &office, lanes.to_vec()).await;
    office
}

pub fn numbers(ids: &[DeliveryId]) -> Vec<i64> {
    ids.iter().map(|id| id.0).collect()
}

on_both_engines! {
    async fn only_the_head_of_a_lane_can_be_claimed(store: TestStore) {
        two_lanes(&store).await;
        let heads = claim(&store, "node", START, 10).await;
        assert_eq!(numbers(&heads), [1, 3]);
        assert_eq!(claim(&store, "other", START, 10).await, []);
        assert!(settle(&store, "node", heads[0], DeliveryState::Done, None).await);
        assert_eq!(numbers(&claim(&store, "node", START, 10).await), [2]);
        assert!(settle(&store, "node", heads[1], DeliveryState::Done, None).await);
        assert_eq!(numbers(&claim(&store, "other", START, 1).await), [5]);
    }

    async fn a_head_that_waits_for_another_try_holds_its_lane(store: TestStore) {
        two_lanes(&store).await;
        let heads = claim(&store, "node", START, 10).await;
        let later = START.plus_seconds(10);
        assert!(settle(&store, "node", heads[0], DeliveryState::Pending, Some(later)).await);
        assert_eq!(claim(&store, "node", START.plus_seconds(9), 10).await, []);
        let mut reader = store.reader().await.unwrap();
        assert_eq!(reader.db().next_due(START).await.unwrap(), Some(later));
        drop(reader);
        assert_eq!(numbers(&claim(&store, "node", later, 10).await), [1]);
    }

    async fn what_has_ended_lets_the_next_of_its_lane_pass(store: TestStore) {
        let office = store.office("a").await;
        let lane = (0..5).map(|_| new_delivery(office.company, "a", "t")).collect();
        enqueue(&store, &office, lane).await;
        let ends = [
            DeliveryState::Done, DeliveryState::Dead, DeliveryState::Unknown, DeliveryState::Cancelled,
        ];
        for (n, end) in ends.into_iter().enumerate() {
            let head = claim(&store, "node", START, 10).await;
            assert_eq!(numbers(&head), [n as i64 + 1]);
            assert!(settle(&store, "node", head[0], end, None).await);
        }
        assert_eq!(numbers(&claim(&store, "node", START, 10).await), [5]);
    }

    async fn a_replayed_delivery_waits_for_the_one_of_its_lane_that_is_under_way(store: TestStore) {
        two_lanes(&store).await;
        let heads = claim(&store, "node", START, 10).await;
        assert!(settle(&store, "node", heads[0], DeliveryState::Dead, None).await);
        let second = claim(&store, "node", START, 10).await;
        assert_eq!(numbers(&second), [2]);
        assert!(put_back(&store, heads[0], DeliveryState::Dead).await);
        assert_eq!(claim(&store, "other", START, 10).await, [], "two of a lane at once");
        assert!(settle(&store, "node", second[0], DeliveryState::Done, None).await);
        assert_eq!(numbers(&claim(&store, "other", START, 10).await), [1]);
    }

    async fn nothing_is_claimed_before_its_time_or_for_a_target_that_rests(store: TestStore) {
        let office = store.office("a").await;
        let mut early = new_delivery(office.company, "a", "t");
        early.not_before = START.plus_seconds(5);
        let paused = new_delivery(office.company, "b", "paused");
        let busy = new_delivery(office.company, "c", "busy");
        enqueue(&store, &office, vec![early, paused, busy]).await;
        store
            .system(|tx| {
                Box::pin(async move {
                    tx.db().pause_target("paused", START.plus_seconds(7)).await?;
                    tx.db().save_target_pace("busy", START.plus_seconds(6)).await
                })
            })
            .await;
        for (second, expected) in [(4, vec![]), (5, vec![1]), (6, vec![3]), (7, vec![2])] {
            let claimed = claim(&store, "node", START.plus_seconds(second), 10).await;
            assert_eq!(numbers(&claimed), expected, "second {second}");
        }
        // The pause and the pace of one target do not undo each other.
        let paces = store
            .system(|tx| {
                Box::pin(async move {
                    tx.db().save_target_pace("paused", START).await?;
                    let targets = ["paused".to_owned(), "new".to_owned()];
                    tx.db().target_paces(&targets).await
                })
            })
            .await;
        let expected = [
            ("paused".to_owned(), START.plus_seconds(7).0, START.0),
            ("new".to_owned(), 0, 0),
        ];
        assert_eq!(paces, expected);
    }

    async fn a_lease_that_has_ended_is_found_with_what_its_owner_left(store: TestStore) {
        two_lanes(&store).await;
        let heads = claim(&store, "node", START, 10).await;
        assert_eq!(start(&store, "node", heads[1], START).await, Some(1));
        let expired = async |second| {
            let mut reader = store.reader().await.unwrap();
            let found = reader.db().expired_deliveries(START.plus_seconds(second), 10).await;
            found.unwrap().into_iter().map(|(d, open)| (d.id.0, open)).collect::<Vec<_>>()
        };
        assert_eq!(expired(29).await, []);
        assert_eq!(expired(30).await, [(1, false), (3, true)]);
        // The late owner must not begin now; neither may a stranger, ever.
        assert_eq!(start(&store, "node", heads[0], START.plus_seconds(30)).await, None);
        assert_eq!(start(&store, "other", heads[0], START).await, None);
        assert!(put_back(&store, heads[0], DeliveryState::InFlight).await);
        assert!(!put_back(&store, heads[0], DeliveryState::InFlight).await, "once");
        let again = claim(&store, "other", START.plus_seconds(30), 10).await;
        assert_eq!(numbers(&again), [1]);
        assert_eq!(start(&store, "node", heads[0], START.plus_seconds(31)).await, None);
        assert_eq!(start(&store, "other", heads[0], START.plus_seconds(31)).await, Some(1));
    }

    async fn a_long_call_keeps_its_lease_while_its_owner_holds_it(store: TestStore) {
        two_lanes(&store).await;
        let head = claim(&store, "node", START, 1).await[0];
        let hold = async |owner: &'static str| {
            let until = START.plus_seconds(90);
            store
                .system(move |tx| {
                    Box::pin(async move { tx.db().hold_delivery(head, owner, until).await })
                })
                .await
        };
        assert!(!hold("other").await);
        assert!(hold("node").await);
        let expired = async |second| {
            let mut reader = store.reader().await.unwrap();
            let found = reader.db().expired_deliveries(START.plus_seconds(second), 10).await;
            found.unwrap().len()
        };
        assert_eq!((expired(89).await, expired(90).await), (0, 1));
        assert!(put_back(&store, head, DeliveryState::InFlight).await);
        assert!(!hold("node").await, "it was taken away");
    }

    async fn only_the_owner_settles_and_only_once(store: TestStore) {
        two_lanes(&store).await;
        let head = claim(&store, "node", START, 1).await[0];
        assert!(!settle(&store, "other", head, DeliveryState::Done, None).await);
        assert!(settle(&store, "node", head, DeliveryState::Done, None).await);
        assert!(!settle(&store, "node", head, DeliveryState::Dead, None).await);
        let mut reader = store.reader().await.unwrap();
        let settled = reader.db().delivery(head).await.unwrap().unwrap();
        assert_eq!(settled.state, DeliveryState::Done);
        assert_eq!(settled.finished_at, Some(START));
        assert_eq!(settled.lease_until, None);
    }

    async fn what_is_given_back_can_be_claimed_at_once(store: TestStore) {
        two_lanes(&store).await;
        let heads = claim(&store, "node", START, 10).await;
        for owner in ["other", "node"] {
            store
                .system(move |tx| {
                    Box::pin(async move { tx.db().release_delivery(DeliveryId(1), owner).await })
                })
                .await;
            let expected = if owner == "node" { vec![heads[0]] } else { vec![] };
            assert_eq!(claim(&store, "third", START, 10).await, expected);
        }
    }

    async fn attempts_are_numbered_and_end_once(store: TestStore) {
        let office = two_lanes(&store).await;
        for number in 1..=3 {
            let head = claim(&store, "node", START, 1).await[0];
            assert_eq!(start(&store, "node", head, START).await, Some(number));
            for outcome in ["retry", "done"] {
                store
                    .system(move |tx| {
                        Box::pin(async move {
                            let end = AttemptEnd {
                                outcome,
                                error_code: Some("provider_unavailable".to_owned()),
                                ..DONE
                            };
                            tx.db().end_attempt(head, number, &end, START).await
                        })
                    })
                    .await;
            }
            assert!(settle(&store, "node", head, DeliveryState::Pending, Some(START)).await);
        }
        let mut reader = store.reader().await.unwrap();
        let attempts = reader.db().attempts_of(&[1, 2]).await.unwrap();
        let told: Vec<_> =
            attempts.iter().map(|(id, a)| (*id, a.number, a.outcome.as_deref())).collect();
        assert_eq!(told, [(1, 1, Some("retry")), (1, 2, Some("retry")), (1, 3, Some("retry"))]);
        let state = DeliveryState::Pending;
        let found = reader.db().deliveries(office.company, state, Some(3), 10).await.unwrap();
        let found: Vec<_> = found.iter().map(|d| (d.id.0, d.attempts)).collect();
        assert_eq!(found, [(2, 0), (1, 3)], "latest first, below the cursor");
    }

    async fn pruning_takes_what_ended_well_long_ago_with_its_attempts(store: TestStore) {
        two_lanes(&store).await;
        let heads = claim(&store, "node", START, 10).await;
        for head in &heads {
            start(&store, "node", *head, START).await.unwrap();
        }
        assert!(settle(&store, "node", heads[0], DeliveryState::Done, None).await);
        assert!(settle(&store, "node", heads[1], DeliveryState::Dead, None).await);
        let prune = |before: Timestamp| {
            store.system(move |tx| {
                Box::pin(async move { tx.db().prune_deliveries(before, 100).await })
            })
        };
        assert_eq!(prune(START).await, 0);
        assert_eq!(prune(START.plus_seconds(1)).await, 1);
        let mut reader = store.reader().await.unwrap();
        assert!(reader.db().delivery(heads[0]).await.unwrap().is_none());
        let left: Vec<i64> =
            reader.db().attempts_of(&[1, 3]).await.unwrap().iter().map(|(id, _)| *id).collect();
        assert_eq!(left, [3], "a dead letter stays");
        let counts: HashMap<String, i64> =
            reader.db().delivery_counts().await.unwrap().into_iter().collect();
        assert_eq!(counts, HashMap::from([("pending".to_owned(), 3), ("dead".to_owned(), 1)]));
    }

    async fn many_claimers_make_each_delivery_once_and_each_lane_in_order(store: TestStore) {
        const LANES: i64 = 12;
        const MANY: i64 = 240;
        let office = store.office("a").await;
        let mut deliveries = Vec::new();
        for n in 0..MANY {
            let mut delivery = new_delivery(office.company, &format!("lane {}", n % LANES), "t");
            delivery.subject_id = n;
            deliveries.push(delivery);
        }
        enqueue(&store, &office, deliveries).await;
        // PostgreSQL: two nodes. SQLite has one, with several hands.
        let second = if store.is_postgres() { Some(store.open_again(|_| {}).await) } else { None };
        let worker = |n: usize| {
            let node = match &second {
                Some(second) if n % 2 == 1 => second,
                _ => &store.store,
            };
            async move {
                let owner = format!("worker {n}");
                let mut made = Vec::new();
                loop {
                    let claimed = claim(node, &owner, START, 5).await;
                    for id in &claimed {
                        made.push(*id);
                        assert!(settle(node, &owner, *id, DeliveryState::Done, None).await);
                    }
                    let mut reader = node.reader().await.unwrap();
                    let open = reader.db().delivery_counts().await.unwrap();
                    if open.is_empty() {
                        return made;
                    }
                }
            }
        };
        let made = within_seconds(60, "the queue", join_all((0..4).map(worker))).await;
        let made: Vec<i64> = made.concat().iter().map(|id| id.0).collect();
        assert_eq!(made.len() as i64, MANY, "each once");
        assert_eq!(made.iter().collect::<HashSet<_>>().len() as i64, MANY);
        if let Some(second) = second {
            second.close().await;
        }
    }
}
