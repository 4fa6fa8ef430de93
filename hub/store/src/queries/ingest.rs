//! The set-based statements of storing what clients write: one statement a table for a whole set.

use hub_domain::channel::Sender;
use hub_domain::{ChannelId, CompanyId, Conversation, ConversationId, MessageId, Timestamp};

use super::conversations::{self, ConversationRow};
use super::{Conn, dialect};
use crate::StoreError;
use crate::given::{GivenAttachment, GivenConversation, GivenKey, GivenMessage, columns};
use crate::records::{KnownIdentity, MessageKey};

#[derive(sqlx::FromRow)]
struct KnownIdentityRow {
    identity_external_id: String,
    chat_id: String,
    identity_id: i64,
    last_position: i64,
    last_ordinal: i64,
    max_ordinal: i64,
    reachable_at: i64,
    #[sqlx(flatten)]
    conversation: ConversationRow,
}

/// Identities with their conversations.
pub async fn known_identities(
    conn: &mut Conn,
    keys: &[GivenKey<'_>],
) -> Result<Vec<KnownIdentity>, StoreError> {
    let found: Vec<KnownIdentityRow> = dialect::fetch_given(conn, keys, |source| {
        format!(
            "SELECT i.external_id AS identity_external_id, i.chat_id, i.id AS identity_id,
                 c.last_position, c.last_ordinal, c.max_ordinal, c.reachable_at, {columns}
             FROM {source}
             {join} contact_identities i
                 ON i.channel_id = r.channel_id AND i.external_id = r.external_id
             {join} conversations c ON c.identity_id = i.id
             {join} contacts p ON p.id = c.contact_id",
            columns = conversations::COLUMNS,
            join = dialect::FOR_EACH_JOIN,
        )
    })
    .await?;
    found
        .into_iter()
        .map(|row| {
            let username = row.conversation.contact_username.clone();
            let conversation = Conversation::try_from(row.conversation)?;
            Ok(KnownIdentity {
                channel_id: conversation.channel_id.0,
                external_id: row.identity_external_id,
                chat_id: row.chat_id,
                identity_id: row.identity_id,
                username,
                conversation,
                last_position: row.last_position,
                last_ordinal: row.last_ordinal,
                max_ordinal: row.max_ordinal,
                reachable_at: row.reachable_at,
            })
        })
        .collect()
}

/// Messages stored already: channel, external id, id, conversation.
pub async fn known_messages(
    conn: &mut Conn,
    keys: &[GivenKey<'_>],
) -> Result<Vec<(i64, String, i64, i64)>, StoreError> {
    dialect::fetch_given(conn, keys, |source| {
        format!(
            "SELECT m.channel_id, m.external_id, m.id, m.conversation_id FROM {source}
             {join} messages m ON m.channel_id = r.channel_id AND m.external_id = r.external_id",
            join = dialect::FOR_EACH_JOIN,
        )
    })
    .await
}

/// A new client: the contact and the identity. Returns their ids.
pub async fn insert_identity(
    conn: &mut Conn,
    company: CompanyId,
    channel: ChannelId,
    sender: &Sender,
    phone: Option<&str>,
    now: Timestamp,
) -> Result<(i64, i64), StoreError> {
    let contact: i64 = sqlx::query_scalar(
        "INSERT INTO contacts (company_id, name, phone, created_at) VALUES ($1, $2, $3, $4)
         RETURNING id",
    )
    .bind(company.0)
    .bind(&sender.name)
    .bind(phone)
    .bind(now.0)
    .fetch_one(&mut *conn)
    .await?;
    let identity: i64 = sqlx::query_scalar(
        "INSERT INTO contact_identities (company_id, channel_id, contact_id, external_id, chat_id,
             username, language, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
    )
    .bind(company.0)
    .bind(channel.0)
    .bind(contact)
    .bind(&sender.external_id)
    .bind(&sender.chat_id)
    .bind(&sender.username)
    .bind(&sender.language)
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    Ok((contact, identity))
}

pub async fn insert_conversation(
    conn: &mut Conn,
    company: CompanyId,
    channel: ChannelId,
    contact: i64,
    identity: i64,
    activity: i64,
    now: Timestamp,
) -> Result<ConversationId, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO conversations (company_id, channel_id, contact_id, identity_id, state, activity,
             version, created_at)
         VALUES ($1, $2, $3, $4, 'open', $5, $5, $6) RETURNING id",
    )
    .bind(company.0)
    .bind(channel.0)
    .bind(contact)
    .bind(identity)
    .bind(activity)
    .bind(now.0)
    .fetch_one(conn)
    .await?;
    Ok(ConversationId(id))
}

