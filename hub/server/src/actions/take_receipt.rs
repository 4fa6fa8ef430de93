//! A visitor of a site widget has got, or read, what members sent.

use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::message::StatusChange;
use hub_domain::{ChannelId, CompanyId, ConversationId, MessageId};
use hub_store::{Store, StoreError};

use super::refresh_preview;

/// Most messages told of at once; the visitor says it again with the next message.
const MESSAGES: i64 = 200;

/// Marks the messages of ours up to position `through`.
pub async fn take_receipt(
    store: &Store,
    company: CompanyId,
    channel: ChannelId,
    conversation: ConversationId,
    through: i64,
    read: bool,
) -> Result<(), StoreError> {
    let waiting = store
        .reader()
        .await?
        .db()
        .messages_without_receipt(conversation, through, read, MESSAGES)
        .await?;
    // Mostly there is nothing new to say, and that needs no place among the writes.
    if waiting.is_empty() {
        return Ok(());
    }
    let change = if read { StatusChange::ReadReceipt } else { StatusChange::DeliveredReceipt };
    store
        .write(company, move |tx| {
            Box::pin(async move {
                for id in waiting {
                    let message = tx.db().message(company, MessageId(id)).await?;
                    let Some(mut message) = message else { continue };
                    let next = message.status.and_then(|status| status.after(change));
                    let Some(next) = next else { continue };
                    message.status = Some(next);
                    message.failure = None;
                    let found = tx.db().conversation_of_company(company, conversation).await?;
                    let conversation = found.map(|mut conversation| {
                        refresh_preview(&mut conversation, &message);
                        conversation
                    });
                    let changes =
                        Changes { message: Some(message), conversation, ..Changes::default() };
                    let origin = Origin::Channel { channel_id: channel };
                    tx.append(EventType::MessageStatusChanged, origin, Some(channel), changes)
                        .await?;
                }
                Ok(())
            })
        })
        .await
}
