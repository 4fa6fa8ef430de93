//! Section `[realtime]`.

use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealtimeConfig {
    pub heartbeat_seconds: u64,
    pub silence_seconds: u64,
    pub max_catch_up_events: u32,
    pub write_timeout_seconds: u64,
    pub max_lag_events: u32,
    pub ring_frames: usize,
    pub ring_bytes: usize,
    pub revalidate_seconds: u64,
    pub connections: usize,
    pub connections_per_user: usize,
    pub watches_per_connection: usize,
}

impl RealtimeConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let mut within = |value: u64, least: u64, most: u64, key: &str| {
            let must = format!("{least} to {most}");
            problems.require((least..=most).contains(&value), key, &must);
        };
        within(self.heartbeat_seconds, 1, 300, "realtime.heartbeat_seconds");
        let catch_up = u64::from(self.max_catch_up_events);
        within(catch_up, 1, 100_000, "realtime.max_catch_up_events");
        within(self.write_timeout_seconds, 1, 300, "realtime.write_timeout_seconds");
        within(self.ring_frames as u64, 8, 65_536, "realtime.ring_frames");
        within(self.ring_bytes as u64, 65_536, 1 << 30, "realtime.ring_bytes");
        within(self.revalidate_seconds, 1, 3600, "realtime.revalidate_seconds");
        within(self.connections as u64, 1, 1_000_000, "realtime.connections");
        within(self.connections_per_user as u64, 1, 1_000_000, "realtime.connections_per_user");
        within(self.watches_per_connection as u64, 1, 1000, "realtime.watches_per_connection");
        problems.require(
            self.silence_seconds >= self.heartbeat_seconds.saturating_mul(2),
            "realtime.silence_seconds",
            "at least twice `realtime.heartbeat_seconds`",
        );
        // Otherwise a client that catches up is too slow before it begins.
        problems.require(
            u64::from(self.max_lag_events) >= catch_up.saturating_mul(2),
            "realtime.max_lag_events",
            "at least twice `realtime.max_catch_up_events`",
        );
    }
}
