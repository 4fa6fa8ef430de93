//! No query that is asked all the time reads a whole table.
//!
//! The statements are those that the store sends, taken from the driver's log; the engine is asked how
//! it would run them on tables of some size.

use std::fmt::Debug;
use std::sync::{Mutex, OnceLock, PoisonError};

use hub_domain::delivery::DeliveryState;
use hub_domain::{ChatOrder, ConversationId, MessageId, Timestamp, terms};
use hub_store::records::{
    AssigneeFilter, ClaimRequest, ContactSearch, ConversationFilter, ConversationPage,
    ConversationQuery, ListPart, MessageKey,
};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use crate::harness::{Office, START, TestStore, incoming, on_both_engines};

static STATEMENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Listener;

impl<S: tracing_subscriber::registry::LookupSpan<'static> + tracing::Subscriber> Layer<S>
    for Listener
{
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            let mut statement = Statement::default();
            event.record(&mut statement);
            let text = if statement.text.is_empty() { statement.summary } else { statement.text };
            STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
    }
}

#[derive(Default)]
struct Statement {
    summary: String,
    text: String,
}

impl tracing::field::Visit for Statement {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        match field.name() {
            "summary" => value.trim().clone_into(&mut self.summary),
            "db.statement" => value.trim().clone_into(&mut self.text),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn Debug) {}
}

fn listen() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Listener))
            .expect("nobody else listens");
    });
}

/// The statements with these words, each once, as they were first sent, in the words of this store's
/// engine.
fn statements(store: &TestStore, words: &str) -> Vec<String> {
    let foreign: &[&str] =
        if store.is_postgres() { &["json_each"] } else { &["ANY(", "SKIP LOCKED", "jsonb_"] };
    let statements = STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // What we ask about a statement contains it.
    let ours = |sql: &str| sql.starts_with("EXPLAIN") || sql.starts_with("PREPARE");
    let mut found: Vec<String> = Vec::new();
    for sql in statements.iter().filter(|sql| plain(sql).contains(words) && !ours(sql)) {
        if !foreign.iter().any(|word| sql.contains(word)) && !found.contains(sql) {
            found.push(sql.clone());
        }
    }
    assert!(!found.is_empty(), "nothing like {words} among {statements:#?}");
    found
}

fn statement(store: &TestStore, words: &str) -> String {
    statements(store, words).swap_remove(0)
}

/// Arguments of a page of the chat list, and of its counts.
const OF_A_LIST: &str = "1, 1, true, '{}', 19000, 1, 1, 20000, 50";
const OF_COUNTS: &str = "1, 1, true, '{}', 19000, 1, 1";

const NUMBERS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";

