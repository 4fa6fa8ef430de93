//! Quick replies: saved answers of a company, and the files that go with them.

use hub_domain::{CompanyId, MemberId, QuickReply, QuickReplyFile, QuickReplyId, Timestamp};
use sqlx::AssertSqlSafe;

use super::Conn;
use crate::StoreError;
use crate::records::QuickReplyRecord;

const COLUMNS: &str = "id, name, text, file_key, file_name, file_mime_type, file_size_bytes, \
     author_member_id, changed_at, created_at, deleted_at, version";

#[derive(sqlx::FromRow)]
struct QuickReplyRow {
    id: i64,
    name: String,
    text: String,
    file_key: Option<String>,
    file_name: Option<String>,
    file_mime_type: Option<String>,
    file_size_bytes: Option<i64>,
    author_member_id: i64,
    changed_at: i64,
    created_at: i64,
    deleted_at: Option<i64>,
    version: i64,
}

impl From<QuickReplyRow> for QuickReplyRecord {
    fn from(row: QuickReplyRow) -> Self {
        let file = match (row.file_name, row.file_mime_type, row.file_size_bytes) {
            (Some(name), Some(mime_type), Some(size_bytes)) => {
                Some(QuickReplyFile { name, mime_type, size_bytes })
            }
            _ => None,
        };
        Self {
            file_key: row.file_key,
            quick_reply: QuickReply {
                id: QuickReplyId(row.id),
                name: row.name,
                text: row.text,
                file,
                author_member_id: MemberId(row.author_member_id),
                changed_at: Timestamp(row.changed_at),
                created_at: Timestamp(row.created_at),
                deleted_at: row.deleted_at.map(Timestamp),
                version: row.version,
            },
        }
    }
}

pub async fn insert_quick_reply(
    conn: &mut Conn,
    company: CompanyId,
    author: MemberId,
    name: &str,
    text: &str,
    now: Timestamp,
) -> Result<QuickReplyId, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO quick_replies (company_id, name, text, author_member_id, changed_at, created_at,
             version)
         VALUES ($1, $2, $3, $4, $5, $5, 0) RETURNING id",
    )
    .bind(company.0)
    .bind(name)
    .bind(text)
    .bind(author.0)
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    Ok(QuickReplyId(id))
}

pub async fn quick_replies(
    conn: &mut Conn,
    company: CompanyId,
    deleted_too: bool,
) -> Result<Vec<QuickReply>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM quick_replies
         WHERE company_id = $1 AND ($2 OR deleted_at IS NULL) ORDER BY id"
    );
    let rows: Vec<QuickReplyRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(company.0)
        .bind(deleted_too)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| QuickReplyRecord::from(row).quick_reply).collect())
}

pub async fn quick_reply(
    conn: &mut Conn,
    company: CompanyId,
    id: QuickReplyId,
) -> Result<Option<QuickReplyRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM quick_replies WHERE company_id = $1 AND id = $2");
    let row: Option<QuickReplyRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(company.0).bind(id.0).fetch_optional(conn).await?;
    Ok(row.map(QuickReplyRecord::from))
}

pub async fn quick_reply_count(conn: &mut Conn, company: CompanyId) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM quick_replies WHERE company_id = $1 AND deleted_at IS NULL",
    )
    .bind(company.0)
    .fetch_one(conn)
    .await?)
}

pub async fn save_quick_reply(
    conn: &mut Conn,
    company: CompanyId,
    quick_reply: &QuickReply,
) -> Result<(), StoreError> {
    let file = quick_reply.file.as_ref();
    let changed = sqlx::query(
        "UPDATE quick_replies SET name = $3, text = $4, file_name = $5, file_mime_type = $6,
             file_size_bytes = $7, author_member_id = $8, changed_at = $9, deleted_at = $10,
             version = $11
         WHERE company_id = $1 AND id = $2",
    )
    .bind(company.0)
    .bind(quick_reply.id.0)
    .bind(&quick_reply.name)
    .bind(&quick_reply.text)
    .bind(file.map(|file| file.name.as_str()))
    .bind(file.map(|file| file.mime_type.as_str()))
    .bind(file.map(|file| file.size_bytes))
    .bind(quick_reply.author_member_id.0)
    .bind(quick_reply.changed_at.0)
    .bind(quick_reply.deleted_at.map(|at| at.0))
    .bind(quick_reply.version)
    .execute(conn)
    .await?
    .rows_affected();
    if changed != 1 {
        let gone = format!("quick reply {} has gone", quick_reply.id);
        return Err(StoreError::inconsistent(gone));
    }
    Ok(())
}

pub async fn set_quick_reply_file(
    conn: &mut Conn,
    company: CompanyId,
    id: QuickReplyId,
    file_key: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE quick_replies SET file_key = $3 WHERE company_id = $1 AND id = $2")
        .bind(company.0)
        .bind(id.0)
        .bind(file_key)
        .execute(conn)
        .await?;
    Ok(())
}
