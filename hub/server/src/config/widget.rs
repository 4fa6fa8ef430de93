//! Section `[widget]`.

use std::num::NonZeroU32;

use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WidgetConfig {
    pub demo_site: bool,
    pub messages_per_visitor_per_minute: NonZeroU32,
    pub messages_per_network_per_minute: NonZeroU32,
    pub files_per_network_per_minute: NonZeroU32,
    pub visitors_per_network_per_hour: NonZeroU32,
    pub connections: usize,
    pub connections_per_network: usize,
}

impl WidgetConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require(self.connections > 0, "widget.connections", "at least 1");
        problems.require(
            self.connections_per_network > 0,
            "widget.connections_per_network",
            "at least 1",
        );
    }
}
