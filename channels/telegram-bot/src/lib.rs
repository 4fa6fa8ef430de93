//! The Telegram bot driver: what the Bot API says as updates of the hub, and what the hub wants as calls.
//!
//! Owns the translation and the classification of errors, nothing else: no state beside a connection
//! pool, no retries (that is the delivery engine's), no storage. A bot sees no receipts, no typing and
//! no deletions, and writes only to people who wrote first; [`TelegramBot::capabilities`] says so.
//!
//! The rule above all: a send whose fate is not known is reported as unknown, never as "try again".
//! The Bot API has no idempotency key, so trying again would double the message.
//!
//! The token is part of every URL. URLs never reach an error, a log or a caller.

mod client;
mod error;
mod inbound;
mod outbound;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use hub_domain::channel::{
    Account, Capabilities, ChannelAccess, ChannelDriver, ChannelKind, Download, DriverError,
    InboundUpdate, IntakeMode, MediaLimit, NumberedUpdate, OutboundMessage, ParseError, PollBatch,
    SendReceipt,
};
use hub_domain::{AttachmentKind, Clock, SystemClock};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use client::{Call, Client};
use error::{Failure, Meaning};
use outbound::{MessageRef, Plan};

pub use client::SetupError;

/// Header that carries the secret of a webhook.
pub const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

const MEGABYTE: i64 = 1024 * 1024;
const PHOTO_LIMIT: i64 = 10 * MEGABYTE;
const UPLOAD_LIMIT: i64 = 50 * MEGABYTE;
const DOWNLOAD_LIMIT: i64 = 20 * MEGABYTE;

/// Kinds of updates we ask for; told with every call, since the provider remembers the last list.
const ALLOWED_UPDATES: [&str; 5] =
    ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"];

/// How many webhook calls the provider may make at once.
const WEBHOOK_CONNECTIONS: u32 = 40;

/// How long things may take.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long the provider holds an empty poll; it caps this at 50.
    pub poll_seconds: u64,
    /// A send or any other call, a second form after a refusal included. Within the upload of a file:
    /// how long it may stand still.
    pub send_timeout: Duration,
    /// A file may take as much longer as it takes at this rate.
    pub upload_bytes_per_second: u64,
    pub connect_timeout: Duration,
    /// The longest silence within a download.
    pub download_stall_timeout: Duration,
    /// Stands in where the provider tells no time (button presses).
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            poll_seconds: 25,
            send_timeout: Duration::from_secs(30),
            upload_bytes_per_second: 64 * 1024,
            connect_timeout: Duration::from_secs(10),
            download_stall_timeout: Duration::from_secs(30),
            clock: Arc::new(SystemClock),
        }
    }
}

/// The driver of [`ChannelKind::TelegramBot`].
#[derive(Debug)]
pub struct TelegramBot {
    client: Client,
    options: Options,
}

impl TelegramBot {
    /// `api_url` is the base of the Bot API, for example `https://api.telegram.org`.
    pub fn new(api_url: &str, options: Options) -> Result<Self, SetupError> {
        Ok(Self { client: Client::new(api_url, &options)?, options })
    }

    async fn repeatable(
        &self,
        access: &ChannelAccess,
        method: &'static str,
        params: Value,
    ) -> Result<Value, Failure> {
        let call = Call { method, body: client::Body::Json(params), timeout: None };
        self.client.call(&access.secret, call).await
    }
}

#[async_trait]
impl ChannelDriver for TelegramBot {
    fn kind(&self) -> ChannelKind {
        ChannelKind::TelegramBot
    }

    fn capabilities(&self) -> Capabilities {
        let media = AttachmentKind::ALL.into_iter().map(|kind| MediaLimit {
            kind,
            max_bytes: if kind == AttachmentKind::Photo { PHOTO_LIMIT } else { UPLOAD_LIMIT },
            mime_types: outbound::mime_types(kind).iter().map(|&one| one.to_owned()).collect(),
        });
        Capabilities {
            text_limit: 4096,
            caption_limit: 1024,
            media: media.collect(),
            download_limit_bytes: DOWNLOAD_LIMIT,
            reply: true,
            edit: true,
            delete: true,
            reactions: true,
            delivered_receipts: false,
            read_receipts: false,
            write_first: false,
            sends_per_second: 30,
        }
    }

