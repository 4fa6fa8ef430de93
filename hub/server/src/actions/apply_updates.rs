//! What a channel tells becomes rows and events.
//!
//! Each kind of update is safe to apply twice, late and in another order: messages are stored once by
//! their external id and placed by the provider's order, the rest carries a time and yields to what is
//! newer. So a caller may repeat a whole batch after any failure. Of a channel that was deleted since the
//! caller looked nothing is stored, and the caller is told, so that the provider keeps it.

use hub_domain::channel::{
    Channel, ChannelDriver, InboundMessage, InboundUpdate, NumberedUpdate, Sender,
};
use hub_domain::content::Content;
use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::message::{Reaction, StatusChange};
use hub_domain::{ChannelId, CompanyId, Message, Timestamp};
use hub_store::records::{Incoming, Ingested};
use hub_store::{Store, StoreError, Tx};

use super::refresh_preview;

/// Applies updates of `channel` and answers when all of them are durable.
pub async fn apply_updates(
    store: &Store,
    driver: &dyn ChannelDriver,
    channel: &Channel,
    updates: Vec<NumberedUpdate>,
) -> Result<(), StoreError> {
    let limit = driver.capabilities().download_limit_bytes;
    let mut messages = Vec::new();
    let mut others = Vec::new();
    for NumberedUpdate { update, .. } in updates {
        match update {
            InboundUpdate::Message(message) => {
                messages.push(Incoming {
                    channel_id: channel.id,
                    message: *message,
                    download_limit_bytes: limit,
                    answer_button: None,
                    uploaded: Vec::new(),
                });
            }
            InboundUpdate::ButtonPressed {
                external_id,
                sender,
                data,
                message_external_id,
                ordinal: _,
                sent_at,
            } => {
                let press = Press { external_id, sender, data, message_external_id, sent_at };
                messages.push(press.into_incoming(channel.id, limit));
            }
            other => others.push(other),
        }
    }
    if !messages.is_empty() {
        let outcomes = store.ingest(channel.company_id, messages).await?;
        if outcomes.contains(&Ingested::ChannelDeleted) {
            return Err(StoreError::ChannelDeleted);
        }
        let stored =
            outcomes.iter().filter(|outcome| matches!(outcome, Ingested::Stored { .. })).count();
        metrics::counter!("uzel_messages_received_total").increment(stored as u64);
        metrics::counter!("uzel_messages_duplicate_total")
            .increment((outcomes.len() - stored) as u64);
    }
    for update in others {
        apply_other(store, channel, limit, update).await?;
    }
    Ok(())
}

struct Press {
    external_id: String,
    sender: Sender,
    data: String,
    message_external_id: Option<String>,
    sent_at: Timestamp,
}

impl Press {
    /// A press is a message of the client: it is what the client said.
    fn into_incoming(self, channel_id: ChannelId, limit: i64) -> Incoming {
        let reply_to =
            self.message_external_id.map(|external_id| hub_domain::channel::InboundReply {
                external_id: Some(external_id),
                text: String::new(),
            });
        Incoming {
            channel_id,
            message: InboundMessage {
                external_id: format!("button:{}", self.external_id),
                sender: self.sender,
                by_us: false,
                // The number of the message under which the button stands is not the press's place.
                ordinal: 0,
                sent_at: self.sent_at,
                edited_at: None,
                content: Content::Button { data: self.data, text: None },
                attachments: Vec::new(),
                album_id: None,
                reply_to,
                forwarded_from: None,
                verified_phone: None,
                raw: None,
            },
            download_limit_bytes: limit,
            answer_button: Some(self.external_id),
            uploaded: Vec::new(),
        }
    }
}

async fn apply_other(
    store: &Store,
    channel: &Channel,
    limit: i64,
    update: InboundUpdate,
) -> Result<(), StoreError> {
    let (id, company) = (channel.id, channel.company_id);
    match update {
        InboundUpdate::Edited(message) => apply_edit(store, channel, limit, *message).await,
        InboundUpdate::Reachability { sender, reachable, at } => {
            store
                .write(company, move |tx| {
                    Box::pin(async move {
                        in_use(tx, id).await?;
                        set_reachable(tx, id, &sender, reachable, at).await
                    })
                })
                .await
        }
        InboundUpdate::Reaction { message_external_id, emojis, at, .. } => {
            store
                .write(company, move |tx| {
                    Box::pin(async move {
                        in_use(tx, id).await?;
                        react(tx, id, &message_external_id, emojis, at).await
                    })
                })
                .await
        }
        InboundUpdate::Receipt { message_external_id, read, .. } => {
            let change =
                if read { StatusChange::ReadReceipt } else { StatusChange::DeliveredReceipt };
            store
                .write(company, move |tx| {
                    Box::pin(async move {
                        in_use(tx, id).await?;
                        receipt(tx, id, &message_external_id, change).await
                    })
                })
                .await
        }
        InboundUpdate::Skipped { reason, kind, raw } => {
            metrics::counter!("uzel_updates_skipped_total", "reason" => reason).increment(1);
            tracing::debug!(channel.id = id.0, reason, kind, "update skipped");
            let Some(raw) = raw else { return Ok(()) };
            keep_raw(store, channel, reason, raw.to_string()).await
        }
        // Sorted out before.
        InboundUpdate::Message(_) | InboundUpdate::ButtonPressed { .. } => Ok(()),
    }
}

