//! The two halves of an attempt: stored before the call, settled after it.
//!
//! Between them the process may die. What it leaves is an open attempt, which the engine finds when the
//! lease ends: repeated when repeating is harmless, shown as unknown when it is not.

use hub_domain::attachment::AttachmentState;
use hub_domain::channel::{Channel, ChannelState};
use hub_domain::delivery::{DeliveryKind, DeliveryState};
use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::message::{Failure, StatusChange};
use hub_domain::{AttachmentId, ChannelId, MessageId, Timestamp};
use hub_store::records::{AttemptEnd, Delivery};
use hub_store::{StoreError, Tx};

use super::change_channel::observe_state;
use super::refresh_preview;
use crate::delivery::outcome::{Outcome, Settled};

/// Stores the attempt. `None`: the delivery is not ours any more, and must not be made.
pub async fn start_attempt(
    tx: &mut Tx,
    delivery: &Delivery,
    owner: &str,
) -> Result<Option<i64>, StoreError> {
    let now = tx.now();
    let Some(number) = tx.db().start_attempt(delivery.id, owner, now).await? else {
        return Ok(None);
    };
    if delivery.kind == DeliveryKind::SendMessage {
        change_status(tx, delivery, StatusChange::AttemptStarted, None, None).await?;
    }
    Ok(Some(number))
}

/// Settles an attempt: what it left behind, and what becomes of the delivery. `false`: the delivery is
/// not ours any more; nothing was written.
pub async fn end_attempt(
    tx: &mut Tx,
    delivery: &Delivery,
    owner: &str,
    number: i64,
    outcome: &Outcome,
    settled: &Settled,
) -> Result<bool, StoreError> {
    let now = tx.now();
    let end = AttemptEnd {
        outcome: settled.outcome,
        error_code: outcome.code().map(ToOwned::to_owned),
        error_detail: outcome.detail().map(ToOwned::to_owned),
        retry_at: settled.retry_at,
    };
    let ours = tx
        .db()
        .settle_delivery(delivery.id, owner, settled.state, settled.retry_at, &end, now)
        .await?;
    if !ours {
        return Ok(false);
    }
    tx.db().end_attempt(delivery.id, number, &end, now).await?;
    tx.wake_deliveries();
    match delivery.kind {
        DeliveryKind::SendMessage => message_sent(tx, delivery, outcome, settled).await?,
        DeliveryKind::EditMessage | DeliveryKind::DeleteMessage => {
            message_changed(tx, delivery, outcome, settled).await?;
        }
        DeliveryKind::FetchAttachment => {
            attachment_fetched(tx, delivery, outcome, settled).await?;
        }
        DeliveryKind::ConfigureChannel => {
            channel_configured(tx, delivery, outcome, settled).await?;
        }
        DeliveryKind::AnswerButton | DeliveryKind::SendSignInCode => {}
    }
    if let Outcome::Unauthorized { code, .. } = outcome
        && let Some(channel) = channel_of(delivery)
    {
        observe_state(tx, channel, ChannelState::Disabled, Some(code)).await?;
    }
    Ok(true)
}

/// The lease of a delivery ended with its attempt open: nobody can tell what happened.
pub async fn lose_attempt(tx: &mut Tx, delivery: &Delivery) -> Result<(), StoreError> {
    let now = tx.now();
    let repeat = delivery.kind.repeatable();
    let end = AttemptEnd {
        outcome: if repeat { "retry" } else { "unknown" },
        error_code: Some("interrupted".to_owned()),
        error_detail: None,
        retry_at: repeat.then_some(now),
    };
    let state = if repeat { DeliveryState::Pending } else { DeliveryState::Unknown };
    let ours = tx.db().set_delivery_state(delivery.id, DeliveryState::InFlight, state, now).await?;
    if !ours {
        return Ok(());
    }
    tx.db().end_attempt(delivery.id, delivery.attempts, &end, now).await?;
    tx.wake_deliveries();
    if delivery.kind == DeliveryKind::SendMessage {
        let failure = Failure { code: "interrupted".to_owned(), detail: None };
        change_status(tx, delivery, StatusChange::OutcomeLost, Some(failure), None).await?;
    }
    Ok(())
}

