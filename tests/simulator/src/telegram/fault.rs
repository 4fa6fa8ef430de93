//! The faults the Bot API can be made to show.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What happens to an API call. `processed` says whether the method took effect although the answer is bad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum CallFault {
    /// Everything goes well, later: the wait is before the method takes effect.
    Delay { delay_ms: u64 },
    /// 429 with `retry_after`.
    TooManyRequests { retry_after: u32 },
    /// Any refusal in the provider's envelope.
    Refused {
        error_code: u16,
        description: String,
        #[serde(default)]
        parameters: Option<Value>,
    },
    /// A 5xx in the envelope.
    ServerError {
        #[serde(default = "internal_server_error")]
        error_code: u16,
        #[serde(default)]
        processed: bool,
    },
    /// The HTML page of a front server.
    BadGateway {
        #[serde(default)]
        processed: bool,
    },
    /// The body of the call is read at this pace; at 0 not at all, until the caller gives up. Applies before anything
    /// else is known of the call but its method and bot.
    ReadSlowly { bytes_per_second: u64 },
    /// The connection is closed before the call takes effect.
    CutBefore,
    /// The call takes effect, then the connection is closed without an answer.
    AcceptedThenCut,
    /// The call takes effect, and the answer comes later than the caller waits.
    AcceptedThenSilent { delay_ms: u64 },
    /// 200 with JSON that ends in the middle.
    MalformedJson {
        #[serde(default = "yes")]
        processed: bool,
    },
}

fn internal_server_error() -> u16 {
    500
}

fn yes() -> bool {
    true
}

impl CallFault {
    /// The name under which the call's record mentions it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Delay { .. } => "delay",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Refused { .. } => "refused",
            Self::ServerError { .. } => "server_error",
            Self::BadGateway { .. } => "bad_gateway",
            Self::ReadSlowly { .. } => "read_slowly",
            Self::CutBefore => "cut_before",
            Self::AcceptedThenCut => "accepted_then_cut",
            Self::AcceptedThenSilent { .. } => "accepted_then_silent",
            Self::MalformedJson { .. } => "malformed_json",
        }
    }
}

/// What happens to an update on its way to the bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum UpdateFault {
    /// It comes more than once: a webhook gets all copies at the same time; a poll gets one copy again in the next
    /// answer, though it was confirmed, and the others beside the first.
    Duplicate { copies: u32 },
    /// It becomes deliverable later; what happens meanwhile overtakes it.
    Delay { delay_ms: u64 },
    /// Updates are held back until `window` of them are there (or the longest wait is over), then delivered
    /// shuffled: within one answer to a poll, without the order of chats to a webhook.
    Reorder {
        window: usize,
        #[serde(default = "a_moment")]
        longest_ms: u64,
        #[serde(default)]
        shuffle_seed: u64,
    },
}

fn a_moment() -> u64 {
    500
}
