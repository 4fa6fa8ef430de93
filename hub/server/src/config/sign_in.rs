//! Section `[sign_in]`.

use std::num::NonZeroU32;

use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInConfig {
    pub code_lifetime_seconds: u32,
    pub code_attempts: u32,
    pub resend_wait_seconds: Vec<u32>,
    pub codes_per_day: u32,
    pub allowed_prefixes: Vec<String>,
    pub codes_per_network_per_hour: NonZeroU32,
    pub codes_per_minute: NonZeroU32,
    pub tries_per_network_per_minute: NonZeroU32,
    pub link_lifetime_hours: u32,
}

impl SignInConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require(
            (30..=600).contains(&self.code_lifetime_seconds),
            "sign_in.code_lifetime_seconds",
            "30 to 600",
        );
        problems.require(
            (1..=10).contains(&self.code_attempts),
            "sign_in.code_attempts",
            "1 to 10",
        );
        problems.require(
            !self.resend_wait_seconds.is_empty(),
            "sign_in.resend_wait_seconds",
            "at least one wait",
        );
        problems.require(
            (1..=1000).contains(&self.codes_per_day),
            "sign_in.codes_per_day",
            "1 to 1000",
        );
        problems.require(
            self.allowed_prefixes
                .iter()
                .all(|prefix| !prefix.is_empty() && prefix.chars().all(|c| c.is_ascii_digit())),
            "sign_in.allowed_prefixes",
            "digits, as 7 or 375",
        );
        problems.require(
            (1..=720).contains(&self.link_lifetime_hours),
            "sign_in.link_lifetime_hours",
            "1 to 720",
        );
    }

    /// The wait after `sent` codes have gone to one number.
    pub fn resend_wait(&self, sent: usize) -> u32 {
        let index = sent.saturating_sub(1).min(self.resend_wait_seconds.len().saturating_sub(1));
        self.resend_wait_seconds.get(index).copied().unwrap_or(60)
    }

    /// Whether numbers of this country get codes.
    pub fn allows(&self, digits: &str) -> bool {
        self.allowed_prefixes.is_empty()
            || self.allowed_prefixes.iter().any(|prefix| digits.starts_with(prefix))
    }
}
