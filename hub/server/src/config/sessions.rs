//! Section `[sessions]`.

use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionsConfig {
    pub idle_hours: u32,
    pub absolute_hours: u32,
}

impl SessionsConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require(
            (1..=8760).contains(&self.absolute_hours),
            "sessions.absolute_hours",
            "1 to 8760",
        );
        problems.require(
            (1..=self.absolute_hours).contains(&self.idle_hours),
            "sessions.idle_hours",
            "1 or more, and not above `sessions.absolute_hours`",
        );
    }
}
