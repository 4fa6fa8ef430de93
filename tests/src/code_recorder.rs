//! A gateway that remembers the codes it was to send.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use hub_domain::channel::DriverError;
use hub_server::gateways::SignInGateway;
use secrecy::{ExposeSecret as _, SecretString};

/// Clones share what was sent.
#[derive(Debug, Clone, Default)]
pub struct CodeRecorder {
    sent: Arc<Mutex<HashMap<String, Vec<String>>>>,
}

impl CodeRecorder {
    /// The codes sent to this number (E.164 digits), in order.
    pub fn codes(&self, phone: &str) -> Vec<String> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.get(phone).cloned().unwrap_or_default()
    }
}

#[async_trait]
impl SignInGateway for CodeRecorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    async fn send(&self, phone: &str, text: &SecretString) -> Result<(), DriverError> {
        let code = text.expose_secret().chars().take_while(char::is_ascii_digit).collect();
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.entry(phone.to_owned()).or_default().push(code);
        Ok(())
    }
}
