//! The chat list: what each filter shows, to whom, and page by page.

use std::collections::{HashMap, HashSet};

use hub_domain::conversation::ReadMarker;
use hub_domain::{Conversation, ConversationId, ConversationState, Scope, Visibility};
use hub_store::records::{ConversationCounts, ConversationFilter, ConversationPage};

use crate::harness::{Office, TestStore, incoming, on_both_engines};

async fn list(store: &TestStore, scope: &Scope, page: ConversationPage) -> Vec<Conversation> {
    store.reader().await.unwrap().db().conversations(scope, &page).await.unwrap()
}

async fn ids(store: &TestStore, scope: &Scope, filter: ConversationFilter) -> Vec<ConversationId> {
    let page = ConversationPage { filter, limit: 1000, ..ConversationPage::default() };
    list(store, scope, page).await.iter().map(|conversation| conversation.id).collect()
}

async fn counts(store: &TestStore, scope: &Scope) -> ConversationCounts {
    store.reader().await.unwrap().db().conversation_counts(scope).await.unwrap()
}

/// Conversations in every combination of state, assignee and what waits, on two channels.
async fn every_kind(store: &TestStore) -> (Office, Office) {
    let office = store.office("a").await;
    let second = Office { channel: store.channel(office.company, "second bot").await, ..office };
    let colleague = store.member(office.company, "phone of a colleague").await;
    let mut n = 0;
    for channel in [office.channel, second.channel] {
        for state in [ConversationState::Open, ConversationState::Archived] {
            for assignee in [None, Some(office.member), Some(colleague)] {
                for unanswered in [0, 3] {
                    n += 1;
                    let client = format!("client {n}");
                    let (_, id) = store.take(office.company, incoming(channel, &client, 1)).await;
                    store
                        .job(office.company, move |tx| {
                            Box::pin(async move {
                                let mut db = tx.db();
                                let found = db.conversation_of_company(office.company, id).await?;
                                let mut conversation = found.unwrap();
                                conversation.state = state;
                                conversation.assignee_id = assignee;
                                conversation.unanswered_count = unanswered;
                                tx.db().save_conversation(&conversation).await
                            })
                        })
                        .await;
                }
            }
        }
    }
    // Somebody else's, which must show up nowhere.
    let other = store.office("b").await;
    store.take(other.company, incoming(other.channel, "client of b", 1)).await;
    (office, second)
}

