//! How the store fails.

/// An error of the store. The cause is kept for the log; callers act on the kind.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not do what it was asked; it may later.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
    /// A uniqueness rule refused the change. Holds the constraint's name (SQLite: its columns).
    #[error("conflict on {0}")]
    Conflict(String),
    /// A row says something the code cannot read, or is missing where it must be.
    #[error("inconsistent row: {0}")]
    Inconsistent(String),
    /// The channel it is of was deleted: nothing is stored for it any more.
    #[error("the channel was deleted")]
    ChannelDeleted,
    /// A job panicked; its changes were undone.
    #[error("a write job panicked")]
    Panicked,
    /// The writer has stopped.
    #[error("the store is closed")]
    Closed,
    #[error("migration failed: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
    #[error("{0}")]
    Configuration(String),
}

impl StoreError {
    pub fn inconsistent(what: impl Into<String>) -> Self {
        Self::Inconsistent(what.into())
    }

    /// Whether `name` (a PostgreSQL index or constraint) or `columns` (as SQLite tells it,
    /// `table.column`) is what refused the change.
    pub fn is_conflict_on(&self, name: &str, columns: &str) -> bool {
        matches!(self, Self::Conflict(what) if what == name || what.contains(columns))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error
            && database.is_unique_violation()
        {
            let name = database.constraint().unwrap_or(database.message());
            return Self::Conflict(name.to_owned());
        }
        Self::Database(error)
    }
}
