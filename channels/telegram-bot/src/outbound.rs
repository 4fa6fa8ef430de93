//! Intentions of the hub as calls of the provider, and its answers as receipts. Pure.
//!
//! Text goes without any markup mode: what an operator typed is what the client reads.

use std::fmt;

use hub_domain::AttachmentKind;
use hub_domain::channel::{DriverError, OutboundAttachment, OutboundMessage, SendReceipt};
use serde_json::{Value, json};

use crate::client::{Body, FilePart};
use crate::{PHOTO_LIMIT, UPLOAD_LIMIT, wire};

/// A message at the provider; unique within a bot only together with its chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRef {
    chat_id: i64,
    message_id: i64,
}

impl MessageRef {
    pub const fn of(chat: &wire::Chat, message_id: i64) -> Self {
        Self { chat_id: chat.id, message_id }
    }

    /// Reads an external id of ours.
    pub fn parse(external_id: &str) -> Result<Self, DriverError> {
        let (chat_id, message_id) = external_id.split_once(':').unwrap_or_default();
        match (chat_id.parse(), message_id.parse()) {
            (Ok(chat_id), Ok(message_id)) => Ok(Self { chat_id, message_id }),
            _ => Err(DriverError::Refused {
                code: "bad_request",
                detail: "not an id of a message of this channel".to_owned(),
            }),
        }
    }

    pub fn params(self) -> Value {
        json!({ "chat_id": self.chat_id, "message_id": self.message_id })
    }
}

impl fmt::Display for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.chat_id, self.message_id)
    }
}

/// How a message is going to be sent. May change its form after a refusal, never after anything else.
#[derive(Debug)]
pub struct Plan<'a> {
    chat_id: i64,
    text: &'a str,
    file: Option<(&'a OutboundAttachment, AttachmentKind)>,
    reply_to: Option<i64>,
}

impl<'a> Plan<'a> {
    pub fn of(message: &'a OutboundMessage) -> Result<Self, DriverError> {
        let chat_id = message.chat_id.parse().map_err(|_| DriverError::Refused {
            code: "chat_not_found",
            detail: "not an address of this channel".to_owned(),
        })?;
        // A quoted message of another chat cannot be pointed at; the answer itself matters more.
        let reply_to = message
            .reply_to
            .as_deref()
            .and_then(|quoted| MessageRef::parse(quoted).ok())
            .filter(|quoted| quoted.chat_id == chat_id)
            .map(|quoted| quoted.message_id);
        let file = message.attachment.as_ref().map(|file| (file, fitting(file, &message.text)));
        if file.is_some_and(|(file, _)| size(file) > UPLOAD_LIMIT) {
            // The provider would cut the upload short, and we could not tell that from a lost answer.
            return Err(DriverError::Refused {
                code: "upload_too_big",
                detail: "the file is larger than the provider takes".to_owned(),
            });
        }
        Ok(Self { chat_id, text: &message.text, file, reply_to })
    }

    pub fn method(&self) -> &'static str {
        let Some((_, kind)) = self.file else { return "sendMessage" };
        match kind {
            AttachmentKind::Photo => "sendPhoto",
            AttachmentKind::Video => "sendVideo",
            AttachmentKind::VideoNote => "sendVideoNote",
            AttachmentKind::Animation => "sendAnimation",
            AttachmentKind::Voice => "sendVoice",
            AttachmentKind::Audio => "sendAudio",
            AttachmentKind::Sticker => "sendSticker",
            AttachmentKind::Document => "sendDocument",
        }
    }

    pub fn body(&self) -> Body {
        // A quoted message that the client deleted must not stop the answer.
        let reply = self.reply_to.map(
            |message_id| json!({ "message_id": message_id, "allow_sending_without_reply": true }),
        );
        let Some((file, kind)) = self.file else {
            let mut params = json!({ "chat_id": self.chat_id, "text": self.text });
            if let Some(reply) = reply {
                params["reply_parameters"] = reply;
            }
            return Body::Json(params);
        };
        let mut fields = vec![("chat_id", self.chat_id.to_string())];
        if !self.text.is_empty() {
            fields.push(("caption", self.text.to_owned()));
        }
        if let Some(reply) = reply {
            // Nested objects are JSON within their field.
            fields.push(("reply_parameters", reply.to_string()));
        }
        Body::Multipart {
            fields,
            file: FilePart {
                field: kind.as_str(),
                name: file.file_name.clone(),
                mime_type: file.mime_type.clone(),
                bytes: file.bytes.clone(),
            },
        }
    }

    /// Drops the quotation; `false` when there was none.
    pub const fn forget_reply(&mut self) -> bool {
        self.reply_to.take().is_some()
    }

    /// Sends a picture that the provider does not take as a photo as it is; `false` when it is no photo.
    pub const fn become_document(&mut self) -> bool {
        match &mut self.file {
            Some((_, kind @ AttachmentKind::Photo)) => {
                *kind = AttachmentKind::Document;
                true
            }
            _ => false,
        }
    }
}

/// What the provider shows as this kind; empty: anything. The rest is better off as a document.
pub const fn mime_types(kind: AttachmentKind) -> &'static [&'static str] {
    match kind {
        AttachmentKind::Photo => &["image/jpeg", "image/png", "image/webp"],
        AttachmentKind::Video | AttachmentKind::VideoNote => &["video/mp4"],
        AttachmentKind::Animation => &["video/mp4", "image/gif"],
        AttachmentKind::Voice => &["audio/ogg", "audio/mpeg", "audio/mp4", "audio/x-m4a"],
        AttachmentKind::Audio => &["audio/mpeg", "audio/mp4", "audio/x-m4a"],
        AttachmentKind::Sticker => &["image/webp", "video/webm", "application/x-tgsticker"],
        AttachmentKind::Document => &[],
    }
}

/// The kind to send as, so that neither the file nor its caption is lost on the way.
fn fitting(file: &OutboundAttachment, caption: &str) -> AttachmentKind {
    let mime_type = file.mime_type.split(';').next().unwrap_or_default().trim();
    if !mime_types(file.kind).iter().any(|one| one.eq_ignore_ascii_case(mime_type)) {
        return AttachmentKind::Document;
    }
    match file.kind {
        AttachmentKind::Photo if size(file) > PHOTO_LIMIT => AttachmentKind::Document,
        // These two carry no caption.
        AttachmentKind::VideoNote if !caption.is_empty() => AttachmentKind::Video,
        AttachmentKind::Sticker if !caption.is_empty() => AttachmentKind::Document,
        kind => kind,
    }
}

fn size(file: &OutboundAttachment) -> i64 {
    i64::try_from(file.bytes.len()).unwrap_or(i64::MAX)
}

/// What the provider took; `None` when its answer does not name it.
pub fn receipt(result: &Value, chat_id: &str) -> Option<SendReceipt> {
    let sent: wire::Sent = wire::read(result)?;
    let chat_id = match sent.chat {
        Some(chat) => chat.id,
        None => chat_id.parse().ok()?,
    };
    let message = MessageRef { chat_id, message_id: sent.message_id };
    Some(SendReceipt { external_id: message.to_string(), ordinal: sent.message_id })
}