on_both_engines! {
    async fn each_filter_shows_what_it_says_latest_first(store: TestStore) {
        let (office, _) = every_kind(&store).await;
        let scope = office.sees_all();
        let page = ConversationPage {
            filter: ConversationFilter::All,
            limit: 1000,
            ..ConversationPage::default()
        };
        let all = list(&store, &scope, page).await;
        assert_eq!(all.len(), 24);
        assert!(all.windows(2).all(|pair| pair[0].activity > pair[1].activity));
        for (name, filter) in ConversationFilter::NAMES {
            let open = |c: &Conversation| c.state == ConversationState::Open;
            let expected: Vec<ConversationId> = all
                .iter()
                .filter(|c| match filter {
                    ConversationFilter::All => true,
                    ConversationFilter::Open => open(c),
                    ConversationFilter::Mine => open(c) && c.assignee_id == Some(office.member),
                    ConversationFilter::Unassigned => open(c) && c.assignee_id.is_none(),
                    ConversationFilter::Unanswered => open(c) && c.unanswered_count > 0,
                    ConversationFilter::Archived => !open(c),
                })
                .map(|c| c.id)
                .collect();
            assert!(!expected.is_empty());
            assert_eq!(ids(&store, &scope, filter).await, expected, "{name}");
        }
    }

    async fn counts_equal_the_lists_whatever_the_member_sees(store: TestStore) {
        let (office, second) = every_kind(&store).await;
        for visibility in [
            Visibility::All,
            Visibility::Channels(vec![second.channel]),
            Visibility::Channels(vec![office.channel, second.channel]),
            Visibility::Channels(Vec::new()),
        ] {
            let scope = office.scope(visibility);
            let counts = counts(&store, &scope).await;
            for (filter, count) in [
                (ConversationFilter::Open, counts.open),
                (ConversationFilter::Mine, counts.mine),
                (ConversationFilter::Unassigned, counts.unassigned),
                (ConversationFilter::Unanswered, counts.unanswered),
                (ConversationFilter::Archived, counts.archived),
            ] {
                let shown = ids(&store, &scope, filter).await.len() as i64;
                assert_eq!(shown, count, "{filter:?} for {:?}", scope.visibility);
            }
        }
    }

    async fn a_narrowed_member_meets_no_conversation_of_a_hidden_channel_anywhere(store: TestStore) {
        let (office, second) = every_kind(&store).await;
        let scope = office.scope(Visibility::Channels(vec![second.channel]));
        let page = ConversationPage {
            filter: ConversationFilter::All,
            limit: 1000,
            ..ConversationPage::default()
        };
        let all = list(&store, &office.sees_all(), page.clone()).await;
        let seen = list(&store, &scope, page.clone()).await;
        assert_eq!(seen.len(), 12);
        let mut reader = store.reader().await.unwrap();
        for conversation in all {
            let visible = conversation.channel_id == second.channel;
            assert_eq!(seen.contains(&conversation), visible);
            let one = reader.db().conversation(&scope, conversation.id).await.unwrap();
            assert_eq!(one.is_some(), visible);
        }
        // Not even when asked for by the channel.
        for (channel, expected) in [(office.channel, 0), (second.channel, 12)] {
            let page = ConversationPage { channel_id: Some(channel), ..page.clone() };
            assert_eq!(list(&store, &scope, page).await.len(), expected);
        }
        let channels = reader.db().channels(&scope).await.unwrap();
        assert_eq!(channels.iter().map(|c| c.id).collect::<Vec<_>>(), [second.channel]);
    }

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

    async fn pages_repeat_nothing_and_skip_nothing_while_conversations_move(store: TestStore) {
        const MANY: i64 = 40;
        let office = store.office("a").await;
        let mut clients = HashMap::new();
        for n in 0..MANY {
            let client = format!("client {n}");
            let (_, id) = store.take(office.company, incoming(office.channel, &client, 1)).await;
            clients.insert(id, client);
        }
        let mut moved = HashSet::new();
        let mut seen = Vec::new();
        let mut before_activity = None;
        let mut ordinal = 1;
        loop {
            let filter = ConversationFilter::Unanswered;
            let page =
                ConversationPage { filter, before_activity, limit: 7, ..ConversationPage::default() };
            let page = list(&store, &office.sees_all(), page).await;
            let Some(last) = page.last() else { break };
            before_activity = Some(last.activity);
            seen.extend(page.iter().map(|conversation| conversation.id));
            // One that was shown and one that was not move to the top.
            ordinal += 1;
            let shown = page[0].id;
            let waiting = clients.keys().filter(|id| !seen.contains(id)).min().copied();
            for id in [Some(shown), waiting].into_iter().flatten() {
                let message = incoming(office.channel, &clients[&id], ordinal);
                store.take(office.company, message).await;
                moved.insert(id);
            }
        }
        let distinct: HashSet<_> = seen.iter().copied().collect();
        assert_eq!(distinct.len(), seen.len(), "nothing is shown twice");
        for id in clients.keys() {
            assert!(distinct.contains(id) || moved.contains(id), "{id} was skipped");
        }
        // What moved ahead of the reader is at the top of a new list.
        let top = ids(&store, &office.sees_all(), ConversationFilter::Unanswered).await;
        let top: HashSet<_> = top[..moved.len()].iter().copied().collect();
        assert_eq!(top, moved);
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