/// Ten companies with 2,000 conversations each; 20,000 deliveries, of which a few hundred are due;
/// 20,000 messages with a file each.
async fn fill(store: &TestStore) -> Office {
    let mut offices = Vec::new();
    for n in 0..10 {
        offices.push(store.office(&format!("company {n}")).await);
    }
    let first = offices[0];
    for sql in [
        "INSERT INTO contacts (id, company_id, name, created_at) SELECT 100 + i, 1 + i % 10, 'name', 0 FROM n",
        "INSERT INTO widget_visitors (channel_id, visitor_id, company_id, number, user_agent, created_at, changed_at)
         SELECT 1 + i % 10, CAST(i AS TEXT), 1 + i % 10, i, '', 0, 0 FROM n",
        "INSERT INTO contact_terms (contact_id, company_id, term) SELECT 100 + i, 1 + i % 10, 'name' || (i % 100) FROM n",
        "INSERT INTO contact_identities (id, company_id, channel_id, contact_id, external_id, chat_id, created_at)
         SELECT 100 + i, 1 + i % 10, 1 + i % 10, 100 + i, CAST(i AS TEXT), 'chat', 0 FROM n",
        "INSERT INTO conversations (id, company_id, channel_id, contact_id, identity_id, state, assignee_id,
             unanswered_count, activity, last_message_at, version, created_at)
         SELECT 100 + i, 1 + i % 10, 1 + i % 10, 100 + i, 100 + i, CASE WHEN i % 7 = 0 THEN 'archived' ELSE 'open' END,
             CASE WHEN i % 50 = 0 THEN 1 + i % 10 END, CASE WHEN i % 20 = 0 THEN 1 ELSE 0 END, i, i, i, 0 FROM n",
        "INSERT INTO messages (company_id, channel_id, conversation_id, direction, external_id, content,
             \"position\", ordinal, sent_at, version, created_at)
         SELECT 1 + i % 10, 1 + i % 10, 101 + i % 500, 'incoming', CAST(i AS TEXT), '{\"kind\":\"text\",\"text\":\"\"}',
             i, i, 0, i, 0 FROM n",
        "INSERT INTO attachments (company_id, channel_id, message_id, kind, state, created_at)
         SELECT 1 + i % 10, 1 + i % 10, i, 'photo', 'ready', 0 FROM n",
        "INSERT INTO deliveries (company_id, kind, lane, target, subject_id, payload, state, not_before, created_at)
         SELECT 1 + i % 10, 'send_message', 'lane ' || (i % 2000), 'target ' || (i % 10), i, '{}',
             CASE WHEN i % 97 = 0 THEN 'pending' WHEN i % 499 = 0 THEN 'in_flight' ELSE 'done' END, i, 0 FROM n",
        "INSERT INTO events (company_id, \"offset\", event_type, at, payload)
         SELECT 1 + i % 10, i, 'message_received', i, '{}' FROM n",
    ] {
        let place = sql.find(" SELECT").or(sql.find("\n         SELECT")).unwrap();
        let sql = if store.is_postgres() {
            format!("{NUMBERS} {sql}")
        } else {
            // SQLite wants the numbers beside the SELECT.
            format!("{} {NUMBERS} {}", &sql[..place], &sql[place..])
        };
        store.execute(sql).await;
    }
    first
}

/// Each section of the chat list, as it is and narrowed.
fn queries(office: Office, since: Timestamp) -> Vec<ConversationQuery> {
    let mut queries = Vec::new();
    for (_, filter) in ConversationFilter::NAMES {
        let section =
            ConversationQuery { active_since: since, ..ConversationQuery::of(filter, START) };
        queries.extend([
            ConversationQuery { channels: vec![office.channel], ..section.clone() },
            ConversationQuery { unanswered: true, ..section.clone() },
            ConversationQuery { assignee: Some(AssigneeFilter::Me), ..section.clone() },
            ConversationQuery { assignee: Some(AssigneeFilter::Somebody), ..section.clone() },
            ConversationQuery { assignee: Some(AssigneeFilter::Nobody), ..section.clone() },
            section,
        ]);
    }
    queries
}

