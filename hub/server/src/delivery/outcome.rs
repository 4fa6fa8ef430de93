//! How an attempt ended, and what follows: done, again later, dead, or unknown.

use hub_domain::Timestamp;
use hub_domain::channel::{DriverError, SendReceipt};
use hub_domain::delivery::{DeliveryKind, DeliveryState, retry_delay_ms};
use hub_domain::message::Failure;
use hub_store::records::Delivery;

use crate::files::StoredFile;

/// Longest detail that is kept of a provider's answer, in characters.
const DETAIL_LIMIT: usize = 500;

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    Done,
    Sent(SendReceipt),
    Fetched(StoredFile),
    /// Did not happen; may work later.
    Retry {
        code: String,
        detail: String,
        retry_after_ms: Option<u64>,
        whole_account: bool,
    },
    /// Did not happen, and will not.
    Refused {
        code: String,
        detail: String,
    },
    /// Did not happen, and is not wanted any more.
    Cancelled {
        code: String,
        detail: String,
    },
    /// Did not happen: the credential no longer works. Waits until the channel works again.
    Unauthorized {
        code: String,
        detail: String,
    },
    /// May have happened.
    Unknown {
        code: String,
        detail: String,
    },
}

impl Outcome {
    pub fn refused(code: &str, detail: impl Into<String>) -> Self {
        Self::Refused { code: code.to_owned(), detail: detail.into() }
    }

    pub fn retry(code: &str, detail: impl Into<String>) -> Self {
        Self::Retry {
            code: code.to_owned(),
            detail: detail.into(),
            retry_after_ms: None,
            whole_account: false,
        }
    }

    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Done | Self::Sent(_) | Self::Fetched(_) => None,
            Self::Retry { code, .. }
            | Self::Refused { code, .. }
            | Self::Cancelled { code, .. }
            | Self::Unauthorized { code, .. }
            | Self::Unknown { code, .. } => Some(code),
        }
    }

    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Done | Self::Sent(_) | Self::Fetched(_) => None,
            Self::Retry { detail, .. }
            | Self::Refused { detail, .. }
            | Self::Cancelled { detail, .. }
            | Self::Unauthorized { detail, .. }
            | Self::Unknown { detail, .. } => Some(detail),
        }
    }

    pub fn failure(&self) -> Option<Failure> {
        let detail = self.detail().filter(|detail| !detail.is_empty());
        self.code().map(|code| Failure {
            code: code.to_owned(),
            detail: detail.map(|detail| detail.chars().take(DETAIL_LIMIT).collect()),
        })
    }
}

impl From<DriverError> for Outcome {
    fn from(error: DriverError) -> Self {
        let code = error.code().to_owned();
        let detail: String = error.detail().chars().take(DETAIL_LIMIT).collect();
        match error {
            DriverError::Retry { retry_after_ms, whole_account, .. } => {
                Self::Retry { code, detail, retry_after_ms, whole_account }
            }
            DriverError::Refused { .. } => Self::Refused { code, detail },
            DriverError::Unauthorized { .. } => Self::Unauthorized { code, detail },
            // Somebody else has the account for the moment.
            DriverError::Conflict { .. } => {
                Self::Retry { code, detail, retry_after_ms: None, whole_account: true }
            }
            DriverError::Unknown { .. } => Self::Unknown { code, detail },
        }
    }
}

/// What follows from an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub state: DeliveryState,
    /// Name of the outcome in `attempts`.
    pub outcome: &'static str,
    pub retry_at: Option<Timestamp>,
    /// When set, the whole target waits until then.
    pub pause_until: Option<Timestamp>,
}

/// The rules of trying again.
#[derive(Debug, Clone)]
pub struct RetryRules {
    /// Seconds to wait after each attempt; when used up, the delivery is dead.
    pub schedule: Vec<u64>,
    pub retry_after_limit_ms: u64,
}

