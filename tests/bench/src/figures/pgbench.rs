//! The statements of the product's set-based ingest, run by pgbench: no HTTP, no parsing, no waiting for others.
//!
//! Works on a database that the product itself has filled, with rows taken from there, so that sizes and plans are
//! the same. As in the product, a company is written to by one connection at a time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::bench::Bench;
use crate::installation::Setup;

/// Messages of one transaction.
pub const BATCH: usize = 64;
/// The product's writers.
const CLIENTS: usize = 4;
/// Different batches of one client.
const TEMPLATES: usize = 3;

pub struct SameStatements {
    program: PathBuf,
    script: PathBuf,
    url: String,
    clients: usize,
    runs: std::cell::Cell<u64>,
}

/// `None`: pgbench is not installed.
pub async fn prepare(
    bench: &Bench,
    url: &str,
    companies: usize,
) -> anyhow::Result<Option<SameStatements>> {
    let Some(program) = find() else {
        eprintln!("  pgbench is not installed: nothing to compare with");
        return Ok(None);
    };
    let setup = Setup {
        name: format!("pgbench-{companies}"),
        database_url: url.to_owned(),
        companies,
        ..Setup::default()
    };
    let mut installation = bench.installation(setup).await?;
    let node = installation.serve()?;
    bench.warm_up(&installation.load(&[&node], 1000 / companies as u64)).await?;
    node.stop()?;
    let clients = companies.min(CLIENTS);
    let mut conn = sqlx::PgConnection::connect(url).await?;
    sqlx::query(
        "CREATE TABLE batches (id BIGINT PRIMARY KEY, companies BIGINT[] NOT NULL, keys TEXT NOT NULL,
             identities TEXT NOT NULL, messages TEXT NOT NULL, conversations TEXT NOT NULL, events TEXT NOT NULL)",
    )
    .execute(&mut conn)
    .await?;
    for client in 0..clients {
        for template in 0..TEMPLATES {
            sqlx::query(TEMPLATE)
                .bind((client * TEMPLATES + template) as i64)
                .bind(clients as i64)
                .bind(client as i64)
                .bind(BATCH as i64)
                .bind((template * BATCH) as i64)
                .execute(&mut conn)
                .await?;
        }
    }
    sqlx::query(AssertSqlSafe("VACUUM ANALYZE".to_owned())).execute(&mut conn).await?;
    conn.close().await?;
    let script = bench.folder.path().join(format!("pgbench-{companies}")).join("ingest.sql");
    std::fs::write(&script, SCRIPT)?;
    let (url, runs) = (url.to_owned(), std::cell::Cell::new(0));
    Ok(Some(SameStatements { program, script, url, clients, runs }))
}

impl SameStatements {
    /// Messages stored in a second.
    pub fn run(&self, duration: Duration) -> anyhow::Result<f64> {
        let run = self.runs.get() + 1;
        self.runs.set(run);
        let output = Command::new(&self.program)
            .args(["--no-vacuum", "--protocol=prepared", "--file"])
            .arg(&self.script)
            .arg(format!("--client={}", self.clients))
            .arg(format!("--jobs={}", self.clients.min(2)))
            .arg(format!("--time={}", duration.as_secs()))
            .arg(format!("--define=base={}", run * 1_000_000_000))
            .arg(format!("--define=templates={TEMPLATES}"))
            .arg(format!("--define=batch={BATCH}"))
            .arg(&self.url)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || text.contains("aborted") {
            bail!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        let transactions: f64 = rate.context("pgbench told no rate")?.parse()?;
        Ok(transactions * BATCH as f64)
    }
}

fn find() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin/pgbench")))
        .chain([
            Path::new("/usr/bin/pgbench").to_owned(),
            Path::new("/usr/local/bin/pgbench").to_owned(),
        ])
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop()
}

/// A batch made of conversations, messages and events that are there: $1 id, $2 clients, $3 this client, $4 how
/// many, $5 after how many.
const TEMPLATE: &str = "
WITH picked AS (
    SELECT c.*, i.external_id AS client, m.content, m.sent_at, e.event_type, e.at, e.payload,
        ROW_NUMBER() OVER (PARTITION BY c.company_id ORDER BY c.id) AS n
    FROM (SELECT * FROM conversations WHERE company_id % $2 = $3 ORDER BY id LIMIT $4 OFFSET $5) AS c
    JOIN contact_identities i ON i.id = c.identity_id
    JOIN messages m ON m.conversation_id = c.id
    JOIN events e ON e.company_id = c.company_id AND e.\"offset\" = m.version
)
INSERT INTO batches (id, companies, keys, identities, messages, conversations, events)
SELECT $1, ARRAY_AGG(DISTINCT company_id),
    JSON_AGG(JSON_BUILD_OBJECT('channel_id', channel_id, 'external_id', client || ':' || n))::TEXT,
    JSON_AGG(JSON_BUILD_OBJECT('channel_id', channel_id, 'external_id', client))::TEXT,
    JSON_AGG(JSON_BUILD_OBJECT('company_id', company_id, 'channel_id', channel_id, 'conversation_id', id,
        'direction', 'incoming', 'external_id', client || ':' || n, 'content', content, 'album_id', NULL,
        'reply_to_external_id', NULL, 'reply_to_message_id', NULL, 'reply_to_text', NULL, 'forwarded_from', NULL,
        'status', NULL, 'place', n, 'ordinal', n, 'sent_at', sent_at, 'edited_at', NULL, 'raw', NULL,
        'version', n, 'created_at', sent_at))::TEXT,
    JSON_AGG(JSON_BUILD_OBJECT('id', id, 'state', 'open', 'unanswered_count', 2, 'waiting_since', sent_at,
        'activity', n, 'last_incoming_position', n, 'last_message', last_message, 'last_position', n,
        'last_ordinal', n, 'max_ordinal', n, 'reachable', TRUE, 'reachable_at', sent_at, 'version', n))::TEXT,
    JSON_AGG(JSON_BUILD_OBJECT('company_id', company_id, 'position', n, 'event_type', event_type,
        'channel_id', channel_id, 'at', at, 'payload', payload))::TEXT
