//! The chat list: which conversations it shows, in which order, page by page, and what it counts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use hub_domain::conversation::ACTIVE_MS;
use hub_domain::{
    ChatOrder, Conversation, ConversationState, MemberId, Preferences, Scope, Visibility,
};
use hub_store::records::{
    AssigneeFilter, ConversationCounts, ConversationFilter, ConversationPage, ConversationQuery,
    ListPart,
};
use serde::Serialize;

use crate::harness::{Office, START, TestStore, incoming, on_both_engines};

async fn page(
    store: &TestStore,
    scope: &Scope,
    query: &ConversationQuery,
    order: ChatOrder,
    part: ListPart,
    limit: i64,
) -> Vec<Conversation> {
    let page = ConversationPage { query: query.clone(), order, part, limit };
    store.reader().await.unwrap().db().conversations(scope, &page).await.unwrap()
}

async fn list(store: &TestStore, scope: &Scope, query: &ConversationQuery) -> Vec<Conversation> {
    page(store, scope, query, ChatOrder::Activity, ListPart::Top, 1000).await
}

async fn counts(store: &TestStore, scope: &Scope, query: &ConversationQuery) -> ConversationCounts {
    store.reader().await.unwrap().db().conversation_counts(scope, query).await.unwrap()
}

struct Kinds {
    office: Office,
    /// The same with its second channel.
    second: Office,
    colleague: MemberId,
}

/// Conversations in every combination of state, assignee, what waits and age, on two channels.
async fn every_kind(store: &TestStore) -> Kinds {
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
                    let mut message = incoming(channel, &client, 1);
                    // Every third has been silent for longer than a week.
                    let age = if n % 3 == 0 { ACTIVE_MS + 1 } else { ACTIVE_MS };
                    message.message.sent_at = START.plus_millis(-age);
                    let (_, id) = store.take(office.company, message).await;
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
    Kinds { office, second, colleague }
}

/// Whether the conversation belongs to the list, said in other words than the statements say it.
fn fits(conversation: &Conversation, query: &ConversationQuery, me: MemberId) -> bool {
    let open = conversation.state == ConversationState::Open;
    let section = match query.filter {
        ConversationFilter::All => true,
        ConversationFilter::Open => open,
        ConversationFilter::Mine => open && conversation.assignee_id == Some(me),
        ConversationFilter::Unassigned => open && conversation.assignee_id.is_none(),
        ConversationFilter::Active => {
            START.millis_since(conversation.last_message.as_ref().unwrap().sent_at) <= ACTIVE_MS
        }
        ConversationFilter::Archived => !open,
    };
    let assignee = match query.assignee {
        None => true,
        Some(AssigneeFilter::Me) => conversation.assignee_id == Some(me),
        Some(AssigneeFilter::Nobody) => conversation.assignee_id.is_none(),
        Some(AssigneeFilter::Somebody) => conversation.assignee_id.is_some(),
        Some(AssigneeFilter::Member(id)) => conversation.assignee_id == Some(id),
    };
    section
        && assignee
        && (!query.unanswered || conversation.unanswered_count > 0)
        && (query.channels.is_empty() || query.channels.contains(&conversation.channel_id))
}

/// Every section with everything it can be narrowed by.
fn every_query(kinds: &Kinds) -> Vec<ConversationQuery> {
    let assignees = [
        None,
        Some(AssigneeFilter::Me),
        Some(AssigneeFilter::Nobody),
        Some(AssigneeFilter::Somebody),
        Some(AssigneeFilter::Member(kinds.colleague)),
    ];
    let (first, second) = (kinds.office.channel, kinds.second.channel);
    let mut queries = Vec::new();
    for (_, filter) in ConversationFilter::NAMES {
        for assignee in assignees {
            for unanswered in [false, true] {
                for channels in [vec![], vec![second], vec![first, second]] {
                    let section = ConversationQuery::of(filter, START);
                    queries.push(ConversationQuery { channels, assignee, unanswered, ..section });
                }
            }
        }
    }
    queries
}

/// A case for the interface, which decides by itself what an event moves in or out of a list.
#[derive(Serialize)]
struct Case {
    filter: &'static str,
    assignee: Option<String>,
    unanswered: bool,
    channels: Vec<i64>,
    by_activity: Vec<i64>,
    by_created: Vec<i64>,
    counts: BTreeMap<&'static str, i64>,
}

#[derive(Serialize)]
struct Sample {
    now: hub_domain::Timestamp,
    me: MemberId,
    conversations: Vec<Conversation>,
    cases: Vec<Case>,
}

