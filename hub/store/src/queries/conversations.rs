//! Conversations and read markers.

use hub_domain::conversation::ReadMarker;
use hub_domain::{
    ChannelId, CompanyId, ContactCard, ContactId, Conversation, ConversationId, ConversationState,
    MemberId, Scope, Timestamp, Visibility,
};
use sqlx::AssertSqlSafe;

use super::{Conn, dialect};
use crate::StoreError;

/// The columns of a [`ConversationRow`], from `conversations c`, `contacts p`, `contact_identities i`.
pub const COLUMNS: &str = "c.id, c.company_id, c.channel_id, c.contact_id, p.name AS contact_name, \
     p.named_by_member, p.phone AS contact_phone, p.phone_by_member, i.username AS contact_username, \
     p.comment AS contact_comment, c.state, c.assignee_id, c.unanswered_count, c.waiting_since, c.activity, c.last_incoming_position, \
     c.last_message, c.reachable, c.version, c.created_at";
pub const FROM: &str = "FROM conversations c JOIN contacts p ON p.id = c.contact_id \
     JOIN contact_identities i ON i.id = c.identity_id";

#[derive(sqlx::FromRow)]
pub struct ConversationRow {
    pub id: i64,
    pub company_id: i64,
    pub channel_id: i64,
    pub contact_id: i64,
    pub contact_name: String,
    pub named_by_member: bool,
    pub contact_phone: Option<String>,
    pub phone_by_member: bool,
    pub contact_username: Option<String>,
    pub contact_comment: String,
    pub state: String,
    pub assignee_id: Option<i64>,
    pub unanswered_count: i64,
    pub waiting_since: Option<i64>,
    pub activity: i64,
    pub last_incoming_position: i64,
    pub last_message: Option<String>,
    pub reachable: bool,
    pub version: i64,
    pub created_at: i64,
}

impl TryFrom<ConversationRow> for Conversation {
    type Error = StoreError;

    fn try_from(row: ConversationRow) -> Result<Self, StoreError> {
        let id = row.id;
        let unknown = |what: &str| StoreError::inconsistent(format!("{what} of conversation {id}"));
        Ok(Self {
            id: ConversationId(row.id),
            company_id: CompanyId(row.company_id),
            channel_id: ChannelId(row.channel_id),
            contact: ContactCard {
                id: ContactId(row.contact_id),
                name: row.contact_name,
                named_by_member: row.named_by_member,
                phone: row.contact_phone,
                phone_by_member: row.phone_by_member,
                username: row.contact_username,
                comment: row.contact_comment,
            },
            state: ConversationState::parse(&row.state).ok_or_else(|| unknown("state"))?,
            assignee_id: row.assignee_id.map(MemberId),
            unanswered_count: row.unanswered_count,
            waiting_since: row.waiting_since.map(Timestamp),
            activity: row.activity,
            last_incoming_position: row.last_incoming_position,
            last_message: row
                .last_message
                .map(|json| serde_json::from_str(&json).map_err(|_| unknown("last message")))
                .transpose()?,
            reachable: row.reachable,
            created_at: Timestamp(row.created_at),
            version: row.version,
        })
    }
}

/// The member's visibility as two parameters: whether it is narrowed, and to which channels.
pub fn visible(scope: &Scope) -> (bool, Vec<i64>) {
    match &scope.visibility {
        Visibility::All => (true, Vec::new()),
        Visibility::Channels(channels) => (false, channels.iter().map(|id| id.0).collect()),
    }
}

pub async fn conversation(
    conn: &mut Conn,
    scope: &Scope,
    id: ConversationId,
) -> Result<Option<Conversation>, StoreError> {
    let found = conversation_of_company(conn, scope.company_id, id).await?;
    Ok(found.filter(|conversation| scope.sees_channel(Some(conversation.channel_id))))
}

pub async fn conversation_of_company(
    conn: &mut Conn,
    company: CompanyId,
    id: ConversationId,
) -> Result<Option<Conversation>, StoreError> {
    let sql = format!("SELECT {COLUMNS} {FROM} WHERE c.company_id = $1 AND c.id = $2");
    let row: Option<ConversationRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(company.0).bind(id.0).fetch_optional(conn).await?;
    row.map(Conversation::try_from).transpose()
}

