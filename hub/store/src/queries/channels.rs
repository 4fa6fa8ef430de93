//! Channels, their secrets and cursors, and updates kept raw.

use hub_domain::channel::{Channel, ChannelKind, ChannelState, IntakeMode};
use hub_domain::{ChannelId, CompanyId, Scope, Timestamp};
use sqlx::AssertSqlSafe;

use super::{Conn, dialect};
use crate::StoreError;
use crate::records::{ChannelSecrets, ChannelTraffic, NewChannel};

const COLUMNS: &str = "id, company_id, kind, name, state, state_reason, intake, external_id, username, \
     capabilities, secret_sealed, webhook_secret_sealed, poll_cursor, version, created_at, deleted_at";

#[derive(sqlx::FromRow)]
struct ChannelRow {
    id: i64,
    company_id: i64,
    kind: String,
    name: String,
    state: String,
    state_reason: Option<String>,
    intake: String,
    external_id: String,
    username: Option<String>,
    capabilities: String,
    secret_sealed: String,
    webhook_secret_sealed: String,
    poll_cursor: Option<String>,
    version: i64,
    created_at: i64,
    deleted_at: Option<i64>,
}

impl TryFrom<ChannelRow> for ChannelSecrets {
    type Error = StoreError;

    fn try_from(row: ChannelRow) -> Result<Self, StoreError> {
        let id = row.id;
        let unknown = |what: &str| StoreError::inconsistent(format!("{what} of channel {id}"));
        Ok(Self {
            channel: Channel {
                id: ChannelId(row.id),
                company_id: CompanyId(row.company_id),
                kind: ChannelKind::parse(&row.kind).ok_or_else(|| unknown("kind"))?,
                name: row.name,
                state: ChannelState::parse(&row.state).ok_or_else(|| unknown("state"))?,
                state_reason: row.state_reason,
                intake: IntakeMode::parse(&row.intake).ok_or_else(|| unknown("intake"))?,
                external_id: row.external_id,
                username: row.username,
                capabilities: serde_json::from_str(&row.capabilities)
                    .map_err(|_| unknown("capabilities"))?,
                created_at: Timestamp(row.created_at),
                deleted_at: row.deleted_at.map(Timestamp),
                version: row.version,
            },
            secret_sealed: row.secret_sealed,
            webhook_secret_sealed: row.webhook_secret_sealed,
            poll_cursor: row.poll_cursor,
        })
    }
}

pub async fn insert_channel(
    conn: &mut Conn,
    channel: &NewChannel,
    version: i64,
    now: Timestamp,
) -> Result<ChannelId, StoreError> {
    let capabilities = serde_json::to_string(&channel.capabilities)
        .map_err(|error| StoreError::inconsistent(error.to_string()))?;
    let id = sqlx::query_scalar(
        "INSERT INTO channels (company_id, kind, name, state, intake, external_id, username,
             capabilities, secret_sealed, webhook_secret_sealed, version, created_at)
         VALUES ($1, $2, $3, 'connecting', $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
    )
    .bind(channel.company_id.0)
    .bind(channel.kind.as_str())
    .bind(&channel.name)
    .bind(channel.intake.as_str())
    .bind(&channel.external_id)
    .bind(&channel.username)
    .bind(capabilities)
    .bind(&channel.secret_sealed)
    .bind(&channel.webhook_secret_sealed)
    .bind(version)
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    Ok(ChannelId(id))
}

pub async fn save_channel(conn: &mut Conn, channel: &Channel) -> Result<(), StoreError> {
    let capabilities = serde_json::to_string(&channel.capabilities)
        .map_err(|error| StoreError::inconsistent(error.to_string()))?;
    sqlx::query(
        "UPDATE channels SET name = $3, state = $4, state_reason = $5, intake = $6, username = $7,
             capabilities = $8, version = $9, deleted_at = $10
         WHERE company_id = $1 AND id = $2",
    )
    .bind(channel.company_id.0)
    .bind(channel.id.0)
    .bind(&channel.name)
    .bind(channel.state.as_str())
    .bind(&channel.state_reason)
    .bind(channel.intake.as_str())
    .bind(&channel.username)
    .bind(capabilities)
    .bind(channel.version)
    .bind(channel.deleted_at.map(|at| at.0))
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn save_channel_secret(
    conn: &mut Conn,
    id: ChannelId,
    secret_sealed: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE channels SET secret_sealed = $2 WHERE id = $1")
        .bind(id.0)
        .bind(secret_sealed)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn forget_channel_secrets(conn: &mut Conn, id: ChannelId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE channels SET secret_sealed = '', webhook_secret_sealed = '', poll_cursor = NULL
         WHERE id = $1 AND deleted_at IS NOT NULL",
    )
    .bind(id.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn account_is_connected(
    conn: &mut Conn,
    kind: ChannelKind,
    external_id: &str,
) -> Result<bool, StoreError> {
    let found: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM channels
         WHERE kind = $1 AND external_id = $2 AND deleted_at IS NULL",
    )
    .bind(kind.as_str())
    .bind(external_id)
    .fetch_one(conn)
    .await?;
    Ok(found > 0)
}

pub async fn channel(
    conn: &mut Conn,
    company: CompanyId,
    id: ChannelId,
) -> Result<Option<Channel>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM channels WHERE company_id = $1 AND id = $2");
    let row: Option<ChannelRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(company.0).bind(id.0).fetch_optional(conn).await?;
    Ok(row.map(ChannelSecrets::try_from).transpose()?.map(|secrets| secrets.channel))
}

pub async fn channels(conn: &mut Conn, scope: &Scope) -> Result<Vec<Channel>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM channels WHERE company_id = $1 ORDER BY id");
    let rows: Vec<ChannelRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(scope.company_id.0).fetch_all(conn).await?;
    let mut channels = Vec::with_capacity(rows.len());
    for row in rows {
        let channel = ChannelSecrets::try_from(row)?.channel;
        if scope.sees_channel(Some(channel.id)) {
            channels.push(channel);
        }
    }
    Ok(channels)
}

