//! Section `[providers]`: addresses and manners of the services outside.

use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvidersConfig {
    pub telegram: TelegramConfig,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelegramConfig {
    pub api_url: String,
    pub poll_seconds: u64,
}

impl ProvidersConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require_http_url(&self.telegram.api_url, "providers.telegram.api_url");
        problems.require(
            (1..=50).contains(&self.telegram.poll_seconds),
            "providers.telegram.poll_seconds",
            "1 to 50",
        );
    }
}
