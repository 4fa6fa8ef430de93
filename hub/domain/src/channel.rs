//! The port every messenger driver implements, and the connected account it works for.
//!
//! A driver translates: a provider's bytes into [`InboundUpdate`]s (pure), and our intentions into
//! calls whose errors it *classifies*. It keeps no state, knows neither store nor server, and decides
//! nothing: whether to try again, what to tell whom, what to store is the hub's.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::content::{Content, ForwardOrigin};
use crate::{AttachmentKind, ChannelId, CompanyId, Timestamp};

/// Longest name of a channel, in characters.
pub const CHANNEL_NAME_LIMIT: usize = 80;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    TelegramBot,
    TelegramPersonal,
    Whatsapp,
    Waba,
    Widget,
}

impl ChannelKind {
    pub const ALL: [Self; 5] =
        [Self::TelegramBot, Self::TelegramPersonal, Self::Whatsapp, Self::Waba, Self::Widget];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TelegramBot => "telegram_bot",
            Self::TelegramPersonal => "telegram_personal",
            Self::Whatsapp => "whatsapp",
            Self::Waba => "waba",
            Self::Widget => "widget",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    Connecting,
    /// A person has to do something; the reason says what.
    NeedsAction,
    Enabled,
    /// Works in part; the reason says which.
    Limited,
    /// Does not work; the reason says why. What is queued waits.
    Disabled,
}

impl ChannelState {
    pub const ALL: [Self; 5] =
        [Self::Connecting, Self::NeedsAction, Self::Enabled, Self::Limited, Self::Disabled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::NeedsAction => "needs_action",
            Self::Enabled => "enabled",
            Self::Limited => "limited",
            Self::Disabled => "disabled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the hub takes updates from, and sends through, a channel in this state.
    pub const fn works(self) -> bool {
        matches!(self, Self::Connecting | Self::Enabled | Self::Limited)
    }
}

/// How updates reach us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntakeMode {
    /// We ask; works without a public address.
    Polling,
    /// The provider calls `/webhooks/{driver}/{channel id}`.
    Webhook,
}

impl IntakeMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::Webhook => "webhook",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "polling" => Some(Self::Polling),
            "webhook" => Some(Self::Webhook),
            _ => None,
        }
    }
}

/// A connected messenger account as members see it. Its secrets are never part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Channel {
    pub id: ChannelId,
    pub company_id: CompanyId,
    pub kind: ChannelKind,
    #[schema(example = "Бот поддержки")]
    pub name: String,
    pub state: ChannelState,
    /// Stable code of why the state is what it is (`token_revoked`, `disabled_by_administrator`, …).
    pub state_reason: Option<String>,
    pub intake: IntakeMode,
    /// The account's id at the provider.
    pub external_id: String,
    /// The account's public name at the provider, without `@`.
    pub username: Option<String>,
    pub capabilities: Capabilities,
    pub created_at: Timestamp,
    /// When an administrator deleted it. Nothing comes in or goes out by it any more; its conversations
    /// stay readable, and the account may be connected again, as another channel.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
    pub version: i64,
}

/// What may be attached, and how large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaLimit {
    pub kind: AttachmentKind,
    pub max_bytes: i64,
    /// Accepted types; empty: any. `image/*` means any subtype.
    pub mime_types: Vec<String>,
}

/// What a kind of channel can do. Told to the interface, and checked before anything is queued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Capabilities {
    /// Longest text, in UTF-16 code units.
    pub text_limit: usize,
    /// Longest caption of a file, in UTF-16 code units.
    pub caption_limit: usize,
    /// What can be sent.
    pub media: Vec<MediaLimit>,
    /// Largest file of a client that the provider hands out.
    pub download_limit_bytes: i64,
    pub reply: bool,
    pub edit: bool,
    pub delete: bool,
    pub reactions: bool,
    pub delivered_receipts: bool,
    pub read_receipts: bool,
    /// Whether we may write to somebody who has not written to us.
    pub write_first: bool,
    /// Sends per second one account is allowed; the engine keeps below it.
    pub sends_per_second: u32,
}

impl Capabilities {
    pub fn media_limit(&self, kind: AttachmentKind) -> Option<&MediaLimit> {
        self.media.iter().find(|limit| limit.kind == kind)
    }
}

/// What a driver needs to act for a channel. Lives only for the call.
#[derive(Debug, Clone)]
pub struct ChannelAccess {
    pub channel_id: ChannelId,
    /// The credential of the account (a bot's token).
    pub secret: SecretString,
    /// What the provider must show in a webhook to be believed.
    pub webhook_secret: SecretString,
    /// The account's id at the provider; empty while connecting.
    pub external_id: String,
}

