//! Section `[log]`.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use super::Problems;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    Human,
    Json,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    pub format: LogFormat,
    pub filter: String,
}

impl LogConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let good = EnvFilter::builder().parse(&self.filter).is_ok();
        problems.require(good, "log.filter", "levels, as in `info,hub_server=debug`");
    }
}
