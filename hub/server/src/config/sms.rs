//! Section `[sms]`.

use serde::Deserialize;

use super::Problems;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsConfig {
    pub gateways: Vec<String>,
    pub allow_log_gateway: bool,
}

impl SmsConfig {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.require(
            !self.gateways.is_empty() && self.gateways.iter().all(|name| name == "log"),
            "sms.gateways",
            "a list of `log`",
        );
    }
}
