//! Section `[security]`.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Problems;
use crate::keys;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityConfig {
    pub master_key: SecretString,
    pub allow_loopback_urls: bool,
}

impl SecurityConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        let text = self.master_key.expose_secret();
        problems.require(
            text.is_empty() || keys::parse(text).is_some(),
            "security.master_key",
            "32 bytes as 64 hexadecimal digits or in base64",
        );
    }
}
