//! Section `[realtime]`.

use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealtimeConfig {
    pub heartbeat_seconds: u64,
    pub max_catch_up_events: u32,
    pub queue_frames: usize,
}

impl RealtimeConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require(
            (1..=300).contains(&self.heartbeat_seconds),
            "realtime.heartbeat_seconds",
            "1 to 300",
        );
        problems.require(
            (1..=100_000).contains(&self.max_catch_up_events),
            "realtime.max_catch_up_events",
            "1 to 100000",
        );
        problems.require(
            (8..=65_536).contains(&self.queue_frames),
            "realtime.queue_frames",
            "8 to 65536",
        );
    }
}