pub async fn conversation_of_identity(
    conn: &mut Conn,
    channel: ChannelId,
    external_id: &str,
) -> Result<Option<Conversation>, StoreError> {
    let sql = format!("SELECT {COLUMNS} {FROM} WHERE i.channel_id = $1 AND i.external_id = $2");
    let row: Option<ConversationRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(channel.0)
        .bind(external_id)
        .fetch_optional(conn)
        .await?;
    row.map(Conversation::try_from).transpose()
}

pub async fn save_conversation(
    conn: &mut Conn,
    conversation: &Conversation,
) -> Result<(), StoreError> {
    let last_message = conversation
        .last_message
        .as_ref()
        .map(serde_json::to_string)
        .transpose()
        .map_err(|error| StoreError::inconsistent(error.to_string()))?;
    sqlx::query(
        "UPDATE conversations SET state = $3, assignee_id = $4, unanswered_count = $5,
             waiting_since = $6, activity = $7, last_incoming_position = $8, last_message = $9,
             last_message_at = $10, reachable = $11, version = $12
         WHERE company_id = $1 AND id = $2",
    )
    .bind(conversation.company_id.0)
    .bind(conversation.id.0)
    .bind(conversation.state.as_str())
    .bind(conversation.assignee_id.map(|id| id.0))
    .bind(conversation.unanswered_count)
    .bind(conversation.waiting_since.map(|at| at.0))
    .bind(conversation.activity)
    .bind(conversation.last_incoming_position)
    .bind(last_message)
    .bind(conversation.last_message_at().0)
    .bind(conversation.reachable)
    .bind(conversation.version)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_last_place(
    conn: &mut Conn,
    id: ConversationId,
    position: i64,
    ordinal: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET last_position = $2, last_ordinal = $3 WHERE id = $1")
        .bind(id.0)
        .bind(position)
        .bind(ordinal)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn raise_max_ordinal(
    conn: &mut Conn,
    id: ConversationId,
    ordinal: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET max_ordinal = $2 WHERE id = $1 AND max_ordinal < $2")
        .bind(id.0)
        .bind(ordinal)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn set_reachable(
    conn: &mut Conn,
    id: ConversationId,
    reachable: bool,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let before: Option<bool> = sqlx::query_scalar(
        "SELECT reachable FROM conversations WHERE id = $1 AND reachable_at <= $2",
    )
    .bind(id.0)
    .bind(at.0)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(before) = before else { return Ok(false) };
    sqlx::query("UPDATE conversations SET reachable = $2, reachable_at = $3 WHERE id = $1")
        .bind(id.0)
        .bind(reachable)
        .bind(at.0)
        .execute(conn)
        .await?;
    Ok(before != reachable)
}

fn marker_from(
    (member_id, conversation_id, position, version): (i64, i64, i64, i64),
) -> ReadMarker {
    ReadMarker {
        conversation_id: ConversationId(conversation_id),
        member_id: MemberId(member_id),
        position,
        version,
    }
}

pub async fn read_marker(
    conn: &mut Conn,
    member: MemberId,
    id: ConversationId,
) -> Result<Option<ReadMarker>, StoreError> {
    Ok(read_markers(conn, member, &[id.0]).await?.pop())
}

pub async fn read_markers(
    conn: &mut Conn,
    member: MemberId,
    ids: &[i64],
) -> Result<Vec<ReadMarker>, StoreError> {
    let sql = format!(
        "SELECT member_id, conversation_id, \"position\", version FROM read_markers
         WHERE member_id = $1 AND conversation_id {}",
        dialect::in_ids(2)
    );
    let rows: Vec<(i64, i64, i64, i64)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(member.0)
        .bind(dialect::ids(ids))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(marker_from).collect())
}

pub async fn save_read_marker(conn: &mut Conn, marker: &ReadMarker) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO read_markers (member_id, conversation_id, \"position\", version)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (member_id, conversation_id) DO UPDATE SET
             \"position\" = excluded.\"position\", version = excluded.version
         WHERE excluded.\"position\" > read_markers.\"position\"",
    )
    .bind(marker.member_id.0)
    .bind(marker.conversation_id.0)
    .bind(marker.position)
    .bind(marker.version)
    .execute(conn)
    .await?;
    Ok(())
}
