//! A member asks again for a client's file that could not be fetched.

use hub_domain::event::{Changes, EventType};
use hub_domain::{AttachmentId, AttachmentState, Scope};
use hub_store::Store;
use hub_store::ingest::fetch_delivery;

use super::{by_member, channel_in_use, visible_conversation};
use crate::error::{ApiError, Code};

pub async fn fetch_attachment(
    store: &Store,
    scope: &Scope,
    id: AttachmentId,
) -> Result<(), ApiError> {
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let company = scope.company_id;
                let mut record =
                    tx.db().attachment(company, id).await?.ok_or_else(ApiError::not_found)?;
                let message = record.message_id.ok_or_else(ApiError::not_found)?;
                let message =
                    tx.db().message(company, message).await?.ok_or_else(ApiError::not_found)?;
                let conversation =
                    visible_conversation(tx, &scope, message.conversation_id).await?;
                if record.attachment.state != AttachmentState::Unavailable
                    || record.file_ref.is_none()
                {
                    return Err(ApiError::from(Code::StatusConflict));
                }
                channel_in_use(tx, company, record.channel_id).await?;
                record.attachment.state = AttachmentState::Pending;
                record.attachment.failure = None;
                tx.db().save_attachment(company, &record).await?;
                let now = tx.now();
                let delivery = fetch_delivery(company, record.channel_id, id, now);
                tx.db().insert_deliveries(&[delivery], now).await?;
                tx.wake_deliveries();
                let message =
                    tx.db().message(company, message.id).await?.ok_or_else(ApiError::not_found)?;
                let channel_id = Some(conversation.channel_id);
                let changes = Changes { message: Some(message), ..Changes::default() };
                tx.append(EventType::AttachmentChanged, by_member(&scope), channel_id, changes)
                    .await?;
                Ok(())
            })
        })
        .await
}
