//! What a member does to a message of our side after it was written: edit, delete, send again, settle
//! an unknown outcome.

use hub_domain::content::{self, Content};
use hub_domain::delivery::{DeliveryKind, DeliveryState};
use hub_domain::event::{Changes, EventType};
use hub_domain::message::StatusChange;
use hub_domain::{Conversation, ConversationId, Message, MessageId, MessageStatus, Role, Scope};
use hub_store::records::NewDelivery;
use hub_store::{Store, Tx};
use serde_json::json;

use super::send_message::{check_text, enqueue_send};
use super::{
    by_member, changeable_message, channel_in_use, channel_target, conversation_lane,
    refresh_preview,
};
use crate::error::{ApiError, Code};

/// A change a member asks for.
#[derive(Debug, Clone)]
pub enum MessageChange {
    /// Replace the text.
    Edit {
        text: String,
    },
    Delete,
    /// A new attempt after `failed`, or after `unknown` at the risk of a double.
    SendAgain,
    /// The member knows that an unknown message did arrive.
    ConsiderSent,
}

pub async fn change_message(
    store: &Store,
    scope: &Scope,
    conversation: ConversationId,
    id: MessageId,
    change: MessageChange,
) -> Result<Message, ApiError> {
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let (message, conversation) =
                    changeable_message(tx, &scope, conversation, id).await?;
                match change {
                    MessageChange::Edit { text } => {
                        edit(tx, &scope, message, conversation, text).await
                    }
                    MessageChange::Delete => delete(tx, &scope, message, conversation).await,
                    MessageChange::SendAgain => send_again(tx, &scope, message, conversation).await,
                    MessageChange::ConsiderSent => {
                        consider_sent(tx, &scope, message, conversation).await
                    }
                }
            })
        })
        .await
}

async fn append(
    tx: &mut Tx,
    scope: &Scope,
    event_type: EventType,
    message: Message,
    mut conversation: Conversation,
) -> Result<Message, ApiError> {
    refresh_preview(&mut conversation, &message);
    let channel_id = Some(conversation.channel_id);
    let changes =
        Changes { message: Some(message), conversation: Some(conversation), ..Changes::default() };
    let changes = tx.append(event_type, by_member(scope), channel_id, changes).await?;
    changes
        .message
        .ok_or_else(|| ApiError::internal(anyhow::anyhow!("an appended message has gone")))
}

fn may_rewrite(scope: &Scope, message: &Message) -> Result<(), ApiError> {
    let own = message.author_member_id == Some(scope.member_id);
    if own || scope.role.covers(Role::Administrator) { Ok(()) } else { Err(Code::Forbidden.into()) }
}

async fn enqueue(
    tx: &mut Tx,
    kind: DeliveryKind,
    conversation: &Conversation,
    message: &Message,
    payload: serde_json::Value,
) -> Result<(), ApiError> {
    let now = tx.now();
    let delivery = NewDelivery {
        company_id: Some(conversation.company_id),
        kind,
        lane: conversation_lane(conversation.id),
        target: channel_target(conversation.channel_id),
        subject_id: message.id.0,
        payload: payload.to_string(),
        not_before: now,
    };
    tx.db().insert_deliveries(&[delivery], now).await?;
    tx.wake_deliveries();
    Ok(())
}

async fn edit(
    tx: &mut Tx,
    scope: &Scope,
    mut message: Message,
    conversation: Conversation,
    text: String,
) -> Result<Message, ApiError> {
    may_rewrite(scope, &message)?;
    let text = content::without_nul(text);
    let channel = channel_in_use(tx, scope.company_id, conversation.channel_id).await?;
    if !channel.capabilities.edit {
        return Err(Code::EditNotSupported.into());
    }
    let caption = !message.attachments.is_empty();
    if text.trim().is_empty() && !caption {
        return Err(ApiError::from(Code::TextEmpty).field("text"));
    }
    let (limit, code) = if caption {
        (channel.capabilities.caption_limit, Code::CaptionTooLong)
    } else {
        (channel.capabilities.text_limit, Code::TextTooLong)
    };
    check_text(&text, limit, code)?;
    let waits = message.status == Some(MessageStatus::Queued);
    let arrived = message.status.is_some_and(|status| status.confirmed() > 0);
    if message.deleted_at.is_some() || !(waits || arrived) {
        return Err(Code::StatusConflict.into());
    }
    message.content = Content::text(text.clone());
    message.failure = None;
    if arrived {
        message.edited_at = Some(tx.now());
        // Several edits may wait in the lane: each carries its own text, so the last one wins.
        let payload = json!({ "text": text, "caption": caption });
        enqueue(tx, DeliveryKind::EditMessage, &conversation, &message, payload).await?;
    }
    append(tx, scope, EventType::MessageEdited, message, conversation).await
}