/// Asks everything once, so that the statements are known.
async fn ask_everything(store: &TestStore, office: Office) {
    let mut reader = store.reader().await.unwrap();
    let mut db = reader.db();
    let scope = office.sees_all();
    // Few conversations are active since the end of time, many since its beginning.
    for since in [Timestamp(0), Timestamp(i64::MAX)] {
        for query in queries(office, since) {
            db.conversation_counts(&scope, &query).await.unwrap();
            for order in ChatOrder::ALL {
                for part in [ListPart::Top, ListPart::Above(0)] {
                    let page = ConversationPage { query: query.clone(), order, part, limit: 50 };
                    db.conversations(&scope, &page).await.unwrap();
                }
            }
        }
    }
    for text in ["name1", "name1 na"] {
        let search = ContactSearch { terms: terms::asked(text), after: None, limit: 20 };
        db.search_contacts(&scope, &search).await.unwrap();
    }
    db.conversations_of_contacts(&scope, &[101, 102]).await.unwrap();
    db.contacts_with_phone(office.company, "79261234567", 20).await.unwrap();
    db.contacts_to_index(0, 1000).await.unwrap();
    db.messages_before(ConversationId(101), MessageKey::END, 50).await.unwrap();
    db.messages_after(ConversationId(101), MessageKey::START, 50).await.unwrap();
    db.position_of_late(ConversationId(101), 1000).await.unwrap();
    db.unanswered_after(ConversationId(101), MessageKey::START, 1000).await.unwrap();
    db.events_after(office.company, 0, 100, 100).await.unwrap();
    db.expired_deliveries(START, 100).await.unwrap();
    db.next_due(START).await.unwrap();
    db.deliveries(office.company, DeliveryState::Dead, None, 50).await.unwrap();
    db.delivery_of_subject(1, "send_message").await.unwrap();
    db.deliveries_of_message(office.company, MessageId(1), 50).await.unwrap();
    db.delivery_subjects(&[1, 2]).await.unwrap();
    db.delivery_counts_of_company(office.company).await.unwrap();
    db.read_markers(office.member, &[1, 2]).await.unwrap();
    drop(reader);
    store
        .system(move |tx| {
            Box::pin(async move {
                let now = START;
                let owner = "node".to_owned();
                let request = ClaimRequest { owner, now, lease_until: now, limit: 1 };
                tx.db().claim_candidates(&request).await
            })
        })
        .await;
    store.take(office.company, incoming(office.channel, "kate", 1)).await;
}

/// Words of a statement, and arguments of the usual size.
const ASKED: &[(&str, &str)] = &[
    ("FROM deliveries d WHERE d.state = 'pending' AND d.not_before <=", "20000, 64"),
    ("FROM deliveries d WHERE d.state = 'in_flight' AND d.lease_until", "20000, 100"),
    ("SELECT MIN(not_before) FROM deliveries", "20000"),
    ("FROM deliveries d WHERE d.company_id = $1 AND d.state = $2", "1, 'dead', 20000, 50"),
    ("FROM deliveries d WHERE d.subject_id = $1", "1, 'send_message'"),
    ("FROM deliveries d WHERE d.company_id = $1 AND d.id IN", "1, 1, 50"),
    ("FROM deliveries WHERE company_id = $1 AND state IN", "1"),
    (
        "FROM messages WHERE conversation_id = $1 AND (\"position\", ordinal, id) < (",
        "101, 20000, 0, 0, 50",
    ),
    (
        "FROM messages WHERE conversation_id = $1 AND (\"position\", ordinal, id) > ($2, $3, $4) ORDER",
        "101, 0, 0, 0, 50",
    ),
    ("FROM messages WHERE conversation_id = $1 AND ordinal > $2", "101, 1000"),
    ("FROM messages WHERE conversation_id = $1 AND ordinal > 0 AND ordinal < $2", "101, 1000"),
    ("SELECT COUNT(*), MIN(created_at) FROM messages", "101, 0, 0, 0, 1000"),
    ("FROM events WHERE company_id = $1", "1, 0, 100, 100"),
    ("LIMIT $4) AS r", "1, 'name1', 'name1z', 2000"),
    ("w.channel_id", "1, 'name1', 'name1z', '', 0, true, '{}', 20"),
    ("o.contact_id = t.contact_id", "1, 'name1', 'name1z', '', 0, true, '{}', 20, 'na', 'naz'"),
    ("FROM contact_identities i JOIN contacts p", "1, '{101,102}', true, '{}'"),
    ("t.term = $2 AND p.phone = $2", "1, '79261234567', 20"),
    ("FROM contacts p WHERE p.id > $1", "0, 1000"),
    ("SELECT DISTINCT contact_id FROM contact_terms", "'{101}'"),
    ("FROM contacts p LEFT JOIN contact_identities i", "'{101}'"),
    ("DELETE FROM contact_terms", "'{101}'"),
    ("AS identity_external_id", "'{1}', '{kate}'"),
    ("SELECT m.channel_id, m.external_id, m.id, m.conversation_id", "'{1}', '{kate}'"),
    (
        "UPDATE conversations SET state = r.state",
        "'{101}', '{open}', '{1}', '{null}', '{1}', '{1}', '{null}', '{1}', '{1}', '{1}', '{1}', '{t}', '{1}', '{1}'",
    ),
    ("FROM read_markers", "1, '{1,2}'"),
];

