//! Site widgets: their settings, their visitors, and what a visitor's view of a conversation needs.

use hub_domain::channel::ChannelKind;
use hub_domain::{ChannelId, CompanyId, ConversationId, Timestamp};
use sqlx::AssertSqlSafe;

use super::{Conn, channels, dialect};
use crate::StoreError;
use crate::records::{ChannelSecrets, WidgetVisitor};

const COLUMNS: &str = "v.channel_id, v.visitor_id, v.number, v.user_id, v.name, v.phone, v.email, \
     v.page_url, v.page_title, v.user_agent, v.created_at, v.changed_at";

pub async fn widget_settings(
    conn: &mut Conn,
    channel: ChannelId,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar("SELECT settings FROM widgets WHERE channel_id = $1")
        .bind(channel.0)
        .fetch_optional(conn)
        .await?)
}

pub async fn save_widget_settings(
    conn: &mut Conn,
    company: CompanyId,
    channel: ChannelId,
    settings: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO widgets (channel_id, company_id, settings, changed_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (channel_id) DO UPDATE SET settings = $3, changed_at = $4",
    )
    .bind(channel.0)
    .bind(company.0)
    .bind(settings)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn widget_by_key(
    conn: &mut Conn,
    key: &str,
) -> Result<Option<ChannelSecrets>, StoreError> {
    let id: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM channels WHERE kind = $1 AND external_id = $2 AND deleted_at IS NULL",
    )
    .bind(ChannelKind::Widget.as_str())
    .bind(key)
    .fetch_optional(&mut *conn)
    .await?;
    match id {
        Some(id) => channels::channel_secrets(conn, ChannelId(id)).await,
        None => Ok(None),
    }
}

pub async fn first_widget_key(conn: &mut Conn) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT external_id FROM channels WHERE kind = $1 AND state = 'enabled' ORDER BY id LIMIT 1",
    )
    .bind(ChannelKind::Widget.as_str())
    .fetch_optional(conn)
    .await?)
}

pub async fn widget_visitor(
    conn: &mut Conn,
    channel: ChannelId,
    visitor: &str,
) -> Result<Option<WidgetVisitor>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM widget_visitors v WHERE v.channel_id = $1 AND v.visitor_id = $2"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(channel.0)
        .bind(visitor)
        .fetch_optional(conn)
        .await?)
}

pub async fn visitor_of_conversation(
    conn: &mut Conn,
    company: CompanyId,
    id: ConversationId,
) -> Result<Option<WidgetVisitor>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM conversations c JOIN contact_identities i ON i.id = c.identity_id
         JOIN widget_visitors v ON v.channel_id = i.channel_id AND v.visitor_id = i.external_id
         WHERE c.company_id = $1 AND c.id = $2"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(company.0).bind(id.0).fetch_optional(conn).await?)
}

pub async fn next_visitor_number(conn: &mut Conn, company: CompanyId) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT COALESCE(MAX(number), 0) + 1 FROM widget_visitors WHERE company_id = $1",
    )
    .bind(company.0)
    .fetch_one(conn)
    .await?)
}

pub async fn save_widget_visitor(
    conn: &mut Conn,
    company: CompanyId,
    visitor: &WidgetVisitor,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO widget_visitors (channel_id, visitor_id, company_id, number, user_id, name, phone,
             email, page_url, page_title, user_agent, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (channel_id, visitor_id) DO UPDATE SET user_id = $5, name = $6, phone = $7,
             email = $8, page_url = $9, page_title = $10, user_agent = $11, changed_at = $13",
    )
    .bind(visitor.channel_id)
    .bind(&visitor.visitor_id)
    .bind(company.0)
    .bind(visitor.number)
    .bind(&visitor.user_id)
    .bind(&visitor.name)
    .bind(&visitor.phone)
    .bind(&visitor.email)
    .bind(&visitor.page_url)
    .bind(&visitor.page_title)
    .bind(&visitor.user_agent)
    .bind(visitor.created_at)
    .bind(visitor.changed_at)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn messages_without_receipt(
    conn: &mut Conn,
    conversation: ConversationId,
    through: i64,
    read: bool,
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    let statuses = if read { "'sent', 'delivered'" } else { "'sent'" };
    let sql = format!(
        "SELECT id FROM messages WHERE conversation_id = $1 AND \"position\" <= $2
           AND direction = 'outgoing' AND status IN ({statuses})
         ORDER BY \"position\", ordinal, id LIMIT $3"
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(conversation.0)
        .bind(through)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

pub async fn external_ids(
    conn: &mut Conn,
    ids: &[i64],
) -> Result<Vec<(i64, Option<String>)>, StoreError> {
    let sql = format!("SELECT id, external_id FROM messages WHERE id {}", dialect::in_ids(1));
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(dialect::ids(ids)).fetch_all(conn).await?)
}

pub async fn seen_position(
    conn: &mut Conn,
    company: CompanyId,
    id: ConversationId,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT COALESCE(MAX(r.\"position\"), 0) FROM read_markers r
         WHERE r.member_id IN (SELECT id FROM members WHERE company_id = $1)
           AND r.conversation_id = $2",
    )
    .bind(company.0)
    .bind(id.0)
    .fetch_one(conn)
    .await?)
}

pub async fn company_is_attended(
    conn: &mut Conn,
    company: CompanyId,
    since: Timestamp,
) -> Result<bool, StoreError> {
    let found: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM members m JOIN sessions s ON s.user_id = m.user_id
         WHERE m.company_id = $1 AND s.last_seen_at > $2",
    )
    .bind(company.0)
    .bind(since.0)
    .fetch_one(conn)
    .await?;
    Ok(found > 0)
}

pub async fn identity_of_conversation(
    conn: &mut Conn,
    id: ConversationId,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT i.external_id FROM conversations c JOIN contact_identities i ON i.id = c.identity_id
         WHERE c.id = $1",
    )
    .bind(id.0)
    .fetch_optional(conn)
    .await?)
}

pub async fn channel_events_after(
    conn: &mut Conn,
    company: CompanyId,
    channel: ChannelId,
    after: i64,
    through: i64,
) -> Result<Vec<crate::records::EventRow>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT \"offset\", channel_id, payload FROM events
         WHERE company_id = $1 AND \"offset\" > $2 AND \"offset\" <= $3 AND channel_id = $4
         ORDER BY \"offset\"",
    )
    .bind(company.0)
    .bind(after)
    .bind(through)
    .bind(channel.0)
    .fetch_all(conn)
    .await?)
}
