//! The engine for more than one node: types, transaction words and dialect of PostgreSQL, and the
//! shared queries over them.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, Executor as _};

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
/// How long a connection that lay idle is taken for alive without being asked.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/postgres");

/// The words of SQL in which PostgreSQL differs.
pub mod dialect {
    use std::borrow::Cow;

    use sqlx::postgres::{PgArguments, PgRow, Postgres};
    use sqlx::query::Query;
    use sqlx::{AssertSqlSafe, FromRow};

    use super::Conn;
    use crate::StoreError;
    use crate::given::{GivenRow, Kind, Value, columns};

    /// A list of ids as one parameter.
    pub type Ids = Vec<i64>;

    pub fn ids(ids: &[i64]) -> Ids {
        ids.to_vec()
    }

    /// `IN` over the list in parameter `n`.
    pub fn in_ids(n: usize) -> String {
        format!("= ANY(${n})")
    }

    /// Rows `r` of one array a column.
    fn source<G: GivenRow>() -> String {
        let arrays: Vec<String> = G::COLUMNS
            .iter()
            .enumerate()
            .map(|(index, (_, kind))| match kind {
                Kind::Integer => format!("${}::bigint[]", index + 1),
                Kind::Text => format!("${}::text[]", index + 1),
                Kind::Boolean => format!("${}::boolean[]", index + 1),
            })
            .collect();
        let names = columns::<G>(|name| format!("\"{name}\""));
        format!("unnest({}) AS r({names})", arrays.join(", "))
    }

    enum Column<'v> {
        Integer(Vec<Option<i64>>),
        Text(Vec<Option<Cow<'v, str>>>),
        Boolean(Vec<bool>),
    }

    fn bind<'q, G: GivenRow>(
        mut query: Query<'q, Postgres, PgArguments>,
        rows: &[G],
    ) -> Query<'q, Postgres, PgArguments> {
        let mut given: Vec<Column<'_>> = G::COLUMNS
            .iter()
            .map(|(_, kind)| match kind {
                Kind::Integer => Column::Integer(Vec::with_capacity(rows.len())),
                Kind::Text => Column::Text(Vec::with_capacity(rows.len())),
                Kind::Boolean => Column::Boolean(Vec::with_capacity(rows.len())),
            })
            .collect();
        for row in rows {
            let mut columns = given.iter_mut();
            row.each(|value| match (columns.next(), value) {
                (Some(Column::Integer(column)), Value::Integer(number)) => column.push(number),
                (Some(Column::Text(column)), Value::Text(text)) => column.push(text),
                (Some(Column::Boolean(column)), Value::Boolean(yes)) => column.push(yes),
                _ => unreachable!("a row gives what its columns say"),
            });
        }
        for column in given {
            query = match column {
                Column::Integer(column) => query.bind(column),
                Column::Text(column) => query.bind(column),
                Column::Boolean(column) => query.bind(column),
            };
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
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let sql = AssertSqlSafe(sql(&source::<G>()));
        let found = bind(sqlx::query(sql), rows).fetch_all(conn).await?;
        Ok(found.iter().map(R::from_row).collect::<Result<_, _>>()?)
    }

    /// Like [`fetch_given`], of a statement that answers nothing. Returns how many rows it changed.
    pub async fn execute_given<G: GivenRow>(
        conn: &mut Conn,
        rows: &[G],
        sql: impl Fn(&str) -> String + Send,
    ) -> Result<u64, StoreError> {
        let sql = AssertSqlSafe(sql(&source::<G>()));
        Ok(bind(sqlx::query(sql), rows).execute(conn).await?.rows_affected())
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
            .test_before_acquire(false)
            // One in use a moment ago is there still; asking it each time would double the round trips.
            .before_acquire(|conn, meta| {
                Box::pin(
                    async move { Ok(meta.idle_for < TRUSTED_FOR || conn.ping().await.is_ok()) },
                )
            })
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
