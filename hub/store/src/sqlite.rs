//! The embedded engine: types, transaction words and dialect of SQLite, and the shared queries over them.

use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{StoreError, StoreOptions};

pub type Conn = sqlx::SqliteConnection;
pub type Pool = sqlx::SqlitePool;

/// A single writer: the whole database has one write lock.
pub const WRITERS: usize = 1;
/// IMMEDIATE: takes the write lock now, instead of failing in the middle of the transaction.
pub const BEGIN: &str = "BEGIN IMMEDIATE";
pub const COMMIT: &str = "COMMIT";
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/sqlite");

/// The words of SQL in which SQLite differs.
pub mod dialect {
    /// A list of ids as one parameter.
    pub type Ids = String;

    pub fn ids(ids: &[i64]) -> Ids {
        serde_json::to_string(ids).unwrap_or_else(|_| "[]".to_owned())
    }

    /// `IN` over the list in parameter `n`.
    pub fn in_ids(n: usize) -> String {
        format!("IN (SELECT value FROM json_each(${n}))")
    }

    /// The JSON array of objects in parameter `n` as rows `r` with these columns.
    ///
    /// `columns` are `(name, PostgreSQL type)`; SQLite takes the type from the JSON value.
    pub fn rows(n: usize, columns: &[(&str, &str)]) -> String {
        use std::fmt::Write as _;
        let mut sql = String::from("(SELECT ");
        for (index, (name, _)) in columns.iter().enumerate() {
            if index > 0 {
                sql.push_str(", ");
            }
            let _ = write!(sql, "value ->> '{name}' AS {name}");
        }
        let _ = write!(sql, " FROM json_each(${n})) AS r");
        sql
    }

    /// `CROSS JOIN` forces SQLite to go through the given rows and look up each by index; left to
    /// itself the planner may scan the table instead.
    pub const FOR_EACH_JOIN: &str = "CROSS JOIN";

    /// Locks nothing: the transaction already holds the only write lock.
    pub const FOR_UPDATE: &str = "";
    pub const SKIP_LOCKED: &str = "";
    pub const TRY_LANE: Option<&str> = None;
}

pub async fn connect(options: &StoreOptions) -> Result<(Pool, Pool), StoreError> {
    let base = SqliteConnectOptions::from_str(&options.url)
        .map_err(|error| StoreError::Configuration(format!("database.url: {error}")))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(if options.synchronous_full {
            SqliteSynchronous::Full
        } else {
            SqliteSynchronous::Normal
        })
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(true)
        .statement_cache_capacity(256)
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-8000")
        .optimize_on_close(true, 1000);
    // A connection of ours cannot be lost, so none is asked whether it is still there.
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(base.clone())
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.readers)
        .test_before_acquire(false)
        // A file does not go away between two uses of it.
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(base.pragma("query_only", "TRUE"));
    Ok((writer, readers))
}

#[path = "queries/mod.rs"]
pub mod queries;
