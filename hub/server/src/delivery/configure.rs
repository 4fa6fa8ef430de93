//! Telling a provider how to deliver to us.

use hub_domain::ChannelId;
use hub_domain::channel::IntakeMode;
use hub_store::StoreError;
use hub_store::records::Delivery;

use super::engine::{EngineParts, channel_for};
use super::outcome::Outcome;

pub async fn configure(parts: &EngineParts, delivery: &Delivery) -> Result<Outcome, StoreError> {
    let Some((channel, driver, access)) =
        channel_for(parts, ChannelId(delivery.subject_id)).await?
    else {
        return Ok(Outcome::refused("subject_gone", "the channel is not there any more"));
    };
    let webhook_url = match channel.intake {
        IntakeMode::Polling => None,
        IntakeMode::Webhook => {
            let base = parts.public_url.as_str().trim_end_matches('/');
            Some(format!("{base}/webhooks/{}/{}", channel.kind.as_str(), channel.id))
        }
    };
    let configured = driver.configure_intake(&access, channel.intake, webhook_url.as_deref()).await;
    Ok(match configured {
        Ok(()) => Outcome::Done,
        Err(error) => error.into(),
    })
}