impl RetryRules {
    /// What follows from `outcome` of attempt `number`. `jitter` in `0.0..1.0`.
    pub fn settle(
        &self,
        delivery: &Delivery,
        number: i64,
        outcome: &Outcome,
        jitter: f64,
        now: Timestamp,
    ) -> Settled {
        let ended = |state, outcome| Settled { state, outcome, retry_at: None, pause_until: None };
        match outcome {
            Outcome::Done | Outcome::Sent(_) | Outcome::Fetched(_) => {
                ended(DeliveryState::Done, "done")
            }
            Outcome::Refused { .. } => ended(DeliveryState::Dead, "refused"),
            Outcome::Cancelled { .. } => ended(DeliveryState::Cancelled, "refused"),
            Outcome::Unknown { .. } if !delivery.kind.repeatable() => {
                ended(DeliveryState::Unknown, "unknown")
            }
            // Nothing holds it back: it would be tried again and again. Another credential, or switching
            // the channel on, configures it anew.
            Outcome::Unauthorized { .. } if delivery.kind == DeliveryKind::ConfigureChannel => {
                ended(DeliveryState::Dead, "refused")
            }
            // The channel is switched off in the same transaction and holds its queue, however often
            // this happens: it is not the delivery that failed.
            Outcome::Unauthorized { .. } => Settled {
                state: DeliveryState::Pending,
                outcome: "retry",
                retry_at: Some(now),
                pause_until: None,
            },
            Outcome::Retry { .. } | Outcome::Unknown { .. } => {
                let (retry_after_ms, whole_account) = match outcome {
                    Outcome::Retry { retry_after_ms, whole_account, .. } => {
                        (*retry_after_ms, *whole_account)
                    }
                    _ => (None, false),
                };
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                let delay = retry_delay_ms(
                    &self.schedule,
                    number,
                    jitter,
                    retry_after_ms,
                    self.retry_after_limit_ms,
                );
                match delay {
                    None => ended(DeliveryState::Dead, "refused"),
                    Some(delay) => {
                        let at = now.plus_millis(i64::try_from(delay).unwrap_or(i64::MAX));
                        Settled {
                            state: DeliveryState::Pending,
                            outcome: "retry",
                            retry_at: Some(at),
                            pause_until: whole_account.then_some(at),
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hub_domain::DeliveryId;

    use super::*;

    fn delivery(kind: DeliveryKind) -> Delivery {
        Delivery {
            id: DeliveryId(1),
            company_id: None,
            kind,
            lane: String::new(),
            target: String::new(),
            subject_id: 1,
            payload: String::new(),
            state: DeliveryState::InFlight,
            attempts: 1,
            not_before: Timestamp(0),
            lease_until: None,
            error_code: None,
            error_detail: None,
            created_at: Timestamp(0),
            finished_at: None,
        }
    }

    fn settle(kind: DeliveryKind, number: i64, outcome: &Outcome) -> Settled {
        let rules = RetryRules { schedule: vec![10, 100], retry_after_limit_ms: 3_600_000 };
        rules.settle(&delivery(kind), number, outcome, 0.5, Timestamp(0))
    }

    #[test]
    fn a_send_whose_answer_was_lost_is_never_repeated() {
        let lost = Outcome::Unknown { code: "timeout".into(), detail: String::new() };
        let settled = settle(DeliveryKind::SendMessage, 1, &lost);
        assert_eq!(settled.state, DeliveryState::Unknown);
        assert_eq!(settled.retry_at, None);
    }

    #[test]
    fn an_edit_whose_answer_was_lost_is_repeated() {
        let lost = Outcome::Unknown { code: "timeout".into(), detail: String::new() };
        let settled = settle(DeliveryKind::EditMessage, 1, &lost);
        assert_eq!(settled.state, DeliveryState::Pending);
        assert_eq!(settled.retry_at, Some(Timestamp(10_000)));
    }

    #[test]
    fn a_used_up_schedule_ends_in_a_dead_letter() {
        let failed = Outcome::retry("provider_error", "");
        assert_eq!(settle(DeliveryKind::SendMessage, 2, &failed).state, DeliveryState::Pending);
        assert_eq!(settle(DeliveryKind::SendMessage, 3, &failed).state, DeliveryState::Dead);
    }

    #[test]
    fn a_revoked_credential_keeps_the_queue() {
        let revoked = Outcome::Unauthorized { code: "token_revoked".into(), detail: String::new() };
        let settled = settle(DeliveryKind::SendMessage, 9, &revoked);
        assert_eq!(settled.state, DeliveryState::Pending);
    }

    #[test]
    fn a_revoked_credential_ends_telling_the_provider_how_to_deliver() {
        let revoked = Outcome::Unauthorized { code: "token_revoked".into(), detail: String::new() };
        let settled = settle(DeliveryKind::ConfigureChannel, 1, &revoked);
        assert_eq!(settled.state, DeliveryState::Dead);
    }

    #[test]
    fn a_limit_of_the_whole_account_pauses_the_target() {
        let limited = Outcome::Retry {
            code: "rate_limited".into(),
            detail: String::new(),
            retry_after_ms: Some(30_000),
            whole_account: true,
        };
        let settled = settle(DeliveryKind::SendMessage, 1, &limited);
        assert_eq!(settled.pause_until, Some(Timestamp(30_000)));
    }
}