async fn cases(store: &TestStore) -> Sample {
    let kinds = every_kind(store).await;
    let (me, scope) = (kinds.office.member, kinds.office.sees_all());
    let all = list(store, &scope, &ConversationQuery::of(ConversationFilter::All, START)).await;
    let mut cases = Vec::new();
    for query in every_query(&kinds) {
        let mut shown = Vec::new();
        for order in ChatOrder::ALL {
            let rows = page(store, &scope, &query, order, ListPart::Top, 1000).await;
            shown.push(rows.iter().map(|row| row.id.0).collect::<Vec<i64>>());
        }
        let mut expected: Vec<&Conversation> =
            all.iter().filter(|row| fits(row, &query, me)).collect();
        assert_eq!(shown[0], expected.iter().map(|row| row.id.0).collect::<Vec<_>>(), "{query:?}");
        expected.sort_by_key(|row| std::cmp::Reverse(row.id));
        assert_eq!(shown[1], expected.iter().map(|row| row.id.0).collect::<Vec<_>>(), "{query:?}");
        let counts = counts(store, &scope, &query).await;
        let (filter, _) = ConversationFilter::NAMES
            .into_iter()
            .find(|(_, filter)| *filter == query.filter)
            .expect("a name");
        let by_created = shown.pop().unwrap_or_default();
        cases.push(Case {
            filter,
            assignee: query.assignee.map(|assignee| match assignee {
                AssigneeFilter::Me => "me".to_owned(),
                AssigneeFilter::Nobody => "nobody".to_owned(),
                AssigneeFilter::Somebody => "somebody".to_owned(),
                AssigneeFilter::Member(id) => id.to_string(),
            }),
            unanswered: query.unanswered,
            channels: query.channels.iter().map(|id| id.0).collect(),
            by_activity: shown.pop().unwrap_or_default(),
            by_created,
            counts: BTreeMap::from([
                ("open", counts.open),
                ("mine", counts.mine),
                ("unassigned", counts.unassigned),
                ("active", counts.active),
                ("archived", counts.archived),
                ("unanswered", counts.unanswered),
                ("unanswered_mine", counts.unanswered_mine),
            ]),
        });
    }
    Sample { now: START, me, conversations: all, cases }
}

