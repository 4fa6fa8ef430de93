//! What can be done, one verb a file. An action validates, changes rows and appends the event in one
//! transaction; whatever it wants done outside it writes as deliveries in the same one.
//!
//! Actions neither read requests nor call providers (connecting a channel asks the provider whose
//! credential it is *before* its transaction). Clients learn of changes from the log alone.

pub mod add_note;
pub mod apply_updates;
pub mod assign;
pub mod bootstrap;
pub mod change_channel;
pub mod change_company;
pub mod change_contact;
pub mod change_conversations;
pub mod change_message;
pub mod change_preferences;
pub mod change_profile;
pub mod change_quick_reply;
pub mod change_widget;
pub mod connect_channel;
pub mod delete_channel;
pub mod fetch_attachment;
pub mod mark_answered;
pub mod move_read_marker;
pub mod private_token;
pub mod record_attempt;
pub mod replay_delivery;
pub mod save_draft;
pub mod send_message;
pub mod set_conversation_state;
pub mod set_up;
pub mod sign_in;
pub mod take_receipt;
pub mod upload_attachment;
pub mod visitor_writes;

use hub_domain::channel::Channel;
use hub_domain::content::Content;
use hub_domain::event::Origin;
use hub_domain::{
    ChannelId, CompanyId, Conversation, ConversationId, Direction, Message, MessageId, Scope,
    Timestamp,
};
use hub_store::ingest::preview;
use hub_store::records::NewMessage;
use hub_store::{StoreError, Tx};

use crate::error::{ApiError, Code};

/// How far a target's pause reaches when only a person can end it.
pub const UNTIL_ENABLED: Timestamp = Timestamp::from_millis(i64::MAX);

/// The order of messages and effects of one conversation.
pub fn conversation_lane(id: ConversationId) -> String {
    format!("conversation:{id}")
}

/// What is paced and paused together: all sends of one account.
pub fn channel_target(id: ChannelId) -> String {
    format!("channel:{id}")
}

/// Downloads are paced apart from sends, and paused with them.
pub fn channel_files_target(id: ChannelId) -> String {
    format!("channel:{id}:files")
}

pub const fn by_member(scope: &Scope) -> Origin {
    Origin::Member { member_id: scope.member_id }
}

/// A conversation the acting member may see, or `not_found`.
pub async fn visible_conversation(
    tx: &mut Tx,
    scope: &Scope,
    id: ConversationId,
) -> Result<Conversation, ApiError> {
    tx.db().conversation(scope, id).await?.ok_or_else(ApiError::not_found)
}

/// The channel by which the conversation is led, unless it was deleted.
pub async fn channel_in_use(
    tx: &mut Tx,
    company: CompanyId,
    id: ChannelId,
) -> Result<Channel, ApiError> {
    let channel = tx.db().channel(company, id).await?.ok_or_else(ApiError::not_found)?;
    if channel.deleted_at.is_some() { Err(Code::ChannelDeleted.into()) } else { Ok(channel) }
}

/// An outgoing message the acting member may change, with its conversation.
pub async fn changeable_message(
    tx: &mut Tx,
    scope: &Scope,
    conversation: ConversationId,
    id: MessageId,
) -> Result<(Message, Conversation), ApiError> {
    let conversation = visible_conversation(tx, scope, conversation).await?;
    let message = tx
        .db()
        .message(scope.company_id, id)
        .await?
        .filter(|message| message.conversation_id == conversation.id)
        .ok_or_else(ApiError::not_found)?;
    if message.direction != Direction::Outgoing {
        return Err(Code::NotOutgoing.into());
    }
    Ok((message, conversation))
}

/// Renews the preview of the chat list when `message` is what it shows.
pub fn refresh_preview(conversation: &mut Conversation, message: &Message) {
    if conversation.last_message.as_ref().is_some_and(|last| last.id == message.id) {
        conversation.last_message = Some(preview(message));
    }
}

/// Adds a line about what happened to the conversation. It is neither shown in the chat list nor
/// counted; the caller appends it with the event.
pub async fn system_line(
    tx: &mut Tx,
    conversation: &Conversation,
    code: &str,
    params: serde_json::Value,
) -> Result<Message, StoreError> {
    let position = tx.next_offset()?;
    let now = tx.now();
    let company = conversation.company_id;
    let id = tx
        .db()
        .insert_message(&NewMessage {
            company_id: company,
            channel_id: conversation.channel_id,
            conversation_id: conversation.id,
            direction: Direction::System,
            author_member_id: None,
            client_message_id: None,
            intention_hash: None,
            content: Content::System { code: code.to_owned(), params },
            reply_to: None,
            status: None,
            position,
            sent_at: now,
            version: position,
        })
        .await?;
    stored_message(tx, conversation, id).await
}

/// A message that must be there because this transaction has just written it.
pub async fn stored_message(
    tx: &mut Tx,
    conversation: &Conversation,
    id: MessageId,
) -> Result<Message, StoreError> {
    tx.db()
        .message(conversation.company_id, id)
        .await?
        .ok_or_else(|| StoreError::inconsistent(format!("message {id} has gone")))
}
