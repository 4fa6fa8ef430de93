//! Fills a company with conversations by SQL: a million of them by webhooks would take longer than the benchmark.
//!
//! What a filter finds is old and rare wherever it can be, which is the hard case for an index; the oldest
//! conversations are the ones assigned to us, then those that wait for an answer, then those of a second channel.

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::installation::Installation;

/// Conversations that are assigned to the administrator, wait for an answer, or belong to the second channel.
pub const RARE: i64 = 100;
const AT: i64 = 1_767_225_600_000;

/// Seeds `count` conversations into the first company. No server may run. Answers the id of the second channel.
pub async fn conversations(installation: &Installation, count: i64) -> anyhow::Result<i64> {
    let place = &installation.places[0];
    let (company, channel) = (place.company, place.channel);
    let url = &installation.database_url;
    if url.starts_with("sqlite:") {
        let mut conn = sqlx::SqliteConnection::connect(url).await?;
        conn.execute("PRAGMA synchronous = OFF").await?;
        let (second, member, other) = prepare_sqlite(&mut conn, company, channel).await?;
        let rows = format!(
            "(WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < {count}) SELECT i FROM g) AS g"
        );
        conn.execute("BEGIN").await?;
        for sql in statements(&rows, count, company, [channel, second], [member, other]) {
            conn.execute(AssertSqlSafe(sql)).await?;
        }
        conn.execute("COMMIT").await?;
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        conn.close().await?;
        return Ok(second);
    }
    let mut conn = sqlx::PgConnection::connect(url).await?;
    conn.execute("SET synchronous_commit = off").await?;
    let (second, member, other) = prepare_postgres(&mut conn, company, channel).await?;
    let rows = format!("generate_series(1, {count}) AS g(i)");
    for sql in statements(&rows, count, company, [channel, second], [member, other]) {
        conn.execute(AssertSqlSafe(sql)).await?;
    }
    for table in ["contacts", "contact_identities", "conversations", "messages"] {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
        );
        conn.execute(AssertSqlSafe(sql)).await?;
    }
    conn.execute("VACUUM ANALYZE").await?;
    // Otherwise the checkpoint falls into what is measured next.
    conn.execute("CHECKPOINT").await?;
    conn.close().await?;
    Ok(second)
}

const SECOND_CHANNEL: &str = "INSERT INTO channels (company_id, kind, name, state, state_reason, intake, external_id,
        username, capabilities, secret_sealed, webhook_secret_sealed, poll_cursor, version, created_at)
    SELECT company_id, kind, 'Second', 'disabled', 'disabled_by_administrator', intake, external_id || '-second',
        username, capabilities, secret_sealed, webhook_secret_sealed, poll_cursor, version, created_at
    FROM channels WHERE id = $1 RETURNING id";
const COLLEAGUE: &str = "INSERT INTO users (phone, name, created_at) VALUES ('79990000000', 'Colleague', $1) RETURNING id";
const COLLEAGUE_MEMBER: &str =
    "INSERT INTO members (company_id, user_id, role, version, created_at)
    VALUES ($1, $2, 'operator', 0, $3) RETURNING id";
const OURSELVES: &str = "SELECT id FROM members WHERE company_id = $1 ORDER BY id LIMIT 1";

macro_rules! prepare {
    ($name:ident, $conn:ty) => {
        /// The second channel, the administrator, a colleague.
        async fn $name(
            conn: &mut $conn,
            company: i64,
            channel: i64,
        ) -> anyhow::Result<(i64, i64, i64)> {
            let second: i64 =
                sqlx::query_scalar(SECOND_CHANNEL).bind(channel).fetch_one(&mut *conn).await?;
            let member: Option<i64> =
                sqlx::query_scalar(OURSELVES).bind(company).fetch_optional(&mut *conn).await?;
            let user: i64 = sqlx::query_scalar(COLLEAGUE).bind(AT).fetch_one(&mut *conn).await?;
            let colleague: i64 = sqlx::query_scalar(COLLEAGUE_MEMBER)
                .bind(company)
                .bind(user)
                .bind(AT)
                .fetch_one(&mut *conn)
                .await?;
            Ok((second, member.context("no administrator")?, colleague))
        }
    };
}

