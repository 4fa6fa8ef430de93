//! Leases: what only one node may do at a time, with a fence against a former owner.

use hub_domain::Timestamp;

use super::Conn;
use crate::StoreError;

pub async fn take_lease(
    conn: &mut Conn,
    name: &str,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "INSERT INTO leases (name, owner, fence, expires_at) VALUES ($1, $2, 1, $4)
         ON CONFLICT (name) DO UPDATE SET
             fence = CASE WHEN leases.owner = excluded.owner THEN leases.fence ELSE leases.fence + 1 END,
             owner = excluded.owner, expires_at = excluded.expires_at
         WHERE leases.owner = $2 OR leases.expires_at <= $3
         RETURNING fence",
    )
    .bind(name)
    .bind(owner)
    .bind(now.0)
    .bind(until.0)
    .fetch_optional(conn)
    .await?)
}

pub async fn release_lease(conn: &mut Conn, name: &str, owner: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE leases SET expires_at = 0 WHERE name = $1 AND owner = $2")
        .bind(name)
        .bind(owner)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn lease_is_held(
    conn: &mut Conn,
    name: &str,
    owner: &str,
    fence: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let held: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM leases WHERE name = $1 AND owner = $2 AND fence = $3 AND expires_at > $4",
    )
    .bind(name)
    .bind(owner)
    .bind(fence)
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    Ok(held == 1)
}