FROM picked";

/// One transaction. `base` keeps external ids, places and offsets apart; it is the only thing the product computes
/// for itself.
const SCRIPT: &str = r#"\set base :base + :batch
\set template :client_id * :templates + random(0, :templates - 1)
BEGIN;
SELECT id, epoch, event_offset, pruned_offset FROM companies
    WHERE id = ANY((SELECT companies FROM batches WHERE id = :template)::BIGINT[]) ORDER BY id FOR UPDATE;
SELECT m.channel_id, m.external_id, m.id, m.conversation_id
    FROM jsonb_to_recordset((SELECT keys FROM batches WHERE id = :template)::jsonb)
        AS r(channel_id bigint, external_id text)
    JOIN messages m ON m.channel_id = r.channel_id
        AND m.external_id = r.external_id || '-' || CAST(:base AS TEXT);
SELECT i.external_id AS identity_external_id, i.chat_id, i.id AS identity_id, c.last_position, c.last_ordinal,
        c.max_ordinal, c.reachable_at, c.id, c.company_id, c.channel_id, c.contact_id, p.name AS contact_name,
        p.phone AS contact_phone, i.username AS contact_username, p.comment AS contact_comment, c.state,
        c.assignee_id, c.unanswered_count, c.waiting_since, c.activity, c.last_incoming_position, c.last_message,
        c.reachable, c.version, c.created_at
    FROM jsonb_to_recordset((SELECT identities FROM batches WHERE id = :template)::jsonb)
        AS r(channel_id bigint, external_id text)
    JOIN contact_identities i ON i.channel_id = r.channel_id AND i.external_id = r.external_id
    JOIN conversations c ON c.identity_id = i.id
    JOIN contacts p ON p.id = c.contact_id;
INSERT INTO messages (company_id, channel_id, conversation_id, direction, external_id, content, album_id,
        reply_to_external_id, reply_to_message_id, reply_to_text, forwarded_from, status, "position", ordinal,
        sent_at, edited_at, raw, version, created_at)
    SELECT r.company_id, r.channel_id, r.conversation_id, r.direction,
        r.external_id || '-' || CAST(:base AS TEXT), r.content, r.album_id, r.reply_to_external_id,
        r.reply_to_message_id, r.reply_to_text, r.forwarded_from, r.status, r.place + CAST(:base AS BIGINT),
        r.ordinal + CAST(:base AS BIGINT), r.sent_at, r.edited_at, r.raw, r.version + CAST(:base AS BIGINT),
        r.created_at
    FROM jsonb_to_recordset((SELECT messages FROM batches WHERE id = :template)::jsonb)
        AS r(company_id bigint, channel_id bigint, conversation_id bigint, direction text, external_id text,
        content text, album_id text, reply_to_external_id text, reply_to_message_id bigint, reply_to_text text,
        forwarded_from text, status text, place bigint, ordinal bigint, sent_at bigint, edited_at bigint, raw text,
        version bigint, created_at bigint)
    RETURNING id, channel_id, external_id;
UPDATE conversations SET state = r.state, unanswered_count = r.unanswered_count, waiting_since = r.waiting_since,
        activity = r.activity + CAST(:base AS BIGINT),
        last_incoming_position = r.last_incoming_position + CAST(:base AS BIGINT), last_message = r.last_message,
        last_position = r.last_position + CAST(:base AS BIGINT),
        last_ordinal = r.last_ordinal + CAST(:base AS BIGINT), max_ordinal = r.max_ordinal + CAST(:base AS BIGINT),
        reachable = r.reachable, reachable_at = r.reachable_at, version = r.version + CAST(:base AS BIGINT)
    FROM jsonb_to_recordset((SELECT conversations FROM batches WHERE id = :template)::jsonb)
        AS r(id bigint, state text, unanswered_count bigint, waiting_since bigint, activity bigint,
        last_incoming_position bigint, last_message text, last_position bigint, last_ordinal bigint,
        max_ordinal bigint, reachable boolean, reachable_at bigint, version bigint)
    WHERE conversations.id = r.id;
INSERT INTO events (company_id, "offset", event_type, channel_id, at, payload)
    SELECT r.company_id, r.position + CAST(:base AS BIGINT), r.event_type, r.channel_id, r.at, r.payload
    FROM jsonb_to_recordset((SELECT events FROM batches WHERE id = :template)::jsonb)
        AS r(company_id bigint, position bigint, event_type text, channel_id bigint, at bigint, payload text);
UPDATE companies SET event_offset = CAST(:base AS BIGINT)
    WHERE id = ANY((SELECT companies FROM batches WHERE id = :template)::BIGINT[]);
COMMIT;
"#;
