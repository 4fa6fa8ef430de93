//! An administrator has a dead letter delivered after all.

use hub_domain::delivery::{DeliveryKind, DeliveryState};
use hub_domain::event::{Changes, EventType};
use hub_domain::message::StatusChange;
use hub_domain::{AttachmentId, DeliveryId, MessageId, Scope};
use hub_store::records::Delivery;
use hub_store::{Store, Tx};

use super::record_attempt::channel_of;
use super::{by_member, channel_in_use, refresh_preview};
use crate::error::{ApiError, Code};

/// Puts a dead or unknown delivery back into its lane, where it was.
pub async fn replay_delivery(
    store: &Store,
    scope: &Scope,
    id: DeliveryId,
) -> Result<Delivery, ApiError> {
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let delivery = tx
                    .db()
                    .delivery(id)
                    .await?
                    .filter(|delivery| delivery.company_id == Some(scope.company_id))
                    .ok_or_else(ApiError::not_found)?;
                if !matches!(delivery.state, DeliveryState::Dead | DeliveryState::Unknown) {
                    return Err(ApiError::from(Code::StatusConflict));
                }
                if delivery.kind != DeliveryKind::ConfigureChannel
                    && let Some(channel) = channel_of(&delivery)
                {
                    channel_in_use(tx, scope.company_id, channel).await?;
                }
                match delivery.kind {
                    DeliveryKind::SendMessage => requeue_message(tx, &scope, &delivery).await?,
                    DeliveryKind::FetchAttachment => {
                        let attachment = AttachmentId(delivery.subject_id);
                        requeue_attachment(tx, &scope, attachment).await?;
                    }
                    _ => {}
                }
                let now = tx.now();
                tx.db().set_delivery_state(id, delivery.state, DeliveryState::Pending, now).await?;
                tx.wake_deliveries();
                tx.db().delivery(id).await?.ok_or_else(ApiError::not_found)
            })
        })
        .await
}

async fn requeue_message(tx: &mut Tx, scope: &Scope, delivery: &Delivery) -> Result<(), ApiError> {
    let company = scope.company_id;
    let id = MessageId(delivery.subject_id);
    let mut message = tx.db().message(company, id).await?.ok_or_else(ApiError::not_found)?;
    // Sent again by hand meanwhile, or deleted: a replay would be a double.
    let next = message
        .status
        .filter(|_| message.deleted_at.is_none())
        .and_then(|status| status.after(StatusChange::SendAgain))
        .ok_or(Code::StatusConflict)?;
    message.status = Some(next);
    message.failure = None;
    message.retry_at = None;
    let mut conversation = tx
        .db()
        .conversation(scope, message.conversation_id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    refresh_preview(&mut conversation, &message);
    let channel_id = Some(conversation.channel_id);
    let changes =
        Changes { message: Some(message), conversation: Some(conversation), ..Changes::default() };
    tx.append(EventType::MessageStatusChanged, by_member(scope), channel_id, changes).await?;
    Ok(())
}

async fn requeue_attachment(tx: &mut Tx, scope: &Scope, id: AttachmentId) -> Result<(), ApiError> {
    let company = scope.company_id;
    let mut record = tx.db().attachment(company, id).await?.ok_or_else(ApiError::not_found)?;
    record.attachment.state = hub_domain::AttachmentState::Pending;
    record.attachment.failure = None;
    tx.db().save_attachment(company, &record).await?;
    let Some(message) = record.message_id else { return Ok(()) };
    let message = tx.db().message(company, message).await?.ok_or_else(ApiError::not_found)?;
    let changes = Changes { message: Some(message), ..Changes::default() };
    let channel_id = Some(record.channel_id);
    tx.append(EventType::AttachmentChanged, by_member(scope), channel_id, changes).await?;
    Ok(())
}
