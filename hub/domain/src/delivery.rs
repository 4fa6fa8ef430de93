//! Effects to be made outside, and how they may end. The engine that makes them is the server's.

use serde::{Deserialize, Serialize};

/// What is to be done outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryKind {
    SendMessage,
    EditMessage,
    DeleteMessage,
    FetchAttachment,
    AnswerButton,
    ConfigureChannel,
    SendSignInCode,
}

impl DeliveryKind {
    pub const ALL: [Self; 7] = [
        Self::SendMessage,
        Self::EditMessage,
        Self::DeleteMessage,
        Self::FetchAttachment,
        Self::AnswerButton,
        Self::ConfigureChannel,
        Self::SendSignInCode,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendMessage => "send_message",
            Self::EditMessage => "edit_message",
            Self::DeleteMessage => "delete_message",
            Self::FetchAttachment => "fetch_attachment",
            Self::AnswerButton => "answer_button",
            Self::ConfigureChannel => "configure_channel",
            Self::SendSignInCode => "send_sign_in_code",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether doing it twice has the effect of doing it once, so that an attempt whose outcome was
    /// lost may be repeated without asking anybody.
    pub const fn repeatable(self) -> bool {
        match self {
            Self::EditMessage
            | Self::DeleteMessage
            | Self::FetchAttachment
            | Self::AnswerButton
            | Self::ConfigureChannel => true,
            // A second code is a second text message that somebody pays for.
            Self::SendMessage | Self::SendSignInCode => false,
        }
    }
}

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its turn, its time or its target.
    Pending,
    /// Claimed by a node until its lease ends.
    InFlight,
    Done,
    /// Refused for good, or tried as often as the schedule allows: a dead letter. Can be replayed.
    Dead,
    /// Accepted or not, nobody can tell. A person decides.
    Unknown,
    /// No longer wanted.
    Cancelled,
}

impl DeliveryState {
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::InFlight, Self::Done, Self::Dead, Self::Unknown, Self::Cancelled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InFlight => "in_flight",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// How long to wait before attempt `attempts + 1`, or `None` when the schedule is used up.
///
/// `schedule_seconds[n]` is the wait after attempt `n + 1` failed. `jitter` in `0.0..1.0` spreads
/// waits over ±20 %, so that what failed together does not come back together. A provider's
/// `retry_after` is honoured when it is longer, but clamped to `retry_after_limit`.
pub fn retry_delay_ms(
    schedule_seconds: &[u64],
    attempts: u32,
    jitter: f64,
    retry_after_ms: Option<u64>,
    retry_after_limit_ms: u64,
) -> Option<u64> {
    let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let base = schedule_seconds.get(index)?.saturating_mul(1000);
    let spread = (base as f64 * (0.8 + 0.4 * jitter.clamp(0.0, 1.0))) as u64;
    let asked = retry_after_ms.unwrap_or(0).min(retry_after_limit_ms);
    Some(spread.max(asked))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_is_within_a_fifth_of_the_schedule_and_honours_retry_after(
            attempt in 1_u32..6,
            jitter in 0.0_f64..1.0,
            retry_after in proptest::option::of(0_u64..10_000_000),
        ) {
            let schedule = [2, 10, 60, 300, 1800];
            let limit = 3_600_000;
            let delay = retry_delay_ms(&schedule, attempt, jitter, retry_after, limit);
            let base = schedule[attempt as usize - 1] * 1000;
            let delay = delay.expect("within the schedule");
            let asked = retry_after.unwrap_or(0).min(limit);
            prop_assert!(delay >= asked);
            prop_assert!(delay >= base * 8 / 10);
            prop_assert!(delay <= (base * 12 / 10 + 1).max(asked));
        }
    }

    #[test]
    fn the_schedule_ends() {
        assert_eq!(retry_delay_ms(&[1, 2], 3, 0.5, None, 1000), None);
        assert_eq!(retry_delay_ms(&[1, 2], 2, 0.5, None, 1000), Some(2000));
    }
}
