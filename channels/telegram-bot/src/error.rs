//! How a call failed, and what that means for the hub.
//!
//! Decided by the provider's error code first, by its parameters second and only then by words of its
//! description, which are not a contract: unknown words fall back to the class of the code.
//!
//! One failure means different things by what the call does. A call that can be repeated (an edit, a
//! question) may always be tried again; a send whose end is not known must not be.

use hub_domain::channel::DriverError;

/// How far a call got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It never left, or not whole: no connection, or one that broke within a file.
    NotSent { detail: String },
    /// It may have arrived; no answer came.
    Lost { timed_out: bool, detail: String },
    /// The provider answered that it did not do it.
    Refusal { code: u16, description: String, retry_after_ms: Option<u64> },
    /// Somebody answered, not in the provider's form: a front server, or a broken answer.
    Unreadable { status: u16, retry_after_ms: Option<u64>, detail: &'static str },
}

/// Refusals that the driver itself or the hub acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    NotModified,
    MessageNotFound,
    ReplyNotFound,
    QueryExpired,
    /// Not a picture the provider takes as a photo.
    PhotoUnfit,
    /// A refusal with a stable code of ours.
    Coded(&'static str),
    /// May work later.
    Later(&'static str),
    /// The account is out of service.
    AccountFrozen,
}

/// Parts of descriptions, in lower case, and what they mean. The first that fits wins.
const WORDS: [(&str, Meaning); 36] = [
    ("frozen_method_invalid", Meaning::AccountFrozen),
    ("bot was blocked by the user", Meaning::Coded("client_blocked")),
    ("user is deactivated", Meaning::Coded("client_deactivated")),
    ("can't initiate conversation", Meaning::Coded("cannot_initiate")),
    ("bot can't send messages to bots", Meaning::Coded("cannot_initiate")),
    ("bot was kicked", Meaning::Coded("not_a_member")),
    ("bot is not a member", Meaning::Coded("not_a_member")),
    ("group chat was deleted", Meaning::Coded("chat_not_found")),
    ("chat not found", Meaning::Coded("chat_not_found")),
    ("have no access to the user", Meaning::Coded("chat_not_found")),
    ("peer_id_invalid", Meaning::Coded("chat_not_found")),
    ("upgraded to a supergroup", Meaning::Coded("chat_migrated")),
    ("message is not modified", Meaning::NotModified),
    ("message to edit not found", Meaning::MessageNotFound),
    ("message to delete not found", Meaning::MessageNotFound),
    ("message_id_invalid", Meaning::MessageNotFound),
    ("message can't be edited", Meaning::Coded("message_not_editable")),
    ("message can't be deleted", Meaning::Coded("message_not_deletable")),
    ("message to be replied not found", Meaning::ReplyNotFound),
    ("message to reply not found", Meaning::ReplyNotFound),
    ("replied message not found", Meaning::ReplyNotFound),
    ("query is too old", Meaning::QueryExpired),
    ("query_id_invalid", Meaning::QueryExpired),
    ("photo_invalid_dimensions", Meaning::PhotoUnfit),
    ("photo_ext_invalid", Meaning::PhotoUnfit),
    ("image_process_failed", Meaning::PhotoUnfit),
    ("file is too big", Meaning::Coded("file_too_big")),
    ("temporarily unavailable", Meaning::Later("file_unavailable")),
    ("invalid file_id", Meaning::Coded("file_not_found")),
    ("message is too long", Meaning::Coded("text_too_long")),
    ("message text is empty", Meaning::Coded("text_empty")),
    ("caption is too long", Meaning::Coded("caption_too_long")),
    ("media_caption_too_long", Meaning::Coded("caption_too_long")),
    ("voice_messages_forbidden", Meaning::Coded("voice_forbidden")),
    ("video_messages_forbidden", Meaning::Coded("voice_forbidden")),
    ("bad webhook", Meaning::Coded("webhook_refused")),
];

/// Whether doing the call a second time does it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Once,
    Repeatable,
}

impl Failure {
    pub fn malformed(detail: &'static str) -> Self {
        Self::Unreadable { status: 200, retry_after_ms: None, detail }
    }

    pub fn malformed_token() -> Self {
        Self::Refusal {
            code: 401,
            description: "the token is not of the provider's form".to_owned(),
            retry_after_ms: None,
        }
    }

    pub fn unreadable(status: u16, retry_after_ms: Option<u64>) -> Self {
        let detail = "the answer is not in the provider's form";
        Self::Unreadable { status, retry_after_ms, detail }
    }

    pub fn timed_out() -> Self {
        Self::Lost { timed_out: true, detail: "no answer in time".to_owned() }
    }