/// Also writes the cases for the interface.
#[tokio::test(flavor = "multi_thread")]
async fn generated_cases_of_the_chat_list_prove_every_combination_on_sqlite() {
    let cases = cases(&TestStore::on_sqlite().await).await;
    let json = serde_json::to_string(&cases).unwrap() + "\n";
    let json = json.replace("{\"filter\"", "\n{\"filter\"").replace("{\"id\":", "\n{\"id\":");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/chat-list/cases.json");
    if std::env::var_os("UZEL_REGEN").is_some() {
        std::fs::write(path, json).unwrap();
    } else {
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == json, "cases.json is stale: run `make regen`");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_combination_shows_the_same_on_postgres() {
    assert_eq!(cases(&TestStore::on_postgres().await).await.cases.len(), 180);
}

on_both_engines! {
    async fn counts_equal_the_lists_whatever_the_member_sees(store: TestStore) {
        let kinds = every_kind(&store).await;
        let (office, second) = (kinds.office, kinds.second);
        for visibility in [
            Visibility::All,
            Visibility::Channels(vec![second.channel]),
            Visibility::Channels(vec![office.channel, second.channel]),
            Visibility::Channels(Vec::new()),
        ] {
            let scope = office.scope(visibility);
            for narrowed in every_query(&kinds) {
                let counts = counts(&store, &scope, &narrowed).await;
                for (filter, unanswered, count) in [
                    (ConversationFilter::Open, narrowed.unanswered, counts.open),
                    (ConversationFilter::Mine, narrowed.unanswered, counts.mine),
                    (ConversationFilter::Unassigned, narrowed.unanswered, counts.unassigned),
                    (ConversationFilter::Active, narrowed.unanswered, counts.active),
                    (ConversationFilter::Archived, narrowed.unanswered, counts.archived),
                    (narrowed.filter, true, counts.unanswered),
                    (ConversationFilter::Mine, true, counts.unanswered_mine),
                ] {
                    let query = ConversationQuery { filter, unanswered, ..narrowed.clone() };
                    let shown = list(&store, &scope, &query).await.len() as i64;
                    assert_eq!(shown, count, "{query:?} for {:?}", scope.visibility);
                }
            }
        }
    }

    async fn a_narrowed_member_meets_no_conversation_of_a_hidden_channel_anywhere(store: TestStore) {
        let Kinds { office, second, .. } = every_kind(&store).await;
        let scope = office.scope(Visibility::Channels(vec![second.channel]));
        let every = ConversationQuery::of(ConversationFilter::All, START);
        let all = list(&store, &office.sees_all(), &every).await;
        let seen = list(&store, &scope, &every).await;
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
            let query = ConversationQuery { channels: vec![channel], ..every.clone() };
            assert_eq!(list(&store, &scope, &query).await.len(), expected);
        }
        let channels = reader.db().channels(&scope).await.unwrap();
        assert_eq!(channels.iter().map(|c| c.id).collect::<Vec<_>>(), [second.channel]);
    }

    async fn pages_go_down_and_up_again_over_the_same_rows(store: TestStore) {
        let Kinds { office, .. } = every_kind(&store).await;
        let scope = office.sees_all();
        for filter in [ConversationFilter::All, ConversationFilter::Active] {
            let query = ConversationQuery::of(filter, START);
            for order in ChatOrder::ALL {
                let whole = page(&store, &scope, &query, order, ListPart::Top, 1000).await;
                let key = |row: &Conversation| order.key_of(row);
                assert!(whole.windows(2).all(|pair| key(&pair[0]) > key(&pair[1])));
                let mut down = page(&store, &scope, &query, order, ListPart::Top, 5).await;
                while down.len() < whole.len() {
                    let edge = ListPart::Below(key(down.last().unwrap()));
                    down.extend(page(&store, &scope, &query, order, edge, 5).await);
                }
                assert_eq!(down, whole);
                let mut up = vec![whole.last().unwrap().clone()];
                loop {
                    let edge = ListPart::Above(key(&up[0]));
                    let above = page(&store, &scope, &query, order, edge, 5).await;
                    if above.is_empty() {
                        break;
                    }
                    up.splice(0..0, above);
                }
                assert_eq!(up, whole);
            }
        }
    }

    async fn an_answer_makes_a_silent_conversation_active_again(store: TestStore) {
        let office = store.office("a").await;
        let mut message = incoming(office.channel, "kate", 1);
        message.message.sent_at = START.plus_millis(-ACTIVE_MS - 1);
        let (_, id) = store.take(office.company, message).await;
        let active = ConversationQuery::of(ConversationFilter::Active, START);
        assert_eq!(list(&store, &office.sees_all(), &active).await, []);
        store.answer(&office, id, "Ещё с нами?").await;
        let shown = list(&store, &office.sees_all(), &active).await;
        assert_eq!(shown.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);
    }

    async fn many_active_ones_are_listed_as_few_are(store: TestStore) {
        let office = store.office("a").await;
        // More than are sorted, most of them without correspondence.
        for sql in [
            "INSERT INTO contacts (id, company_id, name, created_at) SELECT i, 1, 'name', 0 FROM n",
            "INSERT INTO contact_identities (id, company_id, channel_id, contact_id, external_id, chat_id, created_at)
             SELECT i, 1, 1, i, CAST(i AS TEXT), 'chat', 0 FROM n",
            "INSERT INTO conversations (id, company_id, channel_id, contact_id, identity_id, state, activity,
                 last_message_at, version, created_at)
             SELECT i, 1, 1, i, i, 'open', i, CASE WHEN i % 2 = 0 THEN 5000 ELSE 10 END, i, 0 FROM n",
        ] {
            let numbers = "(WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 4500) SELECT i FROM g) AS n";
            store.execute(&sql.replace("FROM n", &format!("FROM {numbers}"))).await;
        }
        for (since, step) in [(5000, 2), (10, 1)] {
            let query = ConversationQuery {
                active_since: hub_domain::Timestamp(since),
                ..ConversationQuery::of(ConversationFilter::Active, START)
            };
            let shown = page(&store, &office.sees_all(), &query, ChatOrder::Activity, ListPart::Below(4001), 3).await;
            let ids: Vec<i64> = shown.iter().map(|row| row.id.0).collect();
            assert_eq!(ids, [4000, 4000 - step, 4000 - 2 * step]);
        }
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
        let mut part = ListPart::Top;
        let query = ConversationQuery {
            unanswered: true,
            ..ConversationQuery::of(ConversationFilter::Open, START)
        };
        let mut ordinal = 1;
        loop {
            let page =
                page(&store, &office.sees_all(), &query, ChatOrder::Activity, part, 7).await;
            let Some(last) = page.last() else { break };
            part = ListPart::Below(last.activity);
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
        let top = list(&store, &office.sees_all(), &query).await;
        let top: HashSet<_> = top[..moved.len()].iter().map(|row| row.id).collect();
        assert_eq!(top, moved);
    }

    async fn preferences_are_each_members_own(store: TestStore) {
        let office = store.office("a").await;
        let colleague = store.member(office.company, "phone of a colleague").await;
        store
            .job(office.company, move |tx| {
                Box::pin(async move {
                    let preferences = Preferences { chat_order: ChatOrder::Created };
                    tx.db().save_preferences(office.company, colleague, preferences).await
                })
            })
            .await;
        let mut reader = store.reader().await.unwrap();
        for (member, order) in [(office.member, ChatOrder::Activity), (colleague, ChatOrder::Created)] {
            let user = reader.db().member(office.company, member).await.unwrap().unwrap().user_id;
            let held = reader.db().preferences_of_user(user).await.unwrap();
            assert_eq!(held, [(member, Preferences { chat_order: order })]);
        }
    }
}