/// What only PostgreSQL is asked.
const ASKED_OF_POSTGRES: &[(&str, &str)] = &[
    ("SELECT d.id FROM deliveries d WHERE d.id = ANY($1) AND pg_try", "'{1,2}'"),
    ("SELECT d.id FROM deliveries d WHERE d.id = ANY($1) AND NOT EXISTS", "'{1,2}'"),
];

/// A step that goes through a whole table of ours.
fn reads_a_whole_table(step: &str) -> bool {
    let step = step.trim();
    if let Some(scanned) = step.strip_prefix("SCAN ") {
        // Lists of given values, and what another step has made, are short.
        let name = scanned.split(' ').next().unwrap_or_default();
        return !["r", "json_each", "CONSTANT"].contains(&name) && !name.starts_with('(');
    }
    step.contains("Seq Scan on ")
        && !step.contains("Seq Scan on targets")
        && !step.contains("Seq Scan on read_markers")
}

on_both_engines! {
    async fn queries_asked_all_the_time_use_an_index(store: TestStore) {
        listen();
        let office = fill(&store).await;
        ask_everything(&store, office).await;
        // As on a young database, then with what the engine has learned of its tables.
        let mut slow = Vec::new();
        for learned in [false, true] {
            if learned || store.is_postgres() {
                store.execute("VACUUM").await;
                store.execute("ANALYZE").await;
            }
            let of_engine = if store.is_postgres() { ASKED_OF_POSTGRES } else { &[] };
            let named = ASKED.iter().chain(of_engine);
            let named = named.map(|(words, arguments)| (statement(&store, words), *arguments));
            let lists = statements(&store, "FROM conversations c").into_iter();
            let lists = lists.filter(|sql| sql.contains("$2 >= 0")).map(|sql| {
                let page = sql.contains("LIMIT $9");
                (sql, if page { OF_A_LIST } else { OF_COUNTS })
            });
            let asked: Vec<_> = named.chain(lists).collect();
            assert!(asked.len() > ASKED.len() + 100, "every list is asked for");
            for (sql, arguments) in asked {
                let plan = store.plan(&sql, arguments).await;
                assert!(!plan.is_empty(), "{sql}");
                if plan.iter().any(|step| reads_a_whole_table(step)) {
                    slow.push(format!("learned: {learned}\n{sql}\n{}\n", plan.join("\n")));
                }
            }
        }
        assert!(slow.is_empty(), "{}", slow.join("\n"));
    }

    async fn filters_that_find_little_do_not_go_through_what_others_find(store: TestStore) {
        listen();
        let office = fill(&store).await;
        ask_everything(&store, office).await;
        for learned in [false, true] {
            if learned || store.is_postgres() {
                store.execute("VACUUM").await;
                store.execute("ANALYZE").await;
            }
            for (words, index) in [
                ("c.activity < $8 AND c.state = 'open' AND c.assignee_id = $2 AND ($3", "conversations_assignee"),
                ("c.activity < $8 AND c.state = 'archived' AND c.assignee_id = $2 AND ($3", "conversations_assignee"),
                ("c.activity < $8 AND c.state = 'open' AND c.unanswered_count > 0 AND ($3", "conversations_unanswered"),
                ("c.activity < $8 AND c.state = 'archived' AND ($3", "conversations_state"),
                ("FROM (SELECT id AS active_id", "conversations_last_message"),
                ("c.id < $8 AND c.state = 'archived' AND ($3", "conversations_created_state"),
            ] {
                let plan = store.plan(&statement(&store, words), OF_A_LIST).await;
                let named = plan.iter().any(|step| step.contains(index));
                assert!(named, "learned: {learned}, {index}:\n{}", plan.join("\n"));
            }
        }
    }
}
