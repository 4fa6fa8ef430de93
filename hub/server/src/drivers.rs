//! The one place that names concrete drivers: adding one touches its crate, this file, the workspace
//! manifest and the documentation.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hub_domain::SystemClock;
use hub_domain::channel::{ChannelAccess, ChannelDriver, ChannelKind, SharedDriver};
use hub_store::records::ChannelSecrets;
use hub_store::{StoreError, Vault};

use crate::actions::connect_channel::{SECRET_PURPOSE, WEBHOOK_SECRET_PURPOSE};
use crate::config::Config;
use crate::random;

/// The drivers of this installation, by kind. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Drivers {
    by_kind: Arc<HashMap<ChannelKind, SharedDriver>>,
}

impl Drivers {
    /// Every driver there is, as configured.
    pub fn all(config: &Config) -> anyhow::Result<Self> {
        let telegram = channel_telegram_bot::TelegramBot::new(
            &config.providers.telegram.api_url,
            channel_telegram_bot::Options {
                send_timeout: Duration::from_secs(config.delivery.send_timeout_seconds),
                upload_bytes_per_second: config.delivery.upload_bytes_per_second,
                poll_seconds: config.providers.telegram.poll_seconds,
                ..channel_telegram_bot::Options::default()
            },
        )?;
        let node = random::short_id();
        let widget = channel_widget::SiteWidget::new(Arc::new(SystemClock), node);
        Ok(Self::of(vec![Arc::new(telegram), Arc::new(widget)]))
    }

    pub fn of(drivers: Vec<SharedDriver>) -> Self {
        let by_kind = drivers.into_iter().map(|driver| (driver.kind(), driver)).collect();
        Self { by_kind: Arc::new(by_kind) }
    }

    pub fn get(&self, kind: ChannelKind) -> Option<&SharedDriver> {
        self.by_kind.get(&kind)
    }

    /// In the order in which they are offered.
    pub fn iter(&self) -> impl Iterator<Item = &dyn ChannelDriver> {
        ChannelKind::ALL.iter().filter_map(|kind| self.by_kind.get(kind)).map(|driver| &**driver)
    }
}

/// What a driver needs to act for a channel, opened for the moment of the call.
pub fn access(vault: &Vault, secrets: &ChannelSecrets) -> Result<ChannelAccess, StoreError> {
    Ok(ChannelAccess {
        channel_id: secrets.channel.id,
        secret: vault.open(SECRET_PURPOSE, &secrets.secret_sealed)?,
        webhook_secret: vault.open(WEBHOOK_SECRET_PURPOSE, &secrets.webhook_secret_sealed)?,
        external_id: secrets.channel.external_id.clone(),
    })
}
