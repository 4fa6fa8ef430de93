//! Whether the database answers, and which migrations it has.

use super::Conn;
use crate::StoreError;

pub async fn ping(conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query_scalar::<_, i32>("SELECT 1").fetch_one(conn).await?;
    Ok(())
}

/// Versions applied; none on a database that was never migrated.
pub async fn applied_migrations(conn: &mut Conn) -> Result<Vec<i64>, StoreError> {
    // The table is there only after the first migration; any other failure shows up in `ping`.
    ping(&mut *conn).await?;
    Ok(sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
        .fetch_all(conn)
        .await
        .unwrap_or_default())
}