/// Keeps what could not be read or applied, so that nothing is lost.
pub async fn keep_raw(
    store: &Store,
    channel: &Channel,
    reason: &'static str,
    body: String,
) -> Result<(), StoreError> {
    let id = channel.id;
    store
        .write(channel.company_id, move |tx| {
            Box::pin(async move {
                in_use(tx, id).await?;
                let now = tx.now();
                tx.db().insert_raw_update(id, reason, &body.replace('\0', "\u{FFFD}"), now).await
            })
        })
        .await
}

/// Whoever deletes a channel holds its company, as every job here does: what is seen now holds until COMMIT.
async fn in_use(tx: &mut Tx, id: ChannelId) -> Result<(), StoreError> {
    let deleted = tx.db().deleted_channels(&[id.0]).await?;
    if deleted.is_empty() { Ok(()) } else { Err(StoreError::ChannelDeleted) }
}

async fn apply_edit(
    store: &Store,
    channel: &Channel,
    limit: i64,
    edited: InboundMessage,
) -> Result<(), StoreError> {
    // Known: changed in place. Unknown: stored as edited; should the original come in between or
    // later, the first round has made it known, and it is a duplicate.
    for _ in 0..2 {
        let (id, edit) = (channel.id, edited.clone());
        let known = store
            .write(channel.company_id, move |tx| {
                Box::pin(async move {
                    in_use(tx, id).await?;
                    edit_known(tx, id, &edit).await
                })
            })
            .await?;
        if known {
            return Ok(());
        }
        let incoming = Incoming {
            channel_id: channel.id,
            message: edited.clone(),
            download_limit_bytes: limit,
            answer_button: None,
            uploaded: Vec::new(),
        };
        match store.ingest(channel.company_id, vec![incoming]).await?.first() {
            Some(Ingested::Stored { .. }) => return Ok(()),
            Some(Ingested::ChannelDeleted) => return Err(StoreError::ChannelDeleted),
            Some(Ingested::Duplicate) | None => {}
        }
    }
    Err(StoreError::inconsistent("an edited message is neither known nor new"))
}

async fn edit_known(
    tx: &mut Tx,
    channel: ChannelId,
    edit: &InboundMessage,
) -> Result<bool, StoreError> {
    let Some(mut message) = tx.db().message_by_external(channel, &edit.external_id).await? else {
        return Ok(false);
    };
    let edited_at = edit.edited_at.unwrap_or(edit.sent_at);
    if message.edited_at.is_some_and(|known| known > edited_at) {
        return Ok(true);
    }
    if message.content == edit.content && message.edited_at == Some(edited_at) {
        return Ok(true);
    }
    message.content = edit.content.clone();
    message.edited_at = Some(edited_at);
    append_message(tx, channel, EventType::MessageEdited, message).await?;
    Ok(true)
}

async fn append_message(
    tx: &mut Tx,
    channel: ChannelId,
    event_type: EventType,
    message: Message,
) -> Result<(), StoreError> {
    let company: CompanyId = tx.company_id()?;
    let mut conversation =
        tx.db().conversation_of_company(company, message.conversation_id).await?;
    if let Some(conversation) = &mut conversation {
        refresh_preview(conversation, &message);
    }
    let changes = Changes { message: Some(message), conversation, ..Changes::default() };
    tx.append(event_type, Origin::Channel { channel_id: channel }, Some(channel), changes).await?;
    Ok(())
}

async fn set_reachable(
    tx: &mut Tx,
    channel: ChannelId,
    sender: &Sender,
    reachable: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    let found = tx.db().conversation_of_identity(channel, &sender.external_id).await?;
    let Some(mut conversation) = found else { return Ok(()) };
    if !tx.db().set_reachable(conversation.id, reachable, at).await? {
        return Ok(());
    }
    conversation.reachable = reachable;
    let changes = Changes { conversation: Some(conversation), ..Changes::default() };
    let origin = Origin::Channel { channel_id: channel };
    tx.append(EventType::ContactChanged, origin, Some(channel), changes).await?;
    Ok(())
}

async fn react(
    tx: &mut Tx,
    channel: ChannelId,
    external_id: &str,
    emojis: Vec<String>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let company = tx.company_id()?;
    let Some(mut message) = tx.db().message_by_external(channel, external_id).await? else {
        return Ok(());
    };
    if !tx.db().touch_reactions(company, message.id, at).await? {
        return Ok(());
    }
    let before = message.reactions.clone();
    message.reactions.retain(|reaction| !reaction.by_client);
    message.reactions.extend(emojis.into_iter().map(|emoji| Reaction { emoji, by_client: true }));
    if message.reactions == before {
        return Ok(());
    }
    append_message(tx, channel, EventType::MessageReacted, message).await
}

async fn receipt(
    tx: &mut Tx,
    channel: ChannelId,
    external_id: &str,
    change: StatusChange,
) -> Result<(), StoreError> {
    let Some(mut message) = tx.db().message_by_external(channel, external_id).await? else {
        return Ok(());
    };
    let Some(next) = message.status.and_then(|status| status.after(change)) else {
        return Ok(());
    };
    message.status = Some(next);
    message.failure = None;
    append_message(tx, channel, EventType::MessageStatusChanged, message).await
}
