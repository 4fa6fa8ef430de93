//! Drafts: what members have begun to write. Only ever read by the member who wrote.

use hub_domain::{ConversationId, Draft, MemberId, MessageId, Timestamp};

use super::Conn;
use crate::StoreError;

type DraftRow = (i64, String, String, Option<i64>, i64);

pub async fn drafts(conn: &mut Conn, member: MemberId) -> Result<Vec<Draft>, StoreError> {
    let rows: Vec<DraftRow> = sqlx::query_as(
        "SELECT conversation_id, text, note, reply_to_message_id, changed_at FROM drafts
         WHERE member_id = $1 ORDER BY conversation_id",
    )
    .bind(member.0)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(conversation_id, text, note, reply_to_message_id, changed_at)| Draft {
            conversation_id: ConversationId(conversation_id),
            text,
            note,
            reply_to_message_id: reply_to_message_id.map(MessageId),
            changed_at: Timestamp(changed_at),
        })
        .collect())
}

pub async fn save_draft(
    conn: &mut Conn,
    member: MemberId,
    draft: &Draft,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO drafts (member_id, conversation_id, text, note, reply_to_message_id, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (member_id, conversation_id) DO UPDATE SET text = excluded.text,
             note = excluded.note, reply_to_message_id = excluded.reply_to_message_id,
             changed_at = excluded.changed_at",
    )
    .bind(member.0)
    .bind(draft.conversation_id.0)
    .bind(&draft.text)
    .bind(&draft.note)
    .bind(draft.reply_to_message_id.map(|id| id.0))
    .bind(draft.changed_at.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn delete_draft(
    conn: &mut Conn,
    member: MemberId,
    conversation: ConversationId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM drafts WHERE member_id = $1 AND conversation_id = $2")
        .bind(member.0)
        .bind(conversation.0)
        .execute(conn)
        .await?;
    Ok(())
}