/// The account behind a credential, as the provider tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub external_id: String,
    pub name: String,
    pub username: Option<String>,
}

/// The client's address on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sender {
    /// The provider's id of the person: with the channel, the identity's key.
    pub external_id: String,
    /// Where answers go (a chat id); often equal to `external_id`.
    pub chat_id: String,
    /// Empty when not told.
    pub name: String,
    pub username: Option<String>,
    pub language: Option<String>,
}

/// A file of a client, still at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundAttachment {
    pub kind: AttachmentKind,
    /// What [`ChannelDriver::download`] needs.
    pub file_ref: String,
    /// Same for the same bytes, where the provider tells.
    pub unique_ref: Option<String>,
    pub file_name: Option<String>,
    pub mime_type: Option<String>,
    pub size_bytes: Option<i64>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub duration_seconds: Option<i32>,
    pub emoji: Option<String>,
}

/// A quoted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundReply {
    /// External id of the quoted message; `None` when it is of another chat.
    pub external_id: Option<String>,
    pub text: String,
}

/// A message of a client (or, `by_us`, one written by our side elsewhere).
#[derive(Debug, Clone, PartialEq)]
pub struct InboundMessage {
    /// Unique within the channel; the key of deduplication.
    pub external_id: String,
    pub sender: Sender,
    pub by_us: bool,
    /// The provider's order within the conversation; grows with time.
    pub ordinal: i64,
    pub sent_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub content: Content,
    pub attachments: Vec<InboundAttachment>,
    pub album_id: Option<String>,
    pub reply_to: Option<InboundReply>,
    pub forwarded_from: Option<ForwardOrigin>,
    /// The sender's own number, when the channel vouches for it. Digits in any spelling.
    pub verified_phone: Option<String>,
    /// The provider's payload, kept where we cannot show all of it.
    pub raw: Option<serde_json::Value>,
}

/// What a provider told us.
#[derive(Debug, Clone, PartialEq)]
pub enum InboundUpdate {
    Message(Box<InboundMessage>),
    /// A message changed. Carries it whole, so that an unknown original can be inserted as edited.
    Edited(Box<InboundMessage>),
    /// The client pressed a button under a message.
    ButtonPressed {
        /// Unique within the channel; also what [`ChannelDriver::answer_button`] needs.
        external_id: String,
        sender: Sender,
        data: String,
        message_external_id: Option<String>,
        /// The provider's order within the conversation, where known.
        ordinal: i64,
        sent_at: Timestamp,
    },
    /// The client shut us out, or let us in again.
    Reachability {
        sender: Sender,
        reachable: bool,
        at: Timestamp,
    },
    Reaction {
        message_external_id: String,
        sender: Sender,
        /// All reactions of the client to that message now; empty: taken away.
        emojis: Vec<String>,
        at: Timestamp,
    },
    /// Receipts, for channels that have them.
    Receipt {
        message_external_id: String,
        read: bool,
        at: Timestamp,
    },
    /// Nothing for us, and why (`group_chat`, `channel_post`, `unknown_kind`): counted. `raw` is kept
    /// when it may mean something to a later version.
    Skipped {
        reason: &'static str,
        kind: String,
        raw: Option<serde_json::Value>,
    },
}

/// An update with the provider's own number, where it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedUpdate {
    /// Unique within the channel; the second key of deduplication.
    pub update_id: Option<i64>,
    pub update: InboundUpdate,
}

/// What one poll brought.
#[derive(Debug, Clone, PartialEq)]
pub struct PollBatch {
    pub updates: Vec<NumberedUpdate>,
    /// Cursor of the next poll, the same as before when nothing came; stored only after the updates are.
    pub next_cursor: Option<String>,
}

/// Bytes that cannot be read as the provider's format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ParseError {
    /// What is wrong, without repeating the input.
    pub detail: String,
}

/// A file to be sent.
#[derive(Debug, Clone)]
pub struct OutboundAttachment {
    pub kind: AttachmentKind,
    pub file_name: String,
    pub mime_type: String,
    pub bytes: Bytes,
}

/// A message to be sent. Text is plain; it is the caption when there is an attachment.
#[derive(Debug, Clone)]
pub struct OutboundMessage {
    /// Where to: the sender's `chat_id`.
    pub chat_id: String,
    pub text: String,
    pub attachment: Option<OutboundAttachment>,
    /// External id of the message answered.
    pub reply_to: Option<String>,
}

