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
    sqlx::query(AssertSqlSafe(table())).execute(&mut conn).await?;
    for client in 0..clients {
        for template in 0..TEMPLATES {
            sqlx::query(AssertSqlSafe(batch()))
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
    std::fs::write(&script, script_text())?;
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

/// Columns of the rows that a statement is given: name, type, and where a batch takes them from.
type Columns = &'static [(&'static str, &'static str, &'static str)];

const KEYS: Columns =
    &[("channel_id", "BIGINT", "channel_id"), ("external_id", "TEXT", "client || ':' || n")];

const IDENTITIES: Columns =
    &[("channel_id", "BIGINT", "channel_id"), ("external_id", "TEXT", "client")];

const MESSAGES: Columns = &[
    ("company_id", "BIGINT", "company_id"),
    ("channel_id", "BIGINT", "channel_id"),
    ("conversation_id", "BIGINT", "id"),
    ("direction", "TEXT", "'incoming'::TEXT"),
    ("external_id", "TEXT", "client || ':' || n"),
    ("content", "TEXT", "content"),
    ("album_id", "TEXT", "NULL::TEXT"),
    ("reply_to_external_id", "TEXT", "NULL::TEXT"),
    ("reply_to_message_id", "BIGINT", "NULL::BIGINT"),
    ("reply_to_text", "TEXT", "NULL::TEXT"),
    ("forwarded_from", "TEXT", "NULL::TEXT"),
    ("status", "TEXT", "NULL::TEXT"),
    ("position", "BIGINT", "n"),
    ("ordinal", "BIGINT", "n"),
    ("sent_at", "BIGINT", "sent_at"),
    ("edited_at", "BIGINT", "NULL::BIGINT"),
    ("raw", "TEXT", "NULL::TEXT"),
    ("version", "BIGINT", "n"),
    ("created_at", "BIGINT", "sent_at"),
];

const CONVERSATIONS: Columns = &[
    ("id", "BIGINT", "id"),
    ("state", "TEXT", "'open'::TEXT"),
    ("unanswered_count", "BIGINT", "2::BIGINT"),
    ("waiting_since", "BIGINT", "sent_at"),
    ("activity", "BIGINT", "n"),
    ("last_incoming_position", "BIGINT", "n"),
    ("last_message", "TEXT", "last_message"),
    ("last_message_at", "BIGINT", "sent_at"),
    ("last_position", "BIGINT", "n"),
    ("last_ordinal", "BIGINT", "n"),
    ("max_ordinal", "BIGINT", "n"),
    ("reachable", "BOOLEAN", "TRUE"),
    ("reachable_at", "BIGINT", "sent_at"),
    ("version", "BIGINT", "n"),
];

const EVENTS: Columns = &[
    ("company_id", "BIGINT", "company_id"),
    ("offset", "BIGINT", "n"),
    ("event_type", "TEXT", "event_type"),
    ("channel_id", "BIGINT", "channel_id"),
    ("at", "BIGINT", "at"),
    ("payload", "TEXT", "payload"),
];

const ENDS: Columns = &[("id", "BIGINT", "company_id")];

/// What each statement is given, under the name it has in `batches`.
const GIVEN: [(&str, Columns); 6] = [
    ("keys", KEYS),
    ("identities", IDENTITIES),
    ("messages", MESSAGES),
    ("conversations", CONVERSATIONS),
    ("events", EVENTS),
    ("ends", ENDS),
];

/// Numbers of the log and places in a chat: moved on by each batch.
const MOVING: [&str; 8] = [
    "position",
    "ordinal",
    "version",
    "activity",
    "last_incoming_position",
    "last_position",
    "last_ordinal",
    "max_ordinal",
];

fn join<'c>(columns: Columns, each: impl Fn(&'c str, &'c str, &'c str) -> String) -> String {
    columns.iter().map(|(name, kind, from)| each(name, kind, from)).collect::<Vec<_>>().join(", ")
}

fn table() -> String {
    let arrays = GIVEN.map(|(group, columns)| {
        join(columns, |name, kind, _| format!("{group}_{name} {kind}[] NOT NULL"))
    });
    format!("CREATE TABLE batches (id BIGINT PRIMARY KEY, {})", arrays.join(", "))
}