pub async fn channel_secrets(
    conn: &mut Conn,
    id: ChannelId,
) -> Result<Option<ChannelSecrets>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM channels WHERE id = $1");
    let row: Option<ChannelRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(id.0).fetch_optional(conn).await?;
    row.map(ChannelSecrets::try_from).transpose()
}

pub async fn secrets_of_channels(
    conn: &mut Conn,
    ids: &[i64],
) -> Result<Vec<ChannelSecrets>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM channels WHERE id {} AND deleted_at IS NULL",
        dialect::in_ids(1)
    );
    let rows: Vec<ChannelRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(dialect::ids(ids)).fetch_all(conn).await?;
    rows.into_iter().map(ChannelSecrets::try_from).collect()
}

pub async fn polled_channels(
    conn: &mut Conn,
    states: &[ChannelState],
) -> Result<Vec<ChannelId>, StoreError> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, state FROM channels WHERE intake = 'polling' ORDER BY id")
            .fetch_all(conn)
            .await?;
    Ok(rows
        .into_iter()
        .filter(|(_, state)| states.iter().any(|wanted| wanted.as_str() == state))
        .map(|(id, _)| ChannelId(id))
        .collect())
}

pub async fn deleted_channels(conn: &mut Conn, ids: &[i64]) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT id FROM channels WHERE id {} AND deleted_at IS NOT NULL",
        dialect::in_ids(1)
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).bind(dialect::ids(ids)).fetch_all(conn).await?)
}

pub async fn save_poll_cursor(
    conn: &mut Conn,
    id: ChannelId,
    cursor: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE channels SET poll_cursor = $2 WHERE id = $1 AND deleted_at IS NULL")
        .bind(id.0)
        .bind(cursor)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn insert_raw_update(
    conn: &mut Conn,
    channel: ChannelId,
    reason: &str,
    body: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO raw_updates (channel_id, reason, body, received_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(channel.0)
    .bind(reason)
    .bind(body)
    .bind(now.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn prune_raw_updates(conn: &mut Conn, before: Timestamp) -> Result<i64, StoreError> {
    let deleted = sqlx::query("DELETE FROM raw_updates WHERE received_at < $1")
        .bind(before.0)
        .execute(conn)
        .await?
        .rows_affected();
    Ok(deleted as i64)
}

pub async fn raw_update_count(conn: &mut Conn, channel: ChannelId) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM raw_updates WHERE channel_id = $1")
        .bind(channel.0)
        .fetch_one(conn)
        .await?)
}

/// Goes by where the log stood then: both `activity` and `position` are offsets, so old conversations and
/// old messages cost nothing.
pub async fn channel_traffic(
    conn: &mut Conn,
    scope: &Scope,
    since: Timestamp,
) -> Result<Vec<ChannelTraffic>, StoreError> {
    let horizon: Option<i64> = sqlx::query_scalar(
        "SELECT \"offset\" FROM events WHERE company_id = $1 AND at < $2
         ORDER BY \"offset\" DESC LIMIT 1",
    )
    .bind(scope.company_id.0)
    .bind(since.0)
    .fetch_optional(&mut *conn)
    .await?;
    let rows: Vec<(i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT m.channel_id,
             CAST(SUM(CASE WHEN m.direction = 'incoming' THEN 1 ELSE 0 END) AS BIGINT),
             CAST(SUM(CASE WHEN m.direction = 'outgoing' AND m.status IN ('sent', 'delivered', 'read')
                 THEN 1 ELSE 0 END) AS BIGINT),
             MAX(m.sent_at)
         FROM conversations c JOIN messages m ON m.conversation_id = c.id
         WHERE c.company_id = $1 AND c.activity > $3 AND m.\"position\" > $3 AND m.created_at >= $2
             AND m.direction IN ('incoming', 'outgoing')
         GROUP BY m.channel_id ORDER BY m.channel_id",
    )
    .bind(scope.company_id.0)
    .bind(since.0)
    .bind(horizon.unwrap_or(0))
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(channel_id, received, sent, last_message_at)| ChannelTraffic {
            channel_id: ChannelId(channel_id),
            received,
            sent,
            last_message_at: Timestamp(last_message_at),
        })
        .filter(|traffic| scope.sees_channel(Some(traffic.channel_id)))
        .collect())
}
