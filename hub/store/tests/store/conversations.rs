//! Conversations and read markers.

use hub_domain::conversation::ReadMarker;

use crate::harness::{TestStore, incoming, on_both_engines};

on_both_engines! {
    async fn a_conversation_of_another_company_is_not_there(store: TestStore) {
        let (office, other) = (store.office("a").await, store.office("b").await);
        let (message, theirs) =
            store.take(other.company, incoming(other.channel, "kate", 1)).await;
        let mut reader = store.reader().await.unwrap();
        let db = &mut reader.db();
        assert_eq!(db.conversation(&office.sees_all(), theirs).await.unwrap(), None);
        assert_eq!(db.conversation_of_company(office.company, theirs).await.unwrap(), None);
        assert_eq!(db.message(office.company, message).await.unwrap(), None);
        assert_eq!(db.channel(office.company, other.channel).await.unwrap(), None);
        assert_eq!(db.member(office.company, other.member).await.unwrap(), None);
    }

    async fn a_read_marker_only_moves_forward(store: TestStore) {
        let office = store.office("a").await;
        let (_, id) = store.take(office.company, incoming(office.channel, "kate", 1)).await;
        for (position, expected) in [(5, 5), (3, 5), (5, 5), (9, 9)] {
            store
                .job(office.company, move |tx| {
                    Box::pin(async move {
                        let marker = ReadMarker {
                            conversation_id: id,
                            member_id: office.member,
                            position,
                            version: position * 10,
                        };
                        tx.db().save_read_marker(&marker).await
                    })
                })
                .await;
            let mut reader = store.reader().await.unwrap();
            let marker = reader.db().read_marker(office.member, id).await.unwrap().unwrap();
            assert_eq!((marker.position, marker.version), (expected, expected * 10));
        }
        let mut reader = store.reader().await.unwrap();
        let markers = reader.db().read_markers(office.member, &[id.0, 404]).await.unwrap();
        assert_eq!(markers.len(), 1);
    }
}
