//! Section `[redis]`.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    pub url: SecretString,
    pub prefix: String,
}

impl RedisConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let url = self.url.expose_secret();
        problems.require(
            // Without TLS: Redis stands beside the nodes, in their own network.
            url.is_empty() || url.starts_with("redis://"),
            "redis.url",
            "redis://HOST:PORT",
        );
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':');
        problems.require(
            !self.prefix.is_empty() && self.prefix.len() <= 64 && self.prefix.chars().all(plain),
            "redis.prefix",
            "1 to 64 letters, digits, `_`, `-` or `:`",
        );
    }

    /// Whether wake-ups go through Redis.
    pub fn enabled(&self) -> bool {
        !self.url.expose_secret().is_empty()
    }
}
