//! Sections `[delivery]` and `[events]`.

use std::time::Duration;

use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryConfig {
    pub retry_schedule: Vec<u64>,
    pub retry_after_limit_seconds: u64,
    pub lease_seconds: u64,
    pub send_timeout_seconds: u64,
    pub upload_bytes_per_second: u64,
    pub concurrency: usize,
}

impl DeliveryConfig {
    /// Longest call that sends so many bytes.
    pub fn send_timeout(&self, bytes: u64) -> Duration {
        Duration::from_secs(self.send_timeout_seconds + bytes / self.upload_bytes_per_second.max(1))
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require(
            self.retry_schedule.len() <= 50 && self.retry_schedule.iter().all(|s| *s <= 604_800),
            "delivery.retry_schedule",
            "at most 50 waits of at most a week",
        );
        problems.require(
            self.retry_after_limit_seconds <= 604_800,
            "delivery.retry_after_limit_seconds",
            "at most a week",
        );
        problems.require(
            (1..=600).contains(&self.send_timeout_seconds),
            "delivery.send_timeout_seconds",
            "1 to 600",
        );
        problems.require(
            (1024..=1024 * 1024 * 1024).contains(&self.upload_bytes_per_second),
            "delivery.upload_bytes_per_second",
            "1024 to 1073741824",
        );
        // A lease that ends during a call would let another node begin the same call.
        problems.require(
            self.lease_seconds > self.send_timeout_seconds && self.lease_seconds <= 3600,
            "delivery.lease_seconds",
            "longer than `delivery.send_timeout_seconds`, and at most 3600",
        );
        problems.require(
            (1..=1000).contains(&self.concurrency),
            "delivery.concurrency",
            "1 to 1000",
        );
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsConfig {
    pub keep_days: u32,
}

impl EventsConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require((1..=3650).contains(&self.keep_days), "events.keep_days", "1 to 3650");
    }
}
