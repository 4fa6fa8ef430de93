//! Section `[redis]`.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    pub url: SecretString,
    /// PEM file with who vouches for the server's certificate; empty: whom this machine trusts.
    pub ca_file: String,
    pub prefix: String,
}

impl RedisConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let url = self.url.expose_secret();
        problems.require(
            url.is_empty() || url.starts_with("redis://") || url.starts_with("rediss://"),
            "redis.url",
            "redis://HOST:PORT, or rediss://HOST:PORT with TLS",
        );
        // The library's word for believing any certificate.
        problems.require(!url.contains('#'), "redis.url", "without `#`: certificates are checked");
        problems.require(
            self.ca_file.is_empty() || url.starts_with("rediss://"),
            "redis.ca_file",
            "empty unless `redis.url` is rediss://",
        );
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':');
        problems.require(
            !self.prefix.is_empty() && self.prefix.len() <= 64 && self.prefix.chars().all(plain),
            "redis.prefix",
            "1 to 64 letters, digits, `_`, `-` or `:`",
        );
    }

    pub fn ca_file(&self) -> Option<&Path> {
        (!self.ca_file.is_empty()).then(|| Path::new(&self.ca_file))
    }

    /// Whether wake-ups go through Redis.
    pub fn enabled(&self) -> bool {
        !self.url.expose_secret().is_empty()
    }
}
