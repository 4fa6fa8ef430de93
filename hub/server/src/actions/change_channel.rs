//! A channel is renamed, given another credential, switched off or on, by an administrator; or changes
//! its state because the provider says so.

use hub_domain::channel::{Channel, ChannelState, IntakeMode, SharedDriver};
use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::{ChannelId, Scope};
use hub_store::{Store, StoreError, Tx};
use secrecy::SecretString;

use super::connect_channel::{
    SECRET_PURPOSE, channel_name, check_credential, enqueue_configuration,
};
use super::{UNTIL_ENABLED, by_member, channel_files_target, channel_in_use, channel_target};
use crate::error::{ApiError, Code};

/// Why a channel that an administrator switched off is off.
pub const DISABLED_BY_ADMINISTRATOR: &str = "disabled_by_administrator";

/// What an administrator wants changed; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ChannelChange {
    pub name: Option<String>,
    pub credential: Option<SecretString>,
    pub intake: Option<IntakeMode>,
    pub enabled: Option<bool>,
}

async fn visible_channel(tx: &mut Tx, scope: &Scope, id: ChannelId) -> Result<Channel, ApiError> {
    if !scope.sees_channel(Some(id)) {
        return Err(ApiError::not_found());
    }
    channel_in_use(tx, scope.company_id, id).await
}

async fn hold(tx: &mut Tx, id: ChannelId, until: hub_domain::Timestamp) -> Result<(), StoreError> {
    tx.db().pause_target(&channel_target(id), until).await?;
    tx.db().pause_target(&channel_files_target(id), until).await?;
    tx.wake_deliveries();
    Ok(())
}

pub async fn change_channel(
    store: &Store,
    driver: &SharedDriver,
    scope: &Scope,
    id: ChannelId,
    change: ChannelChange,
) -> Result<Channel, ApiError> {
    let name = change.name.as_deref().map(channel_name).transpose()?;
    let account = match &change.credential {
        Some(credential) => Some(check_credential(driver, credential).await?),
        None => None,
    };
    let sealed =
        change.credential.as_ref().map(|secret| store.vault().seal(SECRET_PURPOSE, secret));
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let mut channel = visible_channel(tx, &scope, id).await?;
                let before = channel.clone();
                if let Some(name) = name {
                    channel.name = name;
                }
                let mut configure = false;
                if let (Some(account), Some(sealed)) = (account, sealed) {
                    if account.external_id != channel.external_id {
                        return Err(
                            ApiError::from(Code::CredentialOfOtherAccount).field("credential")
                        );
                    }
                    channel.username = account.username;
                    tx.db().save_channel_secret(id, &sealed).await?;
                    configure = true;
                }
                if let Some(intake) = change.intake
                    && intake != channel.intake
                {
                    channel.intake = intake;
                    // A mode that the provider refused may be why a person was asked for.
                    let waits = channel.state == ChannelState::NeedsAction;
                    configure = channel.state.works() || waits || configure;
                }
                match change.enabled {
                    Some(true) if !channel.state.works() => configure = true,
                    Some(false) => {
                        configure = false;
                        channel.state = ChannelState::Disabled;
                        channel.state_reason = Some(DISABLED_BY_ADMINISTRATOR.to_owned());
                        hold(tx, id, UNTIL_ENABLED).await?;
                    }
                    _ => {}
                }
                if configure {
                    channel.state = ChannelState::Connecting;
                    channel.state_reason = None;
                    hold(tx, id, hub_domain::Timestamp::from_millis(0)).await?;
                    enqueue_configuration(tx, &channel).await?;
                }
                if channel == before && !configure {
                    return Ok(channel);
                }
                let changes = Changes { channel: Some(channel.clone()), ..Changes::default() };
                let changes = tx
                    .append(EventType::ChannelChanged, by_member(&scope), Some(id), changes)
                    .await?;
                Ok(changes.channel.unwrap_or(channel))
            })
        })
        .await
}

/// The provider, or our work with it, says that the channel is in another state. A channel that is not
/// working holds what is queued for it. What an administrator switched off or deleted
/// stays off.
pub async fn observe_state(
    tx: &mut Tx,
    id: ChannelId,
    state: ChannelState,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let company = tx.company_id()?;
    let Some(mut channel) = tx.db().channel(company, id).await? else { return Ok(()) };
    let off = channel.deleted_at.is_some()
        || channel.state_reason.as_deref() == Some(DISABLED_BY_ADMINISTRATOR);
    let same = channel.state == state && channel.state_reason.as_deref() == reason;
    if off || same {
        return Ok(());
    }
    // News of a revoked credential outlives the retries that were under way with it.
    if !channel.state.works() && state == ChannelState::Limited {
        return Ok(());
    }
    channel.state = state;
    channel.state_reason = reason.map(ToOwned::to_owned);
    if !state.works() {
        hold(tx, id, UNTIL_ENABLED).await?;
    }
    tracing::info!(channel.id = id.0, state = state.as_str(), reason, "channel changed its state");
    let changes = Changes { channel: Some(channel), ..Changes::default() };
    tx.append(EventType::ChannelChanged, Origin::System, Some(id), changes).await?;
    Ok(())
}
