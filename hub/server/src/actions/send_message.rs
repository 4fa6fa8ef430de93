//! A member answers a client.

use hub_domain::channel::Capabilities;
use hub_domain::content::{self, Content};
use hub_domain::delivery::DeliveryKind;
use hub_domain::event::{Changes, EventType};
use hub_domain::message::CLIENT_MESSAGE_ID_LIMIT;
use hub_domain::{
    Attachment, AttachmentId, Conversation, ConversationId, ConversationState, Direction, Message,
    MessageId, MessageStatus, Scope,
};
use hub_store::ingest::preview;
use hub_store::records::{NewDelivery, NewMessage};
use hub_store::{Store, Tx};
use sha2::{Digest, Sha256};

use super::{
    by_member, channel_in_use, channel_target, conversation_lane, stored_message,
    visible_conversation,
};
use crate::error::{ApiError, Code};

/// Most UTF-16 units read of a text before it is refused unread.
const TEXT_BOUND: usize = 100_000;

/// What a member wants sent.
#[derive(Debug, Clone)]
pub struct SendMessage {
    pub conversation_id: ConversationId,
    /// The same for every try of one intention.
    pub client_message_id: String,
    pub text: String,
    pub attachment_id: Option<AttachmentId>,
    pub reply_to_message_id: Option<MessageId>,
}

impl SendMessage {
    /// Tells one intention from another under the same `client_message_id`.
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let number = |value: Option<i64>| value.unwrap_or_default().to_be_bytes();
        hash.update(self.conversation_id.0.to_be_bytes());
        hash.update(number(self.attachment_id.map(|id| id.0)));
        hash.update(number(self.reply_to_message_id.map(|id| id.0)));
        hash.update(self.text.as_bytes());
        hex::encode(&hash.finalize()[..16])
    }
}

/// The message, and whether this call made it (`false`: an earlier call of the same intention did).
pub async fn send_message(
    store: &Store,
    scope: &Scope,
    mut request: SendMessage,
) -> Result<(Message, bool), ApiError> {
    check_client_id(&request.client_message_id)?;
    request.text = content::without_nul(request.text);
    if request.text.trim().is_empty() {
        request.text.clear();
    }
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| Box::pin(async move { send(tx, &scope, request).await }))
        .await
}

/// Refuses an id that could not be kept.
pub fn check_client_id(id: &str) -> Result<(), ApiError> {
    let fits = (1..=CLIENT_MESSAGE_ID_LIMIT).contains(&id.len());
    if fits && !id.chars().any(char::is_control) {
        return Ok(());
    }
    Err(ApiError::from(Code::ClientMessageIdInvalid).field("client_message_id"))
}

/// The message that an earlier call of this intention made, if any did.
pub async fn earlier_call(
    tx: &mut Tx,
    scope: &Scope,
    client_message_id: &str,
    fingerprint: &str,
) -> Result<Option<Message>, ApiError> {
    match tx.db().message_by_client_id(scope.company_id, client_message_id).await? {
        None => Ok(None),
        Some((message, hash)) if hash.as_deref() == Some(fingerprint) => Ok(Some(message)),
        Some(_) => Err(ApiError::from(Code::ClientMessageIdConflict).field("client_message_id")),
    }
}

async fn send(
    tx: &mut Tx,
    scope: &Scope,
    request: SendMessage,
) -> Result<(Message, bool), ApiError> {
    let company = scope.company_id;
    let mut conversation = visible_conversation(tx, scope, request.conversation_id).await?;
    let fingerprint = request.fingerprint();
    let earlier = earlier_call(tx, scope, &request.client_message_id, &fingerprint).await?;
    if let Some(message) = earlier {
        return Ok((message, false));
    }
    let channel = channel_in_use(tx, company, conversation.channel_id).await?;
    if !channel.state.works() {
        return Err(ApiError::new(Code::ChannelDisabled));
    }
    if !conversation.reachable {
        return Err(Code::ConversationUnreachable.into());
    }
    let attachment = match request.attachment_id {
        Some(id) => Some(uploaded_file(tx, scope, &conversation, id).await?),
        None => None,
    };
    check_limits(&channel.capabilities, &request.text, attachment.as_ref())?;
    let reply_to = match request.reply_to_message_id {
        Some(id) => Some(quoted(tx, scope, &conversation, id).await?),
        None => None,
    };

    let position = tx.next_offset()?;
    let now = tx.now();
    let id = tx
        .db()
        .insert_message(&NewMessage {
            company_id: company,
            channel_id: conversation.channel_id,
            conversation_id: conversation.id,
            direction: Direction::Outgoing,
            author_member_id: Some(scope.member_id),
            client_message_id: Some(request.client_message_id),
            intention_hash: Some(fingerprint),
            content: Content::text(request.text),
            reply_to,
            status: Some(MessageStatus::Queued),
            position,
            sent_at: now,
            version: position,
        })
        .await?;
    if let Some(attachment) = &attachment
        && !tx.db().claim_attachment(company, attachment.id, id, 0).await?
    {
        return Err(ApiError::not_found().field("attachment_ids"));
    }
    let message = stored_message(tx, &conversation, id).await?;
    enqueue_send(tx, &conversation, &message).await?;

    conversation.last_message = Some(preview(&message));
    conversation.unanswered_count = 0;
    conversation.waiting_since = None;
    conversation.state = ConversationState::Open;
    tx.db().set_last_place(conversation.id, position, message.ordinal).await?;
    let channel_id = Some(conversation.channel_id);
    let changes =
        Changes { message: Some(message), conversation: Some(conversation), ..Changes::default() };
    let changes =
        tx.append(EventType::MessageCreated, by_member(scope), channel_id, changes).await?;
    changes
        .message
        .map(|message| (message, true))
        .ok_or_else(|| ApiError::internal(anyhow::anyhow!("an appended message has gone")))
}