async fn delete(
    tx: &mut Tx,
    scope: &Scope,
    mut message: Message,
    conversation: Conversation,
) -> Result<Message, ApiError> {
    may_rewrite(scope, &message)?;
    if message.deleted_at.is_some() {
        return Ok(message);
    }
    match message.status {
        Some(MessageStatus::Queued) => {
            let queued = tx.db().delivery_of_subject(message.id.0, "send_message").await?;
            let Some(delivery) = queued else { return Err(Code::StatusConflict.into()) };
            let now = tx.now();
            let cancelled = tx
                .db()
                .set_delivery_state(
                    delivery.id,
                    DeliveryState::Pending,
                    DeliveryState::Cancelled,
                    now,
                )
                .await?;
            // Claimed in this very moment: it is on its way.
            if !cancelled {
                return Err(Code::StatusConflict.into());
            }
        }
        Some(MessageStatus::Failed | MessageStatus::Unknown) => {
            give_up(tx, &message, DeliveryState::Cancelled).await?;
        }
        Some(status) if status.confirmed() > 0 => {
            let channel = channel_in_use(tx, scope.company_id, conversation.channel_id).await?;
            if !channel.capabilities.delete {
                return Err(Code::DeleteNotSupported.into());
            }
            enqueue(tx, DeliveryKind::DeleteMessage, &conversation, &message, json!({})).await?;
        }
        _ => return Err(Code::StatusConflict.into()),
    }
    message.deleted_at = Some(tx.now());
    append(tx, scope, EventType::MessageDeleted, message, conversation).await
}

fn changed(message: &mut Message, change: StatusChange) -> Result<(), ApiError> {
    let next = message
        .status
        .filter(|_| message.deleted_at.is_none())
        .and_then(|status| status.after(change))
        .ok_or(Code::StatusConflict)?;
    message.status = Some(next);
    Ok(())
}

/// The last send of the message, dead or unknown, has found its end otherwise: nobody need look at it.
async fn give_up(tx: &mut Tx, message: &Message, end: DeliveryState) -> Result<(), ApiError> {
    let last = tx.db().delivery_of_subject(message.id.0, "send_message").await?;
    let Some(last) = last else { return Ok(()) };
    if matches!(last.state, DeliveryState::Dead | DeliveryState::Unknown) {
        let now = tx.now();
        tx.db().set_delivery_state(last.id, last.state, end, now).await?;
    }
    Ok(())
}

async fn send_again(
    tx: &mut Tx,
    scope: &Scope,
    mut message: Message,
    conversation: Conversation,
) -> Result<Message, ApiError> {
    channel_in_use(tx, scope.company_id, conversation.channel_id).await?;
    changed(&mut message, StatusChange::SendAgain)?;
    message.failure = None;
    message.retry_at = None;
    give_up(tx, &message, DeliveryState::Cancelled).await?;
    enqueue_send(tx, &conversation, &message).await?;
    append(tx, scope, EventType::MessageStatusChanged, message, conversation).await
}

async fn consider_sent(
    tx: &mut Tx,
    scope: &Scope,
    mut message: Message,
    conversation: Conversation,
) -> Result<Message, ApiError> {
    changed(&mut message, StatusChange::ConsiderSent)?;
    message.failure = None;
    give_up(tx, &message, DeliveryState::Done).await?;
    append(tx, scope, EventType::MessageStatusChanged, message, conversation).await
}
