//! Messages: written on our side, changed, and read page by page.

use hub_domain::content::{Content, ForwardOrigin, ReplyTo};
use hub_domain::message::{Direction, Failure, Message, MessageStatus};
use hub_domain::{ChannelId, CompanyId, ConversationId, MemberId, MessageId, Timestamp};
use sqlx::AssertSqlSafe;

use super::{Conn, attachments};
use crate::StoreError;
use crate::records::{Address, MessageKey, NewMessage};

const COLUMNS: &str = "id, conversation_id, direction, author_member_id, client_message_id, content, \
     album_id, reply_to_message_id, reply_to_text, forwarded_from, reactions, status, failure_code, \
     failure_detail, retry_at, \"position\", ordinal, sent_at, edited_at, deleted_at, version, \
     created_at, intention_hash";

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: i64,
    conversation_id: i64,
    direction: String,
    author_member_id: Option<i64>,
    client_message_id: Option<String>,
    content: String,
    album_id: Option<String>,
    reply_to_message_id: Option<i64>,
    reply_to_text: Option<String>,
    forwarded_from: Option<String>,
    reactions: String,
    status: Option<String>,
    failure_code: Option<String>,
    failure_detail: Option<String>,
    retry_at: Option<i64>,
    position: i64,
    ordinal: i64,
    sent_at: i64,
    edited_at: Option<i64>,
    deleted_at: Option<i64>,
    version: i64,
    created_at: i64,
    intention_hash: Option<String>,
}

impl TryFrom<MessageRow> for Message {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Self, StoreError> {
        let id = row.id;
        let unknown = |what: &str| StoreError::inconsistent(format!("{what} of message {id}"));
        let status = row
            .status
            .map(|status| MessageStatus::parse(&status).ok_or_else(|| unknown("status")))
            .transpose()?;
        let reply_to = row
            .reply_to_text
            .map(|text| ReplyTo { message_id: row.reply_to_message_id.map(MessageId), text });
        Ok(Self {
            id: MessageId(row.id),
            conversation_id: ConversationId(row.conversation_id),
            direction: Direction::parse(&row.direction).ok_or_else(|| unknown("direction"))?,
            author_member_id: row.author_member_id.map(MemberId),
            client_message_id: row.client_message_id,
            content: serde_json::from_str(&row.content).map_err(|_| unknown("content"))?,
            attachments: Vec::new(),
            album_id: row.album_id,
            reply_to,
            forwarded_from: row.forwarded_from.map(|name| ForwardOrigin { name }),
            reactions: serde_json::from_str(&row.reactions).map_err(|_| unknown("reactions"))?,
            status,
            failure: row.failure_code.map(|code| Failure { code, detail: row.failure_detail }),
            retry_at: row.retry_at.map(Timestamp),
            position: row.position,
            ordinal: row.ordinal,
            sent_at: Timestamp(row.sent_at),
            edited_at: row.edited_at.map(Timestamp),
            deleted_at: row.deleted_at.map(Timestamp),
            created_at: Timestamp(row.created_at),
            version: row.version,
        })
    }
}

async fn with_attachments(
    conn: &mut Conn,
    rows: Vec<MessageRow>,
) -> Result<Vec<Message>, StoreError> {
    let mut messages = rows.into_iter().map(Message::try_from).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<i64> = messages.iter().map(|message| message.id.0).collect();
    if ids.is_empty() {
        return Ok(messages);
    }
    for record in attachments::attachments_of_messages(conn, &ids).await? {
        let owner = messages.iter_mut().find(|message| Some(message.id) == record.message_id);
        if let Some(message) = owner {
            message.attachments.push(record.attachment);
        }
    }
    Ok(messages)
}

async fn one(conn: &mut Conn, row: Option<MessageRow>) -> Result<Option<Message>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    Ok(with_attachments(conn, vec![row]).await?.pop())
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::inconsistent(error.to_string()))
}

pub async fn insert_message(
    conn: &mut Conn,
    message: &NewMessage,
) -> Result<MessageId, StoreError> {
    let (reply_to, reply_text) = match &message.reply_to {
        Some((id, text)) => (Some(id.0), Some(text.as_str())),
        None => (None, None),
    };
    let id = sqlx::query_scalar(
        "INSERT INTO messages (company_id, channel_id, conversation_id, direction, author_member_id,
             client_message_id, intention_hash, content, reply_to_message_id, reply_to_text,
             reply_to_external_id, status, \"position\", sent_at, created_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
             (SELECT quoted.external_id FROM messages quoted WHERE quoted.id = $9),
             $11, $12, $13, $13, $14) RETURNING id",
    )
    .bind(message.company_id.0)
    .bind(message.channel_id.0)
    .bind(message.conversation_id.0)
    .bind(message.direction.as_str())
    .bind(message.author_member_id.map(|id| id.0))
    .bind(&message.client_message_id)
    .bind(&message.intention_hash)
    .bind(json(&message.content)?)
    .bind(reply_to)
    .bind(reply_text)
    .bind(message.status.map(MessageStatus::as_str))
    .bind(message.position)
    .bind(message.sent_at.0)
    .bind(message.version)
    .fetch_one(conn)
    .await?;
    Ok(MessageId(id))
}

