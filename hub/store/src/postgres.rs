//! The engine for more than one node: types, transaction words and dialect of PostgreSQL, and the
//! shared queries over them.

use std::str::FromStr;
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::{StoreError, StoreOptions};

pub type Conn = sqlx::PgConnection;
pub type Pool = sqlx::PgPool;

/// Writers of one node; a company always goes to the same one.
pub const WRITERS: usize = 4;
pub const BEGIN: &str = "BEGIN";
/// PostgreSQL answers the COMMIT of a failed transaction with a ROLLBACK and no error. Any other
/// statement is refused in such a transaction, and what stands behind a refused one is not run.
pub const COMMIT: &str = "SELECT 1; COMMIT";
/// The planner takes a given list for a hundred rows and a random read for one of a spinning disk, and
/// would read a whole table for the sake of one message.
const SESSION: &str = "SET random_page_cost = 1.1";
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/postgres");

/// The words of SQL in which PostgreSQL differs.
pub mod dialect {
    /// A list of ids as one parameter.
    pub type Ids = Vec<i64>;

    pub fn ids(ids: &[i64]) -> Ids {
        ids.to_vec()
    }

    /// `IN` over the list in parameter `n`.
    pub fn in_ids(n: usize) -> String {
        format!("= ANY(${n})")
    }

    /// The JSON array of objects in parameter `n` as rows `r` with these columns.
    ///
    /// `columns` are `(name, PostgreSQL type)`.
    pub fn rows(n: usize, columns: &[(&str, &str)]) -> String {
        use std::fmt::Write as _;
        let mut sql = format!("jsonb_to_recordset(${n}::text::jsonb) AS r(");
        for (index, (name, kind)) in columns.iter().enumerate() {
            if index > 0 {
                sql.push_str(", ");
            }
            let _ = write!(sql, "{name} {kind}");
        }
        sql.push(')');
        sql
    }

    pub const FOR_EACH_JOIN: &str = "JOIN";
    pub const FOR_UPDATE: &str = "FOR UPDATE";
    pub const SKIP_LOCKED: &str = "FOR UPDATE SKIP LOCKED";
    /// Takes the lane of delivery `d` for this transaction. Never waits: whoever holds it may wait for us.
    pub const TRY_LANE: Option<&str> =
        Some("pg_try_advisory_xact_lock(hashtextextended(d.lane, 0))");
}

pub async fn connect(options: &StoreOptions) -> Result<(Pool, Pool), StoreError> {
    let base = PgConnectOptions::from_str(&options.url)
        .map_err(|error| StoreError::Configuration(format!("database.url: {error}")))?
        .statement_cache_capacity(256)
        .application_name("uzel");
    let pool = |connections| {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(|conn, _| {
                Box::pin(async move { conn.execute(SESSION).await.map(|_| ()) })
            })
    };
    let writers = pool(WRITERS as u32 + 1).connect_with(base.clone()).await?;
    let readers = pool(options.readers).connect_lazy_with(base);
    Ok((writers, readers))
}

#[path = "queries/mod.rs"]
pub mod queries;