/// Puts a message of ours at the end of its conversation's lane.
pub async fn enqueue_send(
    tx: &mut Tx,
    conversation: &Conversation,
    message: &Message,
) -> Result<(), ApiError> {
    let now = tx.now();
    let delivery = NewDelivery {
        company_id: Some(conversation.company_id),
        kind: DeliveryKind::SendMessage,
        lane: conversation_lane(conversation.id),
        target: channel_target(conversation.channel_id),
        subject_id: message.id.0,
        payload: "{}".to_owned(),
        not_before: now,
    };
    tx.db().insert_deliveries(&[delivery], now).await?;
    tx.wake_deliveries();
    Ok(())
}

async fn uploaded_file(
    tx: &mut Tx,
    scope: &Scope,
    conversation: &Conversation,
    id: AttachmentId,
) -> Result<Attachment, ApiError> {
    let missing = || ApiError::not_found().field("attachment_ids");
    let record = tx.db().attachment(scope.company_id, id).await?.ok_or_else(missing)?;
    let usable = record.message_id.is_none()
        && record.uploaded_by == Some(scope.member_id)
        && record.channel_id == conversation.channel_id;
    if usable { Ok(record.attachment) } else { Err(missing()) }
}

async fn quoted(
    tx: &mut Tx,
    scope: &Scope,
    conversation: &Conversation,
    id: MessageId,
) -> Result<(MessageId, String), ApiError> {
    let message = tx
        .db()
        .message(scope.company_id, id)
        .await?
        .filter(|message| message.conversation_id == conversation.id)
        // A quote travels to the client: the words of a note never do.
        .filter(|message| matches!(message.direction, Direction::Incoming | Direction::Outgoing))
        .ok_or_else(|| ApiError::not_found().field("reply_to_message_id"))?;
    Ok((message.id, message.content.words().chars().take(200).collect()))
}

/// What the channel would refuse is told before anything is queued.
fn check_limits(
    capabilities: &Capabilities,
    text: &str,
    attachment: Option<&Attachment>,
) -> Result<(), ApiError> {
    if text.is_empty() && attachment.is_none() {
        return Err(ApiError::from(Code::TextEmpty).field("text"));
    }
    let (limit, code) = match attachment {
        Some(_) => (capabilities.caption_limit, Code::CaptionTooLong),
        None => (capabilities.text_limit, Code::TextTooLong),
    };
    check_text(text, limit, code)?;
    if let Some(attachment) = attachment {
        check_file(capabilities, attachment.kind, attachment.size_bytes.unwrap_or_default())?;
    }
    Ok(())
}

/// Refuses a text above `limit` UTF-16 units.
pub fn check_text(text: &str, limit: usize, code: Code) -> Result<(), ApiError> {
    let length = if text.len() > TEXT_BOUND * 3 { TEXT_BOUND } else { content::utf16_len(text) };
    if length <= limit {
        return Ok(());
    }
    Err(ApiError::from(code).field("text").param("limit", limit).param("length", length))
}

/// Refuses a file that the channel cannot send.
pub fn check_file(
    capabilities: &Capabilities,
    kind: hub_domain::AttachmentKind,
    size_bytes: i64,
) -> Result<(), ApiError> {
    let Some(limit) = capabilities.media_limit(kind) else {
        return Err(ApiError::from(Code::FileKindRefused).param("kind", kind.as_str()));
    };
    if size_bytes > limit.max_bytes {
        return Err(ApiError::from(Code::FileTooBig).param("limit_bytes", limit.max_bytes));
    }
    Ok(())
}