pub async fn save_message(
    conn: &mut Conn,
    company: CompanyId,
    message: &Message,
) -> Result<(), StoreError> {
    let content: &Content = &message.content;
    let changed = sqlx::query(
        "UPDATE messages SET content = $3, reactions = $4, status = $5, failure_code = $6,
             failure_detail = $7, retry_at = $8, edited_at = $9, deleted_at = $10, version = $11
         WHERE company_id = $1 AND id = $2",
    )
    .bind(company.0)
    .bind(message.id.0)
    .bind(json(content)?)
    .bind(json(&message.reactions)?)
    .bind(message.status.map(MessageStatus::as_str))
    .bind(message.failure.as_ref().map(|failure| failure.code.as_str()))
    .bind(message.failure.as_ref().and_then(|failure| failure.detail.as_deref()))
    .bind(message.retry_at.map(|at| at.0))
    .bind(message.edited_at.map(|at| at.0))
    .bind(message.deleted_at.map(|at| at.0))
    .bind(message.version)
    .execute(conn)
    .await?
    .rows_affected();
    if changed != 1 {
        return Err(StoreError::inconsistent(format!("message {} has gone", message.id)));
    }
    Ok(())
}

pub async fn message(
    conn: &mut Conn,
    company: CompanyId,
    id: MessageId,
) -> Result<Option<Message>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE company_id = $1 AND id = $2");
    let row: Option<MessageRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(company.0)
        .bind(id.0)
        .fetch_optional(&mut *conn)
        .await?;
    one(conn, row).await
}

pub async fn message_by_external(
    conn: &mut Conn,
    channel: ChannelId,
    external_id: &str,
) -> Result<Option<Message>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE channel_id = $1 AND external_id = $2");
    let row: Option<MessageRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(channel.0)
        .bind(external_id)
        .fetch_optional(&mut *conn)
        .await?;
    one(conn, row).await
}

pub async fn message_by_client_id(
    conn: &mut Conn,
    company: CompanyId,
    client_message_id: &str,
) -> Result<Option<(Message, Option<String>)>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM messages WHERE company_id = $1 AND client_message_id = $2");
    let row: Option<MessageRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(company.0)
        .bind(client_message_id)
        .fetch_optional(&mut *conn)
        .await?;
    let hash = row.as_ref().and_then(|row| row.intention_hash.clone());
    Ok(one(conn, row).await?.map(|message| (message, hash)))
}

pub async fn messages_before(
    conn: &mut Conn,
    conversation: ConversationId,
    before: MessageKey,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages
         WHERE conversation_id = $1 AND (\"position\", ordinal, id) < ($2, $3, $4)
         ORDER BY \"position\" DESC, ordinal DESC, id DESC LIMIT $5"
    );
    let mut rows: Vec<MessageRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(conversation.0)
        .bind(before.position)
        .bind(before.ordinal)
        .bind(before.id)
        .bind(limit)
        .fetch_all(&mut *conn)
        .await?;
    rows.reverse();
    with_attachments(conn, rows).await
}

pub async fn client_messages_before(
    conn: &mut Conn,
    conversation: ConversationId,
    before: MessageKey,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages
         WHERE conversation_id = $1 AND (\"position\", ordinal, id) < ($2, $3, $4)
           AND (direction = 'incoming'
             OR direction = 'outgoing' AND status IN ('sent', 'delivered', 'read'))
         ORDER BY \"position\" DESC, ordinal DESC, id DESC LIMIT $5"
    );
    let mut rows: Vec<MessageRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(conversation.0)
        .bind(before.position)
        .bind(before.ordinal)
        .bind(before.id)
        .bind(limit)
        .fetch_all(&mut *conn)
        .await?;
    rows.reverse();
    with_attachments(conn, rows).await
}

pub async fn messages_after(
    conn: &mut Conn,
    conversation: ConversationId,
    after: MessageKey,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages
         WHERE conversation_id = $1 AND (\"position\", ordinal, id) > ($2, $3, $4)
         ORDER BY \"position\", ordinal, id LIMIT $5"
    );
    let rows: Vec<MessageRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(conversation.0)
        .bind(after.position)
        .bind(after.ordinal)
        .bind(after.id)
        .bind(limit)
        .fetch_all(&mut *conn)
        .await?;
    with_attachments(conn, rows).await
}

pub async fn message_address(
    conn: &mut Conn,
    company: CompanyId,
    id: MessageId,
) -> Result<Option<Address>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT m.channel_id, i.chat_id, m.external_id, m.reply_to_external_id
         FROM messages m JOIN conversations c ON c.id = m.conversation_id
         JOIN contact_identities i ON i.id = c.identity_id
         WHERE m.company_id = $1 AND m.id = $2",
    )
    .bind(company.0)
    .bind(id.0)
    .fetch_optional(conn)
    .await?)
}

pub async fn set_message_external(
    conn: &mut Conn,
    company: CompanyId,
    id: MessageId,
    external_id: &str,
    ordinal: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE messages SET external_id = $3, ordinal = $4 WHERE company_id = $1 AND id = $2",
    )
    .bind(company.0)
    .bind(id.0)
    .bind(external_id)
    .bind(ordinal)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn touch_reactions(
    conn: &mut Conn,
    company: CompanyId,
    id: MessageId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = sqlx::query(
        "UPDATE messages SET reactions_at = $3
         WHERE company_id = $1 AND id = $2 AND reactions_at <= $3",
    )
    .bind(company.0)
    .bind(id.0)
    .bind(at.0)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(changed == 1)
}

pub async fn last_message_key(
    conn: &mut Conn,
    conversation: ConversationId,
) -> Result<Option<MessageKey>, StoreError> {
    let row: Option<(i64, i64, i64)> = sqlx::query_as(
        "SELECT \"position\", ordinal, id FROM messages WHERE conversation_id = $1
         ORDER BY \"position\" DESC, ordinal DESC, id DESC LIMIT 1",
    )
    .bind(conversation.0)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(position, ordinal, id)| MessageKey { position, ordinal, id }))
}