/// Where a message stands that came late: at the position of the first one that the provider places
/// after it, so that its ordinal puts it before; `None`: at the end.
///
/// Never before a message with a lower ordinal. The two orders may cross: a message of ours takes its
/// position when it is written, and its ordinal when the provider accepts it.
pub async fn position_of_late(
    conn: &mut Conn,
    conversation: ConversationId,
    ordinal: i64,
) -> Result<Option<i64>, StoreError> {
    let after: Option<i64> = sqlx::query_scalar(
        "SELECT \"position\" FROM messages WHERE conversation_id = $1 AND ordinal > $2
         ORDER BY ordinal LIMIT 1",
    )
    .bind(conversation.0)
    .bind(ordinal)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(after) = after else { return Ok(None) };
    let before: Option<i64> = sqlx::query_scalar(
        "SELECT \"position\" FROM messages
         WHERE conversation_id = $1 AND ordinal > 0 AND ordinal < $2
         ORDER BY \"position\" DESC LIMIT 1",
    )
    .bind(conversation.0)
    .bind(ordinal)
    .fetch_optional(conn)
    .await?;
    Ok(Some(before.map_or(after, |before| before.max(after))))
}

/// How many messages of the client stand behind `key` that were stored before the event `version`,
/// and when the first of them was.
pub async fn unanswered_after(
    conn: &mut Conn,
    conversation: ConversationId,
    key: MessageKey,
    version: i64,
) -> Result<(i64, Option<Timestamp>), StoreError> {
    let (count, since): (i64, Option<i64>) = sqlx::query_as(
        "SELECT COUNT(*), MIN(created_at) FROM messages
         WHERE conversation_id = $1 AND (\"position\", ordinal, id) > ($2, $3, $4)
           AND direction = 'incoming' AND version < $5",
    )
    .bind(conversation.0)
    .bind(key.position)
    .bind(key.ordinal)
    .bind(key.id)
    .bind(version)
    .fetch_one(conn)
    .await?;
    Ok((count, since.map(Timestamp)))
}

/// Inserts messages; returns `(id, channel, external id)`.
pub async fn insert_incoming(
    conn: &mut Conn,
    messages: &[GivenMessage<'_>],
) -> Result<Vec<(i64, i64, String)>, StoreError> {
    dialect::fetch_given(conn, messages, |source| {
        format!(
            "INSERT INTO messages ({}) SELECT {} FROM {source} RETURNING id, channel_id, external_id",
            columns::<GivenMessage<'_>>(|name| format!("\"{name}\"")),
            columns::<GivenMessage<'_>>(|name| format!("r.\"{name}\"")),
        )
    })
    .await
}

pub async fn set_reply(
    conn: &mut Conn,
    id: MessageId,
    quoted: MessageId,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE messages SET reply_to_message_id = $2 WHERE id = $1")
        .bind(id.0)
        .bind(quoted.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Inserts files of messages; returns `(id, message, place)`.
pub async fn insert_incoming_attachments(
    conn: &mut Conn,
    files: &[GivenAttachment<'_>],
) -> Result<Vec<(i64, i64, i64)>, StoreError> {
    dialect::fetch_given(conn, files, |source| {
        format!(
            "INSERT INTO attachments ({}) SELECT {} FROM {source} RETURNING id, message_id, place",
            columns::<GivenAttachment<'_>>(str::to_owned),
            columns::<GivenAttachment<'_>>(|name| format!("r.{name}")),
        )
    })
    .await
}

/// What new messages change in their conversations.
pub async fn update_conversations(
    conn: &mut Conn,
    conversations: &[GivenConversation],
) -> Result<(), StoreError> {
    let changed = dialect::execute_given(conn, conversations, |source| {
        format!(
            "UPDATE conversations SET {} FROM {source} WHERE conversations.id = r.id",
            columns::<GivenConversation>(|name| format!("{name} = r.{name}")).replacen(
                "id = r.id, ",
                "",
                1
            ),
        )
    })
    .await?;
    if changed == conversations.len() as u64 {
        Ok(())
    } else {
        Err(StoreError::inconsistent("a conversation that was just read is not there"))
    }
}

pub async fn update_contact(
    conn: &mut Conn,
    contact: i64,
    name: &str,
    phone: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE contacts SET name = $2, phone = $3 WHERE id = $1")
        .bind(contact)
        .bind(name)
        .bind(phone)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn update_identity(
    conn: &mut Conn,
    identity: i64,
    chat_id: &str,
    username: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE contact_identities SET chat_id = $2, username = $3 WHERE id = $1")
        .bind(identity)
        .bind(chat_id)
        .bind(username)
        .execute(conn)
        .await?;
    Ok(())
}