    fn credential_is_well_formed(&self, secret: &SecretString) -> bool {
        client::token_is_well_formed(secret.expose_secret())
    }

    async fn account(&self, access: &ChannelAccess) -> Result<Account, DriverError> {
        let answer = self.repeatable(access, "getMe", json!({})).await;
        let answer = answer.map_err(Failure::of_repeatable)?;
        let me: wire::User = wire::read(&answer)
            .ok_or_else(|| Failure::malformed("getMe told no account").of_repeatable())?;
        Ok(Account {
            external_id: me.id.to_string(),
            name: me.full_name(),
            username: me.username.clone(),
        })
    }

    fn webhook_is_genuine(
        &self,
        access: &ChannelAccess,
        headers: &http::HeaderMap,
        _body: &[u8],
    ) -> bool {
        let expected = access.webhook_secret.expose_secret().as_bytes();
        let shown = headers.get(SECRET_HEADER).map_or(&b""[..], http::HeaderValue::as_bytes);
        // Without a secret of ours anybody would be believed.
        !expected.is_empty() && bool::from(expected.ct_eq(shown))
    }

    fn parse_webhook(
        &self,
        _access: &ChannelAccess,
        body: &[u8],
    ) -> Result<Vec<NumberedUpdate>, ParseError> {
        let unreadable = |detail: &str| ParseError { detail: detail.to_owned() };
        let update: Value = serde_json::from_slice(body)
            .map_err(|error| unreadable(&format!("not JSON: {}", describe_json(&error))))?;
        inbound::update(&update, self.options.clock.now())
            .map(|update| vec![update])
            .ok_or_else(|| unreadable("an update without a number"))
    }

    async fn poll(
        &self,
        access: &ChannelAccess,
        cursor: Option<&str>,
    ) -> Result<PollBatch, DriverError> {
        let mut params = json!({
            "limit": 100,
            "timeout": self.options.poll_seconds,
            "allowed_updates": ALLOWED_UPDATES,
        });
        if let Some(offset) = cursor.and_then(|cursor| cursor.parse::<i64>().ok()) {
            params["offset"] = offset.into();
        }
        let timeout = Duration::from_secs(self.options.poll_seconds + 15);
        let call =
            Call { method: "getUpdates", body: client::Body::Json(params), timeout: Some(timeout) };
        let answer = self.client.call(&access.secret, call).await;
        let answer = answer.map_err(Failure::of_repeatable)?;
        let Value::Array(items) = answer else {
            return Err(Failure::malformed("getUpdates told no list").of_repeatable());
        };
        let now = self.options.clock.now();
        let updates: Vec<NumberedUpdate> = items
            .iter()
            .map(|item| {
                inbound::update(item, now).unwrap_or_else(|| NumberedUpdate {
                    update_id: None,
                    update: InboundUpdate::Skipped {
                        reason: "malformed",
                        kind: "update".to_owned(),
                        raw: Some(inbound::without_nul_within(item.clone())),
                    },
                })
            })
            .collect();
        let last = updates.iter().filter_map(|update| update.update_id).max();
        let next_cursor = last
            .map(|last| last.saturating_add(1).to_string())
            .or_else(|| cursor.map(ToOwned::to_owned));
        Ok(PollBatch { updates, next_cursor })
    }

    async fn configure_intake(
        &self,
        access: &ChannelAccess,
        mode: IntakeMode,
        webhook_url: Option<&str>,
    ) -> Result<(), DriverError> {
        let result = match mode {
            IntakeMode::Polling => {
                let params = json!({ "drop_pending_updates": false });
                self.repeatable(access, "deleteWebhook", params).await
            }
            IntakeMode::Webhook => {
                let Some(url) = webhook_url else {
                    return Err(DriverError::Refused {
                        code: "webhook_url_missing",
                        detail: "a webhook needs a public address".to_owned(),
                    });
                };
                let params = json!({
                    "url": url,
                    "secret_token": access.webhook_secret.expose_secret(),
                    "allowed_updates": ALLOWED_UPDATES,
                    "max_connections": WEBHOOK_CONNECTIONS,
                });
                self.repeatable(access, "setWebhook", params).await
            }
        };
        result.map(drop).map_err(Failure::of_repeatable)
    }

