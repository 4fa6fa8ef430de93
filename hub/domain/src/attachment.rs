//! A file of a message: where it is in its life, and what may be done with it.

use serde::{Deserialize, Serialize};

use crate::AttachmentId;

/// How a file is shown and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    Photo,
    Video,
    /// A round or square short video.
    VideoNote,
    Animation,
    Voice,
    Audio,
    Sticker,
    Document,
}

impl AttachmentKind {
    pub const ALL: [Self; 8] = [
        Self::Photo,
        Self::Video,
        Self::VideoNote,
        Self::Animation,
        Self::Voice,
        Self::Audio,
        Self::Sticker,
        Self::Document,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Video => "video",
            Self::VideoNote => "video_note",
            Self::Animation => "animation",
            Self::Voice => "voice",
            Self::Audio => "audio",
            Self::Sticker => "sticker",
            Self::Document => "document",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentState {
    /// Known, the bytes are still at the provider.
    Pending,
    /// The bytes are in our files.
    Ready,
    /// The provider does not hand it out (too large, expired); `failure` says why.
    Unavailable,
}

impl AttachmentState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Unavailable => "unavailable",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "pending" => Some(Self::Pending),
            "ready" => Some(Self::Ready),
            "unavailable" => Some(Self::Unavailable),
            _ => None,
        }
    }
}

/// A file as members see it. Its bytes are at `/api/v1/companies/{company}/attachments/{id}/content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attachment {
    pub id: AttachmentId,
    pub kind: AttachmentKind,
    pub state: AttachmentState,
    /// Stable code of why the file is unavailable, for example `file_too_big`.
    pub failure: Option<String>,
    #[schema(example = "Программа_5_класс.pdf")]
    pub file_name: Option<String>,
    #[schema(example = "application/pdf")]
    pub mime_type: Option<String>,
    pub size_bytes: Option<i64>,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub duration_seconds: Option<i32>,
    /// The emoji a sticker stands for.
    pub emoji: Option<String>,
}