/// The channel a delivery goes through, read from its target (`channel:ID…`).
pub fn channel_of(delivery: &Delivery) -> Option<ChannelId> {
    let id = delivery.target.strip_prefix("channel:")?;
    id.split(':').next()?.parse().ok().map(ChannelId)
}

async fn change_status(
    tx: &mut Tx,
    delivery: &Delivery,
    change: StatusChange,
    failure: Option<Failure>,
    retry_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let company = tx.company_id()?;
    let id = MessageId(delivery.subject_id);
    let Some(mut message) = tx.db().message(company, id).await? else { return Ok(()) };
    let Some(next) = message.status.and_then(|status| status.after(change)) else {
        return Ok(());
    };
    message.status = Some(next);
    message.failure = failure;
    message.retry_at = retry_at;
    append(tx, message).await
}

async fn append(tx: &mut Tx, message: hub_domain::Message) -> Result<(), StoreError> {
    let company = tx.company_id()?;
    let Some(mut conversation) =
        tx.db().conversation_of_company(company, message.conversation_id).await?
    else {
        return Ok(());
    };
    refresh_preview(&mut conversation, &message);
    let channel_id = Some(conversation.channel_id);
    let changes =
        Changes { message: Some(message), conversation: Some(conversation), ..Changes::default() };
    tx.append(EventType::MessageStatusChanged, Origin::System, channel_id, changes).await?;
    Ok(())
}

async fn message_sent(
    tx: &mut Tx,
    delivery: &Delivery,
    outcome: &Outcome,
    settled: &Settled,
) -> Result<(), StoreError> {
    let company = tx.company_id()?;
    let id = MessageId(delivery.subject_id);
    if let Outcome::Sent(receipt) = outcome {
        tx.db().set_message_external(company, id, &receipt.external_id, receipt.ordinal).await?;
        if let Some(message) = tx.db().message(company, id).await? {
            let conversation = message.conversation_id;
            tx.db().raise_max_ordinal(conversation, receipt.ordinal).await?;
            let last = tx.db().conversation_of_company(company, conversation).await?;
            if last.and_then(|c| c.last_message).is_some_and(|last| last.id == id) {
                tx.db().set_last_place(conversation, message.position, receipt.ordinal).await?;
            }
        }
    }
    let failure = outcome.failure();
    match settled.state {
        DeliveryState::Done => {
            change_status(tx, delivery, StatusChange::Accepted, None, None).await?;
        }
        DeliveryState::Pending => {
            let change = StatusChange::RetryPlanned;
            change_status(tx, delivery, change, failure, settled.retry_at).await?;
        }
        DeliveryState::Unknown => {
            change_status(tx, delivery, StatusChange::OutcomeLost, failure, None).await?;
        }
        _ => {
            change_status(tx, delivery, StatusChange::Refused, failure, None).await?;
        }
    }
    if matches!(outcome.code(), Some("client_blocked" | "client_deactivated" | "cannot_initiate")) {
        shut_out(tx, delivery).await?;
    }
    Ok(())
}

/// The refusal itself tells that the client cannot be reached, though no update came.
async fn shut_out(tx: &mut Tx, delivery: &Delivery) -> Result<(), StoreError> {
    let company = tx.company_id()?;
    let id = MessageId(delivery.subject_id);
    let Some(message) = tx.db().message(company, id).await? else { return Ok(()) };
    let now = tx.now();
    if !tx.db().set_reachable(message.conversation_id, false, now).await? {
        return Ok(());
    }
    let found = tx.db().conversation_of_company(company, message.conversation_id).await?;
    let Some(mut conversation) = found else { return Ok(()) };
    conversation.reachable = false;
    let channel_id = Some(conversation.channel_id);
    let changes = Changes { conversation: Some(conversation), ..Changes::default() };
    tx.append(EventType::ContactChanged, Origin::System, channel_id, changes).await?;
    Ok(())
}

