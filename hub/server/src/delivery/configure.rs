//! Telling a provider how to deliver to us, or to deliver no more.

use hub_domain::ChannelId;
use hub_domain::channel::{DriverError, IntakeMode};
use hub_store::StoreError;
use hub_store::records::{ChannelSecrets, Delivery};

use super::engine::{EngineParts, Ready, ready};
use super::outcome::Outcome;

pub async fn configure(parts: &EngineParts, delivery: &Delivery) -> Result<Outcome, StoreError> {
    let id = ChannelId(delivery.subject_id);
    let Some(secrets) = parts.store.reader().await?.db().channel_secrets(id).await? else {
        return Ok(Outcome::refused("subject_gone", "the channel is not there any more"));
    };
    if secrets.channel.deleted_at.is_some() {
        return disconnect(parts, secrets).await;
    }
    let Ready { channel, driver, access } = match ready(parts, secrets)? {
        Ok(ready) => ready,
        Err(outcome) => return Ok(outcome),
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

async fn disconnect(parts: &EngineParts, secrets: ChannelSecrets) -> Result<Outcome, StoreError> {
    // Told before, and forgotten how.
    if secrets.secret_sealed.is_empty() {
        return Ok(Outcome::Done);
    }
    let channel = &secrets.channel;
    let mut reader = parts.store.reader().await?;
    // Connected again: the account is told by its next channel, which waits for us in the same lane.
    if reader.db().account_is_connected(channel.kind, &channel.external_id).await? {
        return Ok(Outcome::Done);
    }
    drop(reader);
    let Ready { driver, access, .. } = match ready(parts, secrets)? {
        Ok(ready) => ready,
        Err(outcome) => return Ok(outcome),
    };
    Ok(match driver.disconnect(&access).await {
        // A credential that is good for nothing calls nobody.
        Ok(()) | Err(DriverError::Unauthorized { .. }) => Outcome::Done,
        Err(error) => error.into(),
    })
}
