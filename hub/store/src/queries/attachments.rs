//! Files of messages: what is known of them, and where their bytes are.

use hub_domain::attachment::{Attachment, AttachmentKind, AttachmentState};
use hub_domain::{AttachmentId, ChannelId, CompanyId, MemberId, MessageId, Timestamp};
use sqlx::AssertSqlSafe;

use super::{Conn, dialect};
use crate::StoreError;
use crate::records::{AttachmentRecord, NewAttachment};

const COLUMNS: &str = "id, company_id, channel_id, message_id, uploaded_by, kind, state, failure, \
     file_key, file_ref, file_name, mime_type, size_bytes, width, height, duration_seconds, emoji";

#[derive(sqlx::FromRow)]
struct AttachmentRow {
    id: i64,
    company_id: i64,
    channel_id: i64,
    message_id: Option<i64>,
    uploaded_by: Option<i64>,
    kind: String,
    state: String,
    failure: Option<String>,
    file_key: Option<String>,
    file_ref: Option<String>,
    file_name: Option<String>,
    mime_type: Option<String>,
    size_bytes: Option<i64>,
    width: Option<i64>,
    height: Option<i64>,
    duration_seconds: Option<i64>,
    emoji: Option<String>,
}

fn small(value: Option<i64>) -> Option<i32> {
    value.and_then(|value| i32::try_from(value).ok())
}

impl TryFrom<AttachmentRow> for AttachmentRecord {
    type Error = StoreError;

    fn try_from(row: AttachmentRow) -> Result<Self, StoreError> {
        let id = row.id;
        let unknown = |what: &str| StoreError::inconsistent(format!("{what} of attachment {id}"));
        Ok(Self {
            attachment: Attachment {
                id: AttachmentId(row.id),
                kind: AttachmentKind::parse(&row.kind).ok_or_else(|| unknown("kind"))?,
                state: AttachmentState::parse(&row.state).ok_or_else(|| unknown("state"))?,
                failure: row.failure,
                file_name: row.file_name,
                mime_type: row.mime_type,
                size_bytes: row.size_bytes,
                width: small(row.width),
                height: small(row.height),
                duration_seconds: small(row.duration_seconds),
                emoji: row.emoji,
            },
            company_id: CompanyId(row.company_id),
            channel_id: ChannelId(row.channel_id),
            message_id: row.message_id.map(MessageId),
            uploaded_by: row.uploaded_by.map(MemberId),
            file_key: row.file_key,
            file_ref: row.file_ref,
        })
    }
}

pub async fn insert_attachment(
    conn: &mut Conn,
    attachment: &NewAttachment,
) -> Result<AttachmentId, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO attachments (company_id, channel_id, uploaded_by, kind, state, file_key,
             file_name, mime_type, size_bytes, width, height, created_at)
         VALUES ($1, $2, $3, $4, 'ready', $5, $6, $7, $8, $9, $10, $11) RETURNING id",
    )
    .bind(attachment.company_id.0)
    .bind(attachment.channel_id.0)
    .bind(attachment.uploaded_by.map(|id| id.0))
    .bind(attachment.kind.as_str())
    .bind(&attachment.file_key)
    .bind(&attachment.file_name)
    .bind(&attachment.mime_type)
    .bind(attachment.size_bytes)
    .bind(attachment.width.map(i64::from))
    .bind(attachment.height.map(i64::from))
    .bind(attachment.created_at.0)
    .fetch_one(conn)
    .await?;
    Ok(AttachmentId(id))
}

pub async fn attachment(
    conn: &mut Conn,
    company: CompanyId,
    id: AttachmentId,
) -> Result<Option<AttachmentRecord>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM attachments WHERE company_id = $1 AND id = $2");
    let row: Option<AttachmentRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(company.0).bind(id.0).fetch_optional(conn).await?;
    row.map(AttachmentRecord::try_from).transpose()
}

pub async fn attachments_of_messages(
    conn: &mut Conn,
    ids: &[i64],
) -> Result<Vec<AttachmentRecord>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM attachments WHERE message_id {} ORDER BY message_id, place",
        dialect::in_ids(1)
    );
    let rows: Vec<AttachmentRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(dialect::ids(ids)).fetch_all(conn).await?;
    rows.into_iter().map(AttachmentRecord::try_from).collect()
}

pub async fn claim_attachment(
    conn: &mut Conn,
    company: CompanyId,
    id: AttachmentId,
    message: MessageId,
    place: i64,
) -> Result<bool, StoreError> {
    let changed = sqlx::query(
        "UPDATE attachments SET message_id = $3, place = $4
         WHERE company_id = $1 AND id = $2 AND message_id IS NULL",
    )
    .bind(company.0)
    .bind(id.0)
    .bind(message.0)
    .bind(place)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(changed == 1)
}

pub async fn save_attachment(
    conn: &mut Conn,
    company: CompanyId,
    record: &AttachmentRecord,
) -> Result<(), StoreError> {
    let attachment = &record.attachment;
    sqlx::query(
        "UPDATE attachments SET state = $3, failure = $4, file_key = $5, mime_type = $6,
             size_bytes = $7, width = $8, height = $9
         WHERE company_id = $1 AND id = $2",
    )
    .bind(company.0)
    .bind(attachment.id.0)
    .bind(attachment.state.as_str())
    .bind(&attachment.failure)
    .bind(&record.file_key)
    .bind(&attachment.mime_type)
    .bind(attachment.size_bytes)
    .bind(attachment.width.map(i64::from))
    .bind(attachment.height.map(i64::from))
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn orphaned_attachments(
    conn: &mut Conn,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<AttachmentRecord>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM attachments WHERE message_id IS NULL AND created_at < $1
         ORDER BY id LIMIT $2"
    );
    let rows: Vec<AttachmentRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(before.0).bind(limit).fetch_all(conn).await?;
    rows.into_iter().map(AttachmentRecord::try_from).collect()
}

pub async fn delete_attachment(conn: &mut Conn, id: AttachmentId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM attachments WHERE id = $1 AND message_id IS NULL")
        .bind(id.0)
        .execute(conn)
        .await?;
    Ok(())
}
