//! One store over two engines: how it is opened, read and asked to write.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use hub_domain::{Clock, CompanyId, StreamPosition};
use tokio::sync::broadcast;

use crate::writer::{Tx, Writers};
use crate::{Db, StoreError, Vault, postgres, sqlite};

/// How to open a store.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// SQLite: whether a commit is on the disk when it is answered.
    pub synchronous_full: bool,
    /// Connections for reading.
    pub readers: u32,
    /// Write jobs that may wait; above it callers do.
    pub write_queue: usize,
}

impl StoreOptions {
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), synchronous_full: true, readers: 4, write_queue: 1024 }
    }
}

/// What a commit brought, for those who follow: a hint, never the news itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// The company's log reaches `offset` now.
    Events { company_id: CompanyId, offset: i64 },
    /// There are deliveries to look at.
    Deliveries,
}

#[derive(Debug, Clone)]
pub(crate) enum Pools {
    Sqlite { writer: sqlite::Pool, readers: sqlite::Pool },
    Postgres { writers: postgres::Pool, readers: postgres::Pool },
}

/// The durable truth. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pools: Pools,
    writers: Writers,
    vault: Vault,
    clock: Arc<dyn Clock>,
    commits: broadcast::Sender<Commit>,
}

impl Store {
    /// Opens the database and starts the writer. Applies no migrations: see [`Store::migrate`].
    pub async fn open(
        options: &StoreOptions,
        vault: Vault,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let pools = if options.url.starts_with("sqlite:") {
            let (writer, readers) = sqlite::connect(options).await?;
            Pools::Sqlite { writer, readers }
        } else if options.url.starts_with("postgres:") || options.url.starts_with("postgresql:") {
            let (writers, readers) = postgres::connect(options).await?;
            Pools::Postgres { writers, readers }
        } else {
            return Err(StoreError::Configuration(
                "database.url must start with sqlite: or postgres://".to_owned(),
            ));
        };
        let (commits, _) = broadcast::channel(4096);
        let writers =
            Writers::start(&pools, options.write_queue, Arc::clone(&clock), commits.clone());
        Ok(Self { inner: Arc::new(Inner { pools, writers, vault, clock, commits }) })
    }

    /// Applies the migrations that are missing.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.inner.pools {
            Pools::Sqlite { writer, .. } => sqlite::MIGRATOR.run(writer).await,
            Pools::Postgres { writers, .. } => postgres::MIGRATOR.run(writers).await,
        }
        .map_err(StoreError::Migration)
    }

    /// Names of the migrations that [`Store::migrate`] would apply.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let (migrator, applied) = match &self.inner.pools {
            Pools::Sqlite { writer, .. } => {
                let mut conn = writer.acquire().await?;
                (&sqlite::MIGRATOR, sqlite::queries::health::applied_migrations(&mut conn).await?)
            }
            Pools::Postgres { writers, .. } => {
                let mut conn = writers.acquire().await?;
                (
                    &postgres::MIGRATOR,
                    postgres::queries::health::applied_migrations(&mut conn).await?,
                )
            }
        };
        Ok(migrator
            .iter()
            .filter(|migration| !applied.contains(&migration.version))
            .map(|migration| {
                // Named after its file, whose underscores are told as spaces.
                let name = migration.description.replace(' ', "_");
                format!("{:04}_{name}", migration.version)
            })
            .collect())
    }

    /// `sqlite` or `postgres`.
    pub fn engine(&self) -> &'static str {
        match &self.inner.pools {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres { .. } => "postgres",
        }
    }

    /// Whether this process is the only one on the database.
    pub fn is_embedded(&self) -> bool {
        matches!(self.inner.pools, Pools::Sqlite { .. })
    }

    pub fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Tells of every commit of this node from now on. A receiver that lags misses hints, not data.
    pub fn commits(&self) -> broadcast::Receiver<Commit> {
        self.inner.commits.subscribe()
    }

    /// A connection to read with.
    pub async fn reader(&self) -> Result<Reader, StoreError> {
        Ok(match &self.inner.pools {
            Pools::Sqlite { readers, .. } => Reader::Sqlite(readers.acquire().await?),
            Pools::Postgres { readers, .. } => Reader::Postgres(readers.acquire().await?),
        })
    }

    /// Runs `job` in a transaction for `company`, whose row is locked meanwhile, and answers after
    /// COMMIT. When the job fails, nothing of it stays.
    ///
    /// A job does no I/O but the store's: others wait behind it.
    pub async fn write<T, E, F>(&self, company: CompanyId, job: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.inner.writers.submit(Some(company), job).await
    }

    /// Like [`Store::write`], for what belongs to no company: users, sessions, leases, claiming.
    pub async fn write_system<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.inner.writers.submit(None, job).await
    }

    /// Stores incoming messages, set by set with those of other callers; see
    /// [`crate::records::Incoming`]. Answers after COMMIT with one outcome a message, in order.
    pub async fn ingest(
        &self,
        company: CompanyId,
        messages: Vec<crate::records::Incoming>,
    ) -> Result<Vec<crate::records::Ingested>, StoreError> {
        self.inner.writers.ingest(company, messages).await
    }

    /// Where a company's log ends now.
    pub async fn position(&self, company: CompanyId) -> Result<Option<StreamPosition>, StoreError> {
        let mut reader = self.reader().await?;
        Ok(reader.db().company_stream(company).await?.map(|stream| stream.position()))
    }

    /// Stops taking writes, finishes those that wait, closes the connections.
    pub async fn close(&self) {
        self.inner.writers.close().await;
        match &self.inner.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { writers, readers } => {
                readers.close().await;
                writers.close().await;
            }
        }
    }
}

/// A connection taken from the pool for reading.
#[derive(Debug)]
pub enum Reader {
    Sqlite(sqlx::pool::PoolConnection<sqlx::Sqlite>),
    Postgres(sqlx::pool::PoolConnection<sqlx::Postgres>),
}

impl Reader {
    pub fn db(&mut self) -> Db<'_> {
        match self {
            Self::Sqlite(conn) => Db::Sqlite(conn),
            Self::Postgres(conn) => Db::Postgres(conn),
        }
    }
}