/// An edit or a deletion that the provider refuses is told at the message, which stays as the client
/// sees it where we still know how that is.
async fn message_changed(
    tx: &mut Tx,
    delivery: &Delivery,
    outcome: &Outcome,
    settled: &Settled,
) -> Result<(), StoreError> {
    if !matches!(settled.state, DeliveryState::Dead | DeliveryState::Cancelled) {
        return Ok(());
    }
    let company = tx.company_id()?;
    let id = MessageId(delivery.subject_id);
    let Some(mut message) = tx.db().message(company, id).await? else { return Ok(()) };
    let code = if delivery.kind == DeliveryKind::DeleteMessage {
        message.deleted_at = None;
        "delete_refused"
    } else {
        "edit_refused"
    };
    let detail = outcome.detail().map(ToOwned::to_owned);
    message.failure = Some(Failure { code: code.to_owned(), detail });
    append(tx, message).await
}

async fn attachment_fetched(
    tx: &mut Tx,
    delivery: &Delivery,
    outcome: &Outcome,
    settled: &Settled,
) -> Result<(), StoreError> {
    let company = tx.company_id()?;
    let id = AttachmentId(delivery.subject_id);
    let Some(mut record) = tx.db().attachment(company, id).await? else { return Ok(()) };
    match (outcome, settled.state) {
        (Outcome::Fetched(file), _) => {
            record.attachment.state = AttachmentState::Ready;
            record.attachment.failure = None;
            record.attachment.size_bytes = Some(file.size_bytes);
            record.file_key = Some(file.key.clone());
            // The file itself knows better than who told of it.
            if let Some(size) = file.picture {
                record.attachment.width = Some(size.width);
                record.attachment.height = Some(size.height);
            }
            if let Some(mime_type) = &file.mime_type {
                record.attachment.mime_type = Some(mime_type.clone());
            }
        }
        (_, DeliveryState::Dead | DeliveryState::Cancelled) => {
            record.attachment.state = AttachmentState::Unavailable;
            record.attachment.failure = outcome.code().map(ToOwned::to_owned);
        }
        _ => return Ok(()),
    }
    tx.db().save_attachment(company, &record).await?;
    let Some(message) = record.message_id else { return Ok(()) };
    let Some(message) = tx.db().message(company, message).await? else { return Ok(()) };
    let channel_id = Some(record.channel_id);
    let changes = Changes { message: Some(message), ..Changes::default() };
    tx.append(EventType::AttachmentChanged, Origin::System, channel_id, changes).await?;
    Ok(())
}

async fn channel_configured(
    tx: &mut Tx,
    delivery: &Delivery,
    outcome: &Outcome,
    settled: &Settled,
) -> Result<(), StoreError> {
    let id = ChannelId(delivery.subject_id);
    let company = tx.company_id()?;
    let Some(channel) = tx.db().channel(company, id).await? else { return Ok(()) };
    if channel.deleted_at.is_some() {
        return channel_disconnected(tx, delivery, &channel, settled).await;
    }
    match settled.state {
        DeliveryState::Done => observe_state(tx, id, ChannelState::Enabled, None).await,
        // A credential that no longer works is told by whoever called.
        DeliveryState::Dead if !matches!(outcome, Outcome::Unauthorized { .. }) => {
            observe_state(tx, id, ChannelState::NeedsAction, outcome.code()).await
        }
        _ => Ok(()),
    }
}

/// Credentials of a deleted channel are kept until the provider was told, and no longer.
async fn channel_disconnected(
    tx: &mut Tx,
    delivery: &Delivery,
    channel: &Channel,
    settled: &Settled,
) -> Result<(), StoreError> {
    if settled.state == DeliveryState::Pending {
        if !tx.db().account_is_connected(channel.kind, &channel.external_id).await? {
            return Ok(());
        }
        // The account's next channel waits in this lane, and need not wait for our next try.
        let (from, to, now) = (DeliveryState::Pending, DeliveryState::Cancelled, tx.now());
        tx.db().set_delivery_state(delivery.id, from, to, now).await?;
    }
    tx.db().forget_channel_secrets(channel.id).await
}
