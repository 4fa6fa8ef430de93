//! Ways of sending a sign-in code to a phone, and the order in which they are tried.
//!
//! A code travels as the sealed payload of a delivery, so that it is never readable in the database,
//! and is sent by the delivery engine like every other effect.

use std::sync::Arc;

use async_trait::async_trait;
use hub_domain::channel::DriverError;
use hub_domain::{Clock, Timestamp, phone};
use hub_store::Vault;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::config::Config;

const PURPOSE: &str = "sign_in_code";

/// One provider of text messages. It classifies its errors as channel drivers do.
#[async_trait]
pub trait SignInGateway: Send + Sync + std::fmt::Debug {
    fn name(&self) -> &'static str;

    /// Sends `text` to `phone` (E.164 digits).
    async fn send(&self, phone: &str, text: &SecretString) -> Result<(), DriverError>;
}

/// What a delivery of a code carries.
#[derive(Serialize, Deserialize)]
pub struct CodePayload {
    pub phone: String,
    pub code: String,
    pub expires_at: Timestamp,
}

impl CodePayload {
    /// The payload as it is stored.
    pub fn seal(&self, vault: &Vault) -> String {
        let text = serde_json::json!({
            "phone": self.phone, "code": self.code, "expires_at": self.expires_at,
        });
        vault.seal(PURPOSE, &text.to_string().into())
    }

    fn open(vault: &Vault, sealed: &str) -> Option<Self> {
        let text = vault.open(PURPOSE, sealed).ok()?;
        serde_json::from_str(text.expose_secret()).ok()
    }
}

/// The configured gateways in their order.
#[derive(Debug, Clone)]
pub struct Gateways {
    ordered: Vec<Arc<dyn SignInGateway>>,
}

impl Gateways {
    /// Tests bring their own.
    pub fn new(ordered: Vec<Arc<dyn SignInGateway>>) -> Self {
        Self { ordered }
    }

    pub fn from_config(config: &Config) -> Self {
        let allowed = config.sms.allow_log_gateway || config.public_url_is_loopback();
        // The configuration was checked: `log` is the only name there is.
        let ordered = config
            .sms
            .gateways
            .iter()
            .map(|_| Arc::new(LogGateway { allowed }) as Arc<dyn SignInGateway>)
            .collect();
        Self { ordered }
    }

    /// Sends the code of a delivery through the first gateway that takes it.
    ///
    /// The next one is asked only when the one before did surely not send: a code that may be on its
    /// way is not sent twice, the person asks for another.
    pub async fn send(
        &self,
        vault: &Vault,
        clock: &dyn Clock,
        sealed: &str,
    ) -> Result<(), DriverError> {
        let Some(payload) = CodePayload::open(vault, sealed) else {
            return Err(DriverError::Refused {
                code: "payload_unreadable",
                detail: "the sealed code does not open".to_owned(),
            });
        };
        if payload.expires_at <= clock.now() {
            return Err(DriverError::Refused {
                code: "code_expired",
                detail: "the code expired before it could be sent".to_owned(),
            });
        }
        let text = format!("{} - код входа в Uzel. Никому его не сообщайте.", payload.code).into();
        let mut last = DriverError::Refused {
            code: "no_gateway",
            detail: "no gateway is configured".to_owned(),
        };
        for gateway in &self.ordered {
            match gateway.send(&payload.phone, &text).await {
                Ok(()) => return Ok(()),
                Err(error @ DriverError::Unknown { .. }) => return Err(error),
                Err(error) => {
                    tracing::warn!(gateway = gateway.name(), code = error.code(), "gateway failed");
                    last = error;
                }
            }
        }
        Err(last)
    }
}

/// Writes the code to the log. For development, and for installations whose log only its owner reads.
#[derive(Debug)]
struct LogGateway {
    allowed: bool,
}

#[async_trait]
impl SignInGateway for LogGateway {
    fn name(&self) -> &'static str {
        "log"
    }

    async fn send(&self, phone: &str, text: &SecretString) -> Result<(), DriverError> {
        if !self.allowed {
            return Err(DriverError::Refused {
                code: "log_gateway_not_allowed",
                detail: "the server is reachable from outside: set sms.allow_log_gateway, or use \
                    `uzel admin sign-in-link`"
                    .to_owned(),
            });
        }
        tracing::info!(phone = phone::mask(phone), text = text.expose_secret(), "sign-in code");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use hub_domain::FixedClock;

    use super::*;

    #[derive(Debug)]
    struct Scripted {
        answer: Result<(), DriverError>,
        seen: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl SignInGateway for Scripted {
        fn name(&self) -> &'static str {
            "scripted"
        }

        async fn send(&self, phone: &str, text: &SecretString) -> Result<(), DriverError> {
            self.seen.lock().unwrap().push(format!("{phone} {}", text.expose_secret()));
            self.answer.clone()
        }
    }

    fn scripted(answer: Result<(), DriverError>) -> Arc<Scripted> {
        Arc::new(Scripted { answer, seen: Mutex::default() })
    }

    fn vault() -> Vault {
        Vault::new(&"a key of the test".into())
    }

    fn sealed(expires_at: Timestamp) -> String {
        CodePayload { phone: "79990001122".into(), code: "123456".into(), expires_at }
            .seal(&vault())
    }

    #[tokio::test]
    async fn the_next_gateway_is_asked_when_one_refuses_and_not_when_the_outcome_is_unknown() {
        let clock = FixedClock::at(Timestamp(1000));
        let refused = DriverError::Refused { code: "no_funds", detail: String::new() };
        let unknown = DriverError::Unknown { code: "timeout", detail: String::new() };
        for (answer, asked) in [(refused, 1), (unknown, 0)] {
            let (first, second) = (scripted(Err(answer)), scripted(Ok(())));
            let gateways = Gateways::new(vec![first, Arc::clone(&second) as _]);
            let sent = gateways.send(&vault(), &clock, &sealed(Timestamp(2000))).await;
            assert_eq!(sent.is_ok(), asked == 1);
            assert_eq!(second.seen.lock().unwrap().len(), asked);
        }
    }

    #[tokio::test]
    async fn an_expired_code_is_not_sent() {
        let gateway = scripted(Ok(()));
        let gateways = Gateways::new(vec![Arc::clone(&gateway) as _]);
        let clock = FixedClock::at(Timestamp(2000));
        let sent = gateways.send(&vault(), &clock, &sealed(Timestamp(2000))).await;
        assert_eq!(sent.unwrap_err().code(), "code_expired");
        assert!(gateway.seen.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_log_gateway_refuses_on_a_public_server() {
        let gateway = LogGateway { allowed: false };
        let sent = gateway.send("79990001122", &"x".into()).await;
        assert_eq!(sent.unwrap_err().code(), "log_gateway_not_allowed");
    }
}
