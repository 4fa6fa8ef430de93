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
    use sqlx::query::Query;
    use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
    use sqlx::{AssertSqlSafe, FromRow};

    use super::Conn;
    use crate::StoreError;
    use crate::given::{GivenRow, Value};

    /// Most rows of one statement: a batch of the writer at one message a job.
    const GIVEN_ROWS: usize = 256;

    /// A list of ids as one parameter.
    pub type Ids = String;

    pub fn ids(ids: &[i64]) -> Ids {
        serde_json::to_string(ids).unwrap_or_else(|_| "[]".to_owned())
    }

    /// `IN` over the list in parameter `n`.
    pub fn in_ids(n: usize) -> String {
        format!("IN (SELECT value FROM json_each(${n}))")
    }

    /// Rows `r` of so many parameters.
    ///
    /// Statements come in sizes of powers of two, so that each is prepared once; what a set does not
    /// fill is NULL, and dropped by its first column.
    fn source<G: GivenRow>(rows: usize) -> String {
        let names: Vec<String> = G::COLUMNS
            .iter()
            .enumerate()
            .map(|(index, (name, _))| format!("column{} AS \"{name}\"", index + 1))
            .collect();
        let row = format!("({})", vec!["?"; G::COLUMNS.len()].join(","));
        let rows = vec![row; rows.next_power_of_two()].join(",");
        format!("(SELECT {} FROM (VALUES {rows}) WHERE column1 IS NOT NULL) AS r", names.join(", "))
    }

    fn bind<'q, G: GivenRow>(
        mut query: Query<'q, Sqlite, SqliteArguments>,
        rows: &[G],
    ) -> Query<'q, Sqlite, SqliteArguments> {
        for row in rows {
            row.each(|value| {
                let bound = std::mem::replace(&mut query, sqlx::query(""));
                query = match value {
                    Value::Integer(number) => bound.bind(number),
                    Value::Text(text) => bound.bind(text.map(std::borrow::Cow::into_owned)),
                    Value::Boolean(yes) => bound.bind(yes),
                };
            });
        }
        for _ in rows.len() * G::COLUMNS.len()..rows.len().next_power_of_two() * G::COLUMNS.len() {
            query = query.bind(None::<i64>);
        }
        query
    }

    /// Runs the statement that `sql` makes over the source of the rows, which it knows as `r`.
    pub async fn fetch_given<G, R>(
        conn: &mut Conn,
        rows: &[G],
        sql: impl Fn(&str) -> String + Send,
    ) -> Result<Vec<R>, StoreError>
    where
        G: GivenRow,
        R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let mut found = Vec::with_capacity(rows.len());
        for rows in rows.chunks(GIVEN_ROWS) {
            let sql = AssertSqlSafe(sql(&source::<G>(rows.len())));
            for row in bind(sqlx::query(sql), rows).fetch_all(&mut *conn).await? {
                found.push(R::from_row(&row)?);
            }
        }
        Ok(found)
    }

    /// Like [`fetch_given`], of a statement that answers nothing. Returns how many rows it changed.
    pub async fn execute_given<G: GivenRow>(
        conn: &mut Conn,
        rows: &[G],
        sql: impl Fn(&str) -> String + Send,
    ) -> Result<u64, StoreError> {
        let mut changed = 0;
        for rows in rows.chunks(GIVEN_ROWS) {
            let sql = AssertSqlSafe(sql(&source::<G>(rows.len())));
            changed += bind(sqlx::query(sql), rows).execute(&mut *conn).await?.rows_affected();
        }
        Ok(changed)
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
        // Pages, 16 MiB: what many commits change is moved into the file once.
        .pragma("wal_autocheckpoint", "4000")
        .optimize_on_close(true, 1000);
    // A connection of ours cannot be lost, so none is asked whether it is still there.
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(base.clone())
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.readers)
        // A file does not go away between two uses of it.
        .test_before_acquire(false)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(base.pragma("query_only", "TRUE"));
    Ok((writer, readers))
}

#[path = "queries/mod.rs"]
pub mod queries;
