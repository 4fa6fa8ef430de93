//! Messages on their way to clients: sending, editing, deleting, and answering a press.

use std::time::Duration;

use hub_domain::channel::{OutboundAttachment, OutboundMessage};
use hub_domain::content::Content;
use hub_domain::{AttachmentState, ChannelId, Message, MessageId};
use hub_store::StoreError;
use hub_store::records::{Address, Delivery};
use serde::Deserialize;

use super::engine::{EngineParts, Ready, channel_for};
use super::outcome::Outcome;
use crate::actions::record_attempt::channel_of;

/// A message of ours with where it goes.
struct Addressed {
    message: Message,
    address: Address,
}

async fn addressed(
    parts: &EngineParts,
    delivery: &Delivery,
) -> Result<Option<Addressed>, StoreError> {
    let Some(company) = delivery.company_id else { return Ok(None) };
    let id = MessageId(delivery.subject_id);
    let mut reader = parts.store.reader().await?;
    let Some(message) = reader.db().message(company, id).await? else { return Ok(None) };
    let address = reader.db().message_address(company, id).await?;
    Ok(address.map(|address| Addressed { message, address }))
}

fn gone() -> Outcome {
    Outcome::refused("subject_gone", "what was to be delivered is not there any more")
}

pub async fn send(parts: &EngineParts, delivery: &Delivery) -> Result<Outcome, StoreError> {
    let Some(Addressed { message, address }) = addressed(parts, delivery).await? else {
        return Ok(gone());
    };
    let id = ChannelId(address.channel_id);
    let Ready { driver, access, .. } = match channel_for(parts, id).await? {
        Ok(ready) => ready,
        Err(outcome) => return Ok(outcome),
    };
    let attachment = match outbound_attachment(parts, &message).await? {
        Ok(attachment) => attachment,
        Err(outcome) => return Ok(outcome),
    };
    let Content::Text { text, .. } = &message.content else { return Ok(gone()) };
    let outbound = OutboundMessage {
        chat_id: address.chat_id,
        text: text.clone(),
        attachment,
        reply_to: address.reply_to_external_id,
    };
    let size = outbound.attachment.as_ref().map_or(0, |file| file.bytes.len() as u64);
    // The driver has a shorter limit of its own; this one bounds a driver that forgot it.
    let limit = parts.config.send_timeout(size) + Duration::from_secs(5);
    Ok(match tokio::time::timeout(limit, driver.send(&access, &outbound)).await {
        Ok(Ok(receipt)) => Outcome::Sent(receipt),
        Ok(Err(error)) => error.into(),
        Err(_) => Outcome::Unknown { code: "timeout".to_owned(), detail: String::new() },
    })
}

async fn outbound_attachment(
    parts: &EngineParts,
    message: &Message,
) -> Result<Result<Option<OutboundAttachment>, Outcome>, StoreError> {
    let Some(attachment) = message.attachments.first() else { return Ok(Ok(None)) };
    let ids = [message.id.0];
    let records = parts.store.reader().await?.db().attachments_of_messages(&ids).await?;
    let record = records.into_iter().find(|record| record.attachment.id == attachment.id);
    let key = record
        .filter(|record| record.attachment.state == AttachmentState::Ready)
        .and_then(|record| record.file_key);
    let Some(key) = key else { return Ok(Err(gone())) };
    match parts.files.read(&key, parts.max_file_bytes).await {
        Ok(bytes) => Ok(Ok(Some(OutboundAttachment {
            kind: attachment.kind,
            file_name: attachment.file_name.clone().unwrap_or_else(|| "file".to_owned()),
            mime_type: attachment
                .mime_type
                .clone()
                .unwrap_or_else(|| "application/octet-stream".to_owned()),
            bytes,
        }))),
        Err(crate::files::FilesError::Missing) => Ok(Err(gone())),
        Err(error) => {
            tracing::error!(%error, message.id = message.id.0, "a file cannot be read");
            Ok(Err(Outcome::retry("file_storage_failed", "the file could not be read")))
        }
    }
}

#[derive(Debug, Deserialize)]
struct EditPayload {
    text: String,
    caption: bool,
}

pub async fn edit(parts: &EngineParts, delivery: &Delivery) -> Result<Outcome, StoreError> {
    match serde_json::from_str::<EditPayload>(&delivery.payload) {
        Ok(payload) => change(parts, delivery, Change::Edit(payload)).await,
        Err(_) => Ok(gone()),
    }
}

pub async fn delete(parts: &EngineParts, delivery: &Delivery) -> Result<Outcome, StoreError> {
    change(parts, delivery, Change::Delete).await
}

/// What is to happen to a message that the client has.
enum Change {
    Edit(EditPayload),
    Delete,
}

async fn change(
    parts: &EngineParts,
    delivery: &Delivery,
    change: Change,
) -> Result<Outcome, StoreError> {
    let Some(Addressed { address, .. }) = addressed(parts, delivery).await? else {
        return Ok(gone());
    };
    let Some(external_id) = address.external_id else {
        return Ok(Outcome::refused("never_sent", "the message has no number at the provider"));
    };
    let id = ChannelId(address.channel_id);
    let Ready { driver, access, .. } = match channel_for(parts, id).await? {
        Ok(ready) => ready,
        Err(outcome) => return Ok(outcome),
    };
    let changed = match change {
        Change::Edit(EditPayload { text, caption }) => {
            driver.edit(&access, &external_id, &text, caption).await
        }
        Change::Delete => driver.delete(&access, &external_id).await,
    };
    Ok(match changed {
        Ok(()) => Outcome::Done,
        Err(error) => error.into(),
    })
}

#[derive(Debug, Deserialize)]
struct ButtonPayload {
    external_id: String,
}

pub async fn answer_button(
    parts: &EngineParts,
    delivery: &Delivery,
) -> Result<Outcome, StoreError> {
    let Ok(payload) = serde_json::from_str::<ButtonPayload>(&delivery.payload) else {
        return Ok(gone());
    };
    let Some(channel) = channel_of(delivery) else { return Ok(gone()) };
    let Ready { driver, access, .. } = match channel_for(parts, channel).await? {
        Ok(ready) => ready,
        Err(outcome) => return Ok(outcome),
    };
    Ok(match driver.answer_button(&access, &payload.external_id).await {
        Ok(()) => Outcome::Done,
        Err(error) => error.into(),
    })
}