prepare!(prepare_sqlite, sqlx::SqliteConnection);
prepare!(prepare_postgres, sqlx::PgConnection);

/// Statements that both engines understand, over rows `g(i)`.
fn statements(
    rows: &str,
    count: i64,
    company: i64,
    [channel, second]: [i64; 2],
    [member, colleague]: [i64; 2],
) -> Vec<String> {
    let (mine, waiting, foreign) = (RARE, 2 * RARE, 3 * RARE);
    // Ours are the active ones: we have written to them lately, and none of them has answered.
    let lately = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(AT, |since| i64::try_from(since.as_millis()).unwrap_or(AT));
    let client = "CAST(100000000 + i AS TEXT)";
    // As the load calls them: its first client has the number 0.
    let name = "'Client ' || CAST(i - 1 AS TEXT)";
    let place =
        format!("CASE WHEN i > {waiting} AND i <= {foreign} THEN {second} ELSE {channel} END");
    let preview = "'{\"id\":' || CAST(i AS TEXT) || ',\"direction\":\"incoming\",\"author_member_id\":null,\
         \"status\":null,\"content_kind\":\"text\",\"text\":\"Where is my order? Where is my order?\",\
         \"attachment_kind\":null,\"deleted\":false,\"sent_at\":\"2026-01-01T00:00:00.000Z\"}'";
    let content = "'{\"kind\":\"text\",\"text\":\"Where is my order? Where is my order?\"}'";
    vec![
        format!(
            "INSERT INTO contacts (id, company_id, name, created_at) SELECT i, {company}, {name}, {AT} FROM {rows}"
        ),
        format!(
            "INSERT INTO contact_terms (contact_id, company_id, term) SELECT i, {company}, 'client' FROM {rows}"
        ),
        format!(
            "INSERT INTO contact_terms (contact_id, company_id, term)
             SELECT i, {company}, CAST(i - 1 AS TEXT) FROM {rows}"
        ),
        format!(
            "INSERT INTO contact_terms (contact_id, company_id, term) SELECT i, {company}, {client} FROM {rows}"
        ),
        format!(
            "INSERT INTO contact_identities (id, company_id, channel_id, contact_id, external_id, chat_id, username,
                 language, created_at)
             SELECT i, {company}, {place}, i, {client}, {client}, 'client_' || {client}, 'ru', {AT} FROM {rows}"
        ),
        format!(
            "INSERT INTO conversations (id, company_id, channel_id, contact_id, identity_id, state, assignee_id,
                 unanswered_count, waiting_since, activity, last_incoming_position, last_message, last_message_at,
                 last_position, last_ordinal, max_ordinal, reachable, reachable_at, version, created_at)
             SELECT i, {company}, {place}, i, i,
                 CASE WHEN i > {foreign} AND i % 5 = 0 THEN 'archived' ELSE 'open' END,
                 CASE WHEN i <= {mine} THEN {member} WHEN i % 2 = 0 THEN {colleague} ELSE NULL END,
                 CASE WHEN i > {mine} AND i <= {waiting} THEN 1 ELSE 0 END,
                 CASE WHEN i > {mine} AND i <= {waiting} THEN {AT} ELSE NULL END,
                 i, i, {preview}, CASE WHEN i <= {mine} THEN {lately} ELSE {AT} END, i, 0, 0, TRUE, 0, i, {AT}
             FROM {rows}"
        ),
        format!(
            "INSERT INTO messages (id, company_id, channel_id, conversation_id, direction, external_id, content,
                 \"position\", ordinal, sent_at, version, created_at)
             SELECT i, {company}, {place}, i, 'incoming', {client} || ':seed', {content}, i, 0, {AT}, i, {AT}
             FROM {rows}"
        ),
        // Their events are older than what the log keeps.
        format!("DELETE FROM events WHERE company_id = {company}"),
        format!(
            "UPDATE companies SET event_offset = {count}, pruned_offset = {count} WHERE id = {company}"
        ),
    ]
}
