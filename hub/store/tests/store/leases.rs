//! What only one node may do at a time.

use hub_domain::Timestamp;

use crate::harness::{START, TestStore, on_both_engines};

async fn take(store: &TestStore, owner: &str, now: Timestamp) -> Option<i64> {
    let owner = owner.to_owned();
    store
        .system(move |tx| {
            Box::pin(async move {
                tx.db().take_lease("poll:1", &owner, now, now.plus_seconds(30)).await
            })
        })
        .await
}

async fn is_held(store: &TestStore, owner: &str, fence: i64, now: Timestamp) -> bool {
    let mut reader = store.reader().await.unwrap();
    reader.db().lease_is_held("poll:1", owner, fence, now).await.unwrap()
}

on_both_engines! {
    async fn a_lease_has_one_owner_until_it_ends(store: TestStore) {
        let fence = take(&store, "first", START).await.unwrap();
        assert_eq!(take(&store, "second", START.plus_seconds(29)).await, None);
        assert!(is_held(&store, "first", fence, START.plus_seconds(29)).await);
        assert!(!is_held(&store, "first", fence, START.plus_seconds(30)).await);

        let later = take(&store, "second", START.plus_seconds(30)).await.unwrap();
        assert!(later > fence, "the fence grows with the owner");
        assert!(!is_held(&store, "first", fence, START.plus_seconds(31)).await);
        assert_eq!(take(&store, "first", START.plus_seconds(31)).await, None);
    }

    async fn an_owner_renews_a_lease_under_the_same_fence(store: TestStore) {
        let fence = take(&store, "first", START).await.unwrap();
        assert_eq!(take(&store, "first", START.plus_seconds(20)).await, Some(fence));
        assert_eq!(take(&store, "second", START.plus_seconds(40)).await, None);
        assert!(is_held(&store, "first", fence, START.plus_seconds(49)).await);
    }

    async fn a_released_lease_can_be_taken_at_once_and_only_its_owner_releases_it(store: TestStore) {
        let fence = take(&store, "first", START).await.unwrap();
        for owner in ["second", "first"] {
            let held = is_held(&store, "first", fence, START).await;
            assert!(held, "before {owner} releases");
            let owner = owner.to_owned();
            store
                .system(move |tx| {
                    Box::pin(async move { tx.db().release_lease("poll:1", &owner).await })
                })
                .await;
        }
        assert!(!is_held(&store, "first", fence, START).await);
        assert!(take(&store, "second", START).await.unwrap() > fence);
    }

    async fn of_many_who_ask_at_once_one_gets_the_lease(store: TestStore) {
        let asked = (0..20).map(|n| {
            let owner = format!("node {n}");
            let store = &store;
            async move { take(store, &owner, START).await }
        });
        let taken = futures_util::future::join_all(asked).await;
        assert_eq!(taken.into_iter().flatten().count(), 1);
    }
}