/// The provider took the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendReceipt {
    /// Same form as [`InboundMessage::external_id`].
    pub external_id: String,
    pub ordinal: i64,
}

/// How a call failed. The driver classifies, the hub decides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// Did not happen, and may work later. `whole_account`: other chats would be told the same.
    #[error("{code}: {detail}")]
    Retry { code: &'static str, detail: String, retry_after_ms: Option<u64>, whole_account: bool },
    /// Did not happen, and will not.
    #[error("{code}: {detail}")]
    Refused { code: &'static str, detail: String },
    /// The credential no longer works.
    #[error("{code}: {detail}")]
    Unauthorized { code: &'static str, detail: String },
    /// Somebody else uses the account in a way that excludes us.
    #[error("{code}: {detail}")]
    Conflict { code: &'static str, detail: String },
    /// May have happened: the answer was lost.
    #[error("{code}: {detail}")]
    Unknown { code: &'static str, detail: String },
}

impl DriverError {
    /// Stable code, translated by the interface.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Retry { code, .. }
            | Self::Refused { code, .. }
            | Self::Unauthorized { code, .. }
            | Self::Conflict { code, .. }
            | Self::Unknown { code, .. } => code,
        }
    }

    /// The provider's words; never a credential or a URL.
    pub fn detail(&self) -> &str {
        match self {
            Self::Retry { detail, .. }
            | Self::Refused { detail, .. }
            | Self::Unauthorized { detail, .. }
            | Self::Conflict { detail, .. }
            | Self::Unknown { detail, .. } => detail,
        }
    }
}

/// A client's file as it comes in.
pub struct Download {
    pub size_bytes: Option<u64>,
    pub mime_type: Option<String>,
    pub bytes: BoxStream<'static, Result<Bytes, DriverError>>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

/// One kind of messenger.
#[async_trait]
pub trait ChannelDriver: Send + Sync + std::fmt::Debug {
    fn kind(&self) -> ChannelKind;

    fn capabilities(&self) -> Capabilities;

    /// Whether the form of a credential is right at all, before anything is asked outside.
    fn credential_is_well_formed(&self, secret: &SecretString) -> bool;

    /// Asks the provider whose credential this is.
    async fn account(&self, access: &ChannelAccess) -> Result<Account, DriverError>;

    /// Whether a webhook call comes from the provider. Constant time.
    fn webhook_is_genuine(
        &self,
        access: &ChannelAccess,
        headers: &http::HeaderMap,
        body: &[u8],
    ) -> bool;

    /// A webhook's body as updates. Pure. Unknown content is an update, not an error.
    fn parse_webhook(
        &self,
        access: &ChannelAccess,
        body: &[u8],
    ) -> Result<Vec<NumberedUpdate>, ParseError>;

    /// Waits for updates after `cursor`; returns an empty batch when there are none in good time.
    async fn poll(
        &self,
        access: &ChannelAccess,
        cursor: Option<&str>,
    ) -> Result<PollBatch, DriverError>;

    /// Makes the provider deliver by `mode`. `webhook_url` is ours, needed for webhooks. Repeatable.
    async fn configure_intake(
        &self,
        access: &ChannelAccess,
        mode: IntakeMode,
        webhook_url: Option<&str>,
    ) -> Result<(), DriverError>;

    /// Makes the provider stop calling us, whatever the mode was; what it holds for us it keeps. Repeatable.
    async fn disconnect(&self, access: &ChannelAccess) -> Result<(), DriverError> {
        self.configure_intake(access, IntakeMode::Polling, None).await
    }

    async fn send(
        &self,
        access: &ChannelAccess,
        message: &OutboundMessage,
    ) -> Result<SendReceipt, DriverError>;

    /// Replaces the text (or the caption, `caption`) of our own message. Repeatable.
    async fn edit(
        &self,
        access: &ChannelAccess,
        external_id: &str,
        text: &str,
        caption: bool,
    ) -> Result<(), DriverError>;

    /// Removes our own message at the client's. Repeatable.
    async fn delete(&self, access: &ChannelAccess, external_id: &str) -> Result<(), DriverError>;

    /// Ends the client's waiting after a button press. Repeatable.
    async fn answer_button(
        &self,
        access: &ChannelAccess,
        external_id: &str,
    ) -> Result<(), DriverError>;

    /// Opens a client's file. The caller bounds how much it reads.
    async fn download(
        &self,
        access: &ChannelAccess,
        file_ref: &str,
    ) -> Result<Download, DriverError>;
}

/// A driver as the hub holds it.
pub type SharedDriver = Arc<dyn ChannelDriver>;
