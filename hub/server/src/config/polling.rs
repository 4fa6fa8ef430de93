//! Section `[polling]`.

use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PollingConfig {
    pub lease_seconds: u32,
}

impl PollingConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        // It is renewed at a third of it; below a second that would be a load of its own.
        problems.require(
            (3..=600).contains(&self.lease_seconds),
            "polling.lease_seconds",
            "3 to 600",
        );
    }
}