    async fn send(
        &self,
        access: &ChannelAccess,
        message: &OutboundMessage,
    ) -> Result<SendReceipt, DriverError> {
        let mut plan = Plan::of(message)?;
        let size = message.attachment.as_ref().map_or(0, |file| file.bytes.len() as u64);
        let upload = Duration::from_secs(size / self.options.upload_bytes_per_second.max(1));
        let deadline = Instant::now() + self.options.send_timeout + upload;
        loop {
            let timeout = Some(deadline.saturating_duration_since(Instant::now()));
            let call = Call { method: plan.method(), body: plan.body(), timeout };
            let failure = match self.client.call(&access.secret, call).await {
                Ok(result) => {
                    let receipt = outbound::receipt(&result, &message.chat_id);
                    // It was taken, but we cannot name what was taken.
                    return receipt.ok_or_else(|| {
                        Failure::malformed("the answer names no message").of_send()
                    });
                }
                Err(failure) => failure,
            };
            // A refusal is proof that nothing was sent, so another form of the same may follow.
            match failure.meaning() {
                Some(Meaning::ReplyNotFound) if plan.forget_reply() => {}
                Some(Meaning::PhotoUnfit) if plan.become_document() => {}
                _ => return Err(failure.of_send()),
            }
        }
    }

    async fn edit(
        &self,
        access: &ChannelAccess,
        external_id: &str,
        text: &str,
        caption: bool,
    ) -> Result<(), DriverError> {
        let message = MessageRef::parse(external_id)?;
        let (method, field) =
            if caption { ("editMessageCaption", "caption") } else { ("editMessageText", "text") };
        let mut params = message.params();
        params[field] = text.into();
        match self.repeatable(access, method, params).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.meaning() == Some(Meaning::NotModified) => Ok(()),
            Err(failure) => Err(failure.of_repeatable()),
        }
    }

    async fn delete(&self, access: &ChannelAccess, external_id: &str) -> Result<(), DriverError> {
        let message = MessageRef::parse(external_id)?;
        match self.repeatable(access, "deleteMessage", message.params()).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.meaning() == Some(Meaning::MessageNotFound) => Ok(()),
            Err(failure) => Err(failure.of_repeatable()),
        }
    }

    async fn answer_button(
        &self,
        access: &ChannelAccess,
        external_id: &str,
    ) -> Result<(), DriverError> {
        let params = json!({ "callback_query_id": external_id });
        match self.repeatable(access, "answerCallbackQuery", params).await {
            Ok(_) => Ok(()),
            // The client no longer waits: what we wanted.
            Err(failure) if failure.meaning() == Some(Meaning::QueryExpired) => Ok(()),
            Err(failure) => Err(failure.of_repeatable()),
        }
    }

    async fn download(
        &self,
        access: &ChannelAccess,
        file_ref: &str,
    ) -> Result<Download, DriverError> {
        let mut asked_again = false;
        loop {
            let params = json!({ "file_id": file_ref });
            let answer = self.repeatable(access, "getFile", params).await;
            let answer = answer.map_err(Failure::of_repeatable)?;
            let file: wire::FilePath = wire::read(&answer)
                .ok_or_else(|| Failure::malformed("getFile told no path").of_repeatable())?;
            match self.client.open_file(&access.secret, &file.file_path).await {
                Ok(opened) => {
                    let told = file.file_size.and_then(|size| u64::try_from(size).ok());
                    return Ok(Download {
                        size_bytes: opened.size_bytes.or(told),
                        mime_type: opened.mime_type,
                        bytes: opened.bytes.boxed(),
                    });
                }
                // The path was good for an hour and that hour is over: ask for a fresh one.
                Err(failure) if failure.is_missing_file() && !asked_again => asked_again = true,
                Err(failure) => return Err(failure.of_download()),
            }
        }
    }
}

/// Where the JSON is broken, without quoting any of it.
fn describe_json(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "ends early",
        serde_json::error::Category::Io => "unreadable",
        serde_json::error::Category::Syntax | serde_json::error::Category::Data => "broken",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}