/// A batch made of conversations, messages and events that are there: $1 id, $2 clients, $3 this client, $4 how
/// many, $5 after how many.
fn batch() -> String {
    let arrays = GIVEN.map(|(group, columns)| {
        let distinct = if group == "ends" { "DISTINCT " } else { "" };
        join(columns, |_, _, from| format!("ARRAY_AGG({distinct}{from})"))
    });
    format!(
        "WITH picked AS (
             SELECT c.*, i.external_id AS client, m.content, m.sent_at, e.event_type, e.at, e.payload,
                 ROW_NUMBER() OVER (PARTITION BY c.company_id ORDER BY c.id) AS n
             FROM (SELECT * FROM conversations WHERE company_id % $2 = $3 ORDER BY id LIMIT $4 OFFSET $5) AS c
             JOIN contact_identities i ON i.id = c.identity_id
             JOIN messages m ON m.conversation_id = c.id
             JOIN events e ON e.company_id = c.company_id AND e.\"offset\" = m.version
         )
         INSERT INTO batches SELECT $1, {} FROM picked",
        arrays.join(", ")
    )
}

/// The rows `r` of a statement, as the product gives them.
fn source(group: &str, columns: Columns) -> String {
    format!(
        "batches b CROSS JOIN LATERAL unnest({}) AS r({})",
        join(columns, |name, _, _| format!("b.{group}_{name}")),
        join(columns, |name, _, _| format!("\"{name}\"")),
    )
}

/// A column of `r` with what keeps external ids, places and offsets of batches apart; it is the only thing the
/// product computes for itself.
fn moved(name: &str) -> String {
    if MOVING.contains(&name) || name == "offset" {
        format!("r.\"{name}\" + CAST(:base AS BIGINT)")
    } else if name == "external_id" {
        "r.external_id || '-' || CAST(:base AS TEXT)".to_owned()
    } else {
        format!("r.\"{name}\"")
    }
}

fn insert(table: &str, group: &str, columns: Columns) -> String {
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM {} WHERE b.id = :template",
        join(columns, |name, _, _| format!("\"{name}\"")),
        join(columns, |name, _, _| moved(name)),
        source(group, columns),
    )
}

/// One transaction.
fn script_text() -> String {
    let sets = join(&CONVERSATIONS[1..], |name, _, _| format!("{name} = {}", moved(name)));
    format!(
        r"\set base :base + :batch
\set template :client_id * :templates + random(0, :templates - 1)
BEGIN;
SELECT id, epoch, event_offset, pruned_offset FROM companies
    WHERE id = ANY((SELECT ends_id FROM batches WHERE id = :template)::BIGINT[]) ORDER BY id FOR UPDATE;
SELECT id FROM channels
    WHERE id = ANY((SELECT keys_channel_id FROM batches WHERE id = :template)::BIGINT[]) AND deleted_at IS NOT NULL;
SELECT m.channel_id, m.external_id, m.id, m.conversation_id
    FROM {keys} JOIN messages m ON m.channel_id = r.channel_id AND m.external_id = {external_id}
    WHERE b.id = :template;
SELECT i.external_id AS identity_external_id, i.chat_id, i.id AS identity_id, c.last_position, c.last_ordinal,
        c.max_ordinal, c.reachable_at, c.id, c.company_id, c.channel_id, c.contact_id, p.name AS contact_name,
        p.named_by_member, p.phone AS contact_phone, p.phone_by_member, i.username AS contact_username, p.comment AS contact_comment, c.state,
        c.assignee_id, c.unanswered_count, c.waiting_since, c.activity, c.last_incoming_position, c.last_message,
        c.reachable, c.version, c.created_at
    FROM {identities}
    JOIN contact_identities i ON i.channel_id = r.channel_id AND i.external_id = r.external_id
    JOIN conversations c ON c.identity_id = i.id
    JOIN contacts p ON p.id = c.contact_id
    WHERE b.id = :template;
{messages} RETURNING id, channel_id, external_id;
UPDATE conversations SET {sets} FROM {conversations} WHERE b.id = :template AND conversations.id = r.id;
{events};
UPDATE companies SET event_offset = CAST(:base AS BIGINT) FROM {ends} WHERE b.id = :template AND companies.id = r.id;
COMMIT;
",
        external_id = moved("external_id"),
        keys = source("keys", KEYS),
        identities = source("identities", IDENTITIES),
        messages = insert("messages", "messages", MESSAGES),
        conversations = source("conversations", CONVERSATIONS),
        events = insert("events", "events", EVENTS),
        ends = source("ends", ENDS),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_has_the_statements_of_a_batch() {
        let script = script_text();
        assert_eq!(script.matches(";\n").count(), 10);
        assert!(script.contains("UPDATE conversations SET state = r.\"state\""));
        assert!(script.contains("r.\"offset\" + CAST(:base AS BIGINT)"));
    }
}
