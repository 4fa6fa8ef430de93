//! Companies and where their logs stand.

use hub_domain::{Company, CompanyId, Timestamp};
use sqlx::AssertSqlSafe;

use super::{Conn, dialect};
use crate::StoreError;
use crate::records::StreamRow;

type CompanyRow = (i64, String, String, i64, i64);

fn company_from((id, name, time_zone, version, created_at): CompanyRow) -> Company {
    Company { id: CompanyId(id), name, time_zone, version, created_at: Timestamp(created_at) }
}

pub async fn insert_company(
    conn: &mut Conn,
    name: &str,
    time_zone: &str,
    epoch: &str,
    now: Timestamp,
) -> Result<CompanyId, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO companies (name, time_zone, epoch, created_at) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(name)
    .bind(time_zone)
    .bind(epoch)
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    Ok(CompanyId(id))
}

pub async fn company(conn: &mut Conn, id: CompanyId) -> Result<Option<Company>, StoreError> {
    let row: Option<CompanyRow> = sqlx::query_as(
        "SELECT id, name, time_zone, version, created_at FROM companies WHERE id = $1",
    )
    .bind(id.0)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(company_from))
}

pub async fn company_by_name(conn: &mut Conn, name: &str) -> Result<Option<Company>, StoreError> {
    let row: Option<CompanyRow> = sqlx::query_as(
        "SELECT id, name, time_zone, version, created_at FROM companies
         WHERE name = $1 ORDER BY id LIMIT 1",
    )
    .bind(name)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(company_from))
}

pub async fn save_company(conn: &mut Conn, company: &Company) -> Result<(), StoreError> {
    sqlx::query("UPDATE companies SET name = $2, time_zone = $3, version = $4 WHERE id = $1")
        .bind(company.id.0)
        .bind(&company.name)
        .bind(&company.time_zone)
        .bind(company.version)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn company_count(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM companies").fetch_one(conn).await?)
}

const STREAM: &str = "SELECT id, epoch, event_offset, pruned_offset FROM companies";

pub async fn company_stream(
    conn: &mut Conn,
    id: CompanyId,
) -> Result<Option<StreamRow>, StoreError> {
    let sql = sql_of(STREAM, "WHERE id = $1");
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(id.0).fetch_optional(conn).await?)
}

pub async fn company_streams(conn: &mut Conn, ids: &[i64]) -> Result<Vec<StreamRow>, StoreError> {
    let sql = sql_of(STREAM, &format!("WHERE id {}", dialect::in_ids(1)));
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(dialect::ids(ids)).fetch_all(conn).await?)
}

pub async fn lock_companies(conn: &mut Conn, ids: &[i64]) -> Result<Vec<StreamRow>, StoreError> {
    let tail = format!("WHERE id {} ORDER BY id {}", dialect::in_ids(1), dialect::FOR_UPDATE);
    let sql = sql_of(STREAM, &tail);
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(dialect::ids(ids)).fetch_all(conn).await?)
}

fn sql_of(head: &str, tail: &str) -> String {
    format!("{head} {tail}")
}
