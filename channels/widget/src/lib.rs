//! The driver of the site widget: what it can do, its settings, and who a visitor is.
//!
//! The provider of a widget is the hub itself. A message is delivered when the visitor's view of the log
//! may show it, so `send` refuses what the widget could not show and otherwise gives the message its
//! number; nothing is called. What visitors write comes in through the hub's own `/widget/...`, never by
//! webhook or poll. Knows neither store nor server.

pub mod identity;
pub mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use hub_domain::channel::{
    Account, Capabilities, ChannelAccess, ChannelDriver, ChannelKind, Download, DriverError,
    IntakeMode, MediaLimit, NumberedUpdate, OutboundMessage, ParseError, PollBatch, SendReceipt,
};
use hub_domain::content::utf16_len;
use hub_domain::{AttachmentKind, Clock};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

pub use settings::WidgetSettings;

/// Longest text either side may write, in UTF-16 code units.
pub const TEXT_LIMIT: usize = 4096;
/// Largest file either side may send.
pub const FILE_LIMIT_BYTES: i64 = 20 * 1024 * 1024;
/// Length of a widget's secret: 256 bits in base64.
const SECRET_CHARS: usize = 43;

/// The driver. Cheap to clone behind an [`Arc`].
#[derive(Debug)]
pub struct SiteWidget {
    clock: Arc<dyn Clock>,
    /// Tells numbers of this process from those of another one in the same microsecond.
    node: String,
    last: AtomicI64,
}

impl SiteWidget {
    pub fn new(clock: Arc<dyn Clock>, node: String) -> Self {
        Self { clock, node, last: AtomicI64::new(0) }
    }

    /// Grows with each message, and across restarts with time.
    fn next_number(&self) -> i64 {
        let now = self.clock.now().as_millis().saturating_mul(1000);
        let next = |last: i64| Some(now.max(last + 1));
        match self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(last) | Err(last) => now.max(last + 1),
        }
    }
}

/// The public name of a widget in addresses and script tags. It tells nothing about the secret.
pub fn key_of(secret: &SecretString) -> String {
    hex::encode(&Sha256::digest(format!("widget:{}", secret.expose_secret()))[..8])
}

fn refused(code: &'static str, detail: &str) -> DriverError {
    DriverError::Refused { code, detail: detail.to_owned() }
}

fn check_text(text: &str, code: &'static str) -> Result<(), DriverError> {
    if utf16_len(text) > TEXT_LIMIT {
        return Err(refused(code, "the widget takes at most 4096 characters"));
    }
    Ok(())
}

#[async_trait]
impl ChannelDriver for SiteWidget {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Widget
    }

    fn capabilities(&self) -> Capabilities {
        let limit = |kind, mime_types: &[&str]| MediaLimit {
            kind,
            max_bytes: FILE_LIMIT_BYTES,
            mime_types: mime_types.iter().map(|text| (*text).to_owned()).collect(),
        };
        Capabilities {
            text_limit: TEXT_LIMIT,
            caption_limit: TEXT_LIMIT,
            // As photo, video and sound what every browser shows; everything else is a document.
            media: vec![
                limit(
                    AttachmentKind::Photo,
                    &["image/jpeg", "image/png", "image/gif", "image/webp"],
                ),
                limit(AttachmentKind::Video, &["video/mp4", "video/webm"]),
                limit(
                    AttachmentKind::Voice,
                    &["audio/ogg", "audio/mpeg", "audio/mp4", "audio/webm"],
                ),
                limit(AttachmentKind::Audio, &["audio/*"]),
                limit(AttachmentKind::Document, &[]),
            ],
            download_limit_bytes: FILE_LIMIT_BYTES,
            reply: true,
            edit: true,
            delete: true,
            reactions: false,
            delivered_receipts: true,
            read_receipts: true,
            write_first: false,
            sends_per_second: 0,
        }
    }

    fn credential_is_well_formed(&self, secret: &SecretString) -> bool {
        let text = secret.expose_secret();
        text.len() == SECRET_CHARS
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    }

    async fn account(&self, access: &ChannelAccess) -> Result<Account, DriverError> {
        if !self.credential_is_well_formed(&access.secret) {
            return Err(DriverError::Unauthorized {
                code: "credential_malformed",
                detail: "this is not the secret of a widget".to_owned(),
            });
        }
        Ok(Account {
            external_id: key_of(&access.secret),
            name: "Виджет сайта".to_owned(),
            username: None,
        })
    }

    fn webhook_is_genuine(&self, _: &ChannelAccess, _: &http::HeaderMap, _: &[u8]) -> bool {
        false
    }

    fn parse_webhook(
        &self,
        _: &ChannelAccess,
        _: &[u8],
    ) -> Result<Vec<NumberedUpdate>, ParseError> {
        Err(ParseError { detail: "a widget has no webhook".to_owned() })
    }

    async fn poll(
        &self,
        _: &ChannelAccess,
        cursor: Option<&str>,
    ) -> Result<PollBatch, DriverError> {
        Ok(PollBatch { updates: Vec::new(), next_cursor: cursor.map(ToOwned::to_owned) })
    }

    async fn configure_intake(
        &self,
        _: &ChannelAccess,
        _: IntakeMode,
        _: Option<&str>,
    ) -> Result<(), DriverError> {
        Ok(())
    }

    async fn send(
        &self,
        _: &ChannelAccess,
        message: &OutboundMessage,
    ) -> Result<SendReceipt, DriverError> {
        let code = if message.attachment.is_some() { "caption_too_long" } else { "text_too_long" };
        check_text(&message.text, code)?;
        if let Some(file) = &message.attachment
            && file.bytes.len() as i64 > FILE_LIMIT_BYTES
        {
            return Err(refused("file_too_big", "the widget takes files of at most 20 MB"));
        }
        let ordinal = self.next_number();
        Ok(SendReceipt { external_id: format!("hub:{}:{ordinal}", self.node), ordinal })
    }

    async fn edit(
        &self,
        _: &ChannelAccess,
        _external_id: &str,
        text: &str,
        caption: bool,
    ) -> Result<(), DriverError> {
        check_text(text, if caption { "caption_too_long" } else { "text_too_long" })
    }

    async fn delete(&self, _: &ChannelAccess, _external_id: &str) -> Result<(), DriverError> {
        Ok(())
    }

    async fn answer_button(&self, _: &ChannelAccess, _: &str) -> Result<(), DriverError> {
        Ok(())
    }

    async fn download(&self, _: &ChannelAccess, _: &str) -> Result<Download, DriverError> {
        Err(refused("file_gone", "files of visitors are in the hub's own storage"))
    }
}