    /// What a refusal says; `None` when it was none, or says nothing we know.
    pub fn meaning(&self) -> Option<Meaning> {
        let Self::Refusal { code: 400..=499, description, .. } = self else { return None };
        let description = description.to_lowercase();
        let known = WORDS.iter().find(|(words, _)| description.contains(words));
        known.map(|(_, meaning)| *meaning)
    }

    /// Whether a file is no longer where it was.
    pub const fn is_missing_file(&self) -> bool {
        matches!(
            self,
            Self::Refusal { code: 404 | 410, .. } | Self::Unreadable { status: 404 | 410, .. }
        )
    }

    pub fn of_send(self) -> DriverError {
        self.classify(Effect::Once)
    }

    pub fn of_repeatable(self) -> DriverError {
        self.classify(Effect::Repeatable)
    }

    pub fn of_download(self) -> DriverError {
        if self.is_missing_file() {
            return retry("file_unavailable", self.detail(), None);
        }
        self.classify(Effect::Repeatable)
    }

    fn classify(self, effect: Effect) -> DriverError {
        let detail = self.detail();
        match self {
            Self::NotSent { .. } => retry("provider_unreachable", detail, None),
            Self::Lost { timed_out, .. } => {
                let code = if timed_out { "provider_timeout" } else { "connection_lost" };
                uncertain(effect, code, detail, None)
            }
            Self::Refusal { code, retry_after_ms, .. } => {
                self.refused(code, retry_after_ms, effect)
            }
            Self::Unreadable { status, retry_after_ms, .. } => match status {
                200..=299 => uncertain(effect, "malformed_answer", detail, None),
                413 => DriverError::Refused { code: "upload_too_big", detail },
                429 => retry("rate_limited", detail, retry_after_ms),
                // "Come back later" is a promise that nothing was done.
                503 if retry_after_ms.is_some() => retry("provider_error", detail, retry_after_ms),
                500..=599 => uncertain(effect, "provider_error", detail, retry_after_ms),
                // A front server refused before the provider saw it.
                _ => retry("provider_error", detail, retry_after_ms),
            },
        }
    }

    fn refused(&self, code: u16, retry_after_ms: Option<u64>, effect: Effect) -> DriverError {
        let detail = self.detail();
        match code {
            404 if detail.to_lowercase().contains("method") => {
                DriverError::Refused { code: "bad_request", detail }
            }
            // 404 is the provider's answer to a token that was never one.
            401 | 404 => DriverError::Unauthorized { code: "token_revoked", detail },
            409 => DriverError::Conflict { code: conflict(&detail), detail },
            413 => DriverError::Refused { code: "upload_too_big", detail },
            420 | 429 => retry("rate_limited", detail, retry_after_ms),
            503 if retry_after_ms.is_some() => retry("provider_error", detail, retry_after_ms),
            // The provider may have failed after it sent.
            500.. => uncertain(effect, "provider_error", detail, retry_after_ms),
            _ => match self.meaning() {
                Some(Meaning::AccountFrozen) => {
                    DriverError::Unauthorized { code: "account_frozen", detail }
                }
                Some(Meaning::Later(code)) => retry(code, detail, retry_after_ms),
                Some(Meaning::Coded(code)) => DriverError::Refused { code, detail },
                Some(Meaning::NotModified) => {
                    DriverError::Refused { code: "message_not_modified", detail }
                }
                Some(Meaning::MessageNotFound) => {
                    DriverError::Refused { code: "message_not_found", detail }
                }
                Some(Meaning::ReplyNotFound) => {
                    DriverError::Refused { code: "reply_not_found", detail }
                }
                Some(Meaning::QueryExpired) => {
                    DriverError::Refused { code: "query_expired", detail }
                }
                Some(Meaning::PhotoUnfit) => DriverError::Refused { code: "photo_unfit", detail },
                None if code == 403 => DriverError::Refused { code: "forbidden", detail },
                None => DriverError::Refused { code: "bad_request", detail },
            },
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::NotSent { detail } | Self::Lost { detail, .. } => detail.clone(),
            Self::Refusal { description, .. } => description.clone(),
            Self::Unreadable { status, detail, .. } => format!("{detail} (HTTP {status})"),
        }
    }
}

fn conflict(description: &str) -> &'static str {
    let description = description.to_lowercase();
    if description.contains("webhook") {
        "webhook_active"
    } else if description.contains("getupdates") {
        "other_poller"
    } else {
        "conflict"
    }
}

fn retry(code: &'static str, detail: String, retry_after_ms: Option<u64>) -> DriverError {
    DriverError::Retry { code, detail, retry_after_ms, whole_account: false }
}

/// May have happened.
fn uncertain(
    effect: Effect,
    code: &'static str,
    detail: String,
    retry_after_ms: Option<u64>,
) -> DriverError {
    match effect {
        Effect::Once => DriverError::Unknown { code, detail },
        Effect::Repeatable => retry(code, detail, retry_after_ms),
    }
}
