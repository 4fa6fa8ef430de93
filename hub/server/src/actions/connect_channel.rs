//! An administrator connects a messenger account.

use hub_domain::channel::{
    Account, CHANNEL_NAME_LIMIT, Channel, ChannelAccess, ChannelKind, ChannelState, DriverError,
    IntakeMode, SharedDriver,
};
use hub_domain::delivery::DeliveryKind;
use hub_domain::event::{Changes, EventType};
use hub_domain::{ChannelId, Scope};
use hub_store::records::{NewChannel, NewDelivery};
use hub_store::{Store, StoreError, Tx};
use secrecy::SecretString;

use super::by_member;
use super::delete_channel::CHANNEL_DELETED;
use crate::error::{ApiError, Code};
use crate::random;

/// What sealed credentials of channels are bound to.
pub const SECRET_PURPOSE: &str = "channel.secret";
/// What sealed webhook secrets are bound to.
pub const WEBHOOK_SECRET_PURPOSE: &str = "channel.webhook_secret";
/// Why a former channel of an account is not disconnected at the provider.
pub const ACCOUNT_CONNECTED_AGAIN: &str = "account_connected_again";
/// Longest credential accepted, in bytes.
pub const CREDENTIAL_LIMIT: usize = 512;

/// What an administrator wants connected.
#[derive(Debug, Clone)]
pub struct ConnectChannel {
    pub kind: ChannelKind,
    pub credential: SecretString,
    /// The provider's name of the account unless given.
    pub name: Option<String>,
    pub intake: IntakeMode,
}

/// Asks the provider whose credential this is, changing nothing.
pub async fn check_credential(
    driver: &SharedDriver,
    credential: &SecretString,
) -> Result<Account, ApiError> {
    if !driver.credential_is_well_formed(credential) {
        return Err(ApiError::from(Code::CredentialMalformed).field("credential"));
    }
    let access = ChannelAccess {
        channel_id: ChannelId(0),
        secret: credential.clone(),
        webhook_secret: SecretString::default(),
        external_id: String::new(),
    };
    driver.account(&access).await.map_err(|error| match error {
        DriverError::Unauthorized { .. } | DriverError::Refused { .. } => {
            ApiError::from(Code::CredentialRefused).field("credential")
        }
        other => {
            tracing::warn!(
                code = other.code(),
                detail = other.detail(),
                "a provider did not answer"
            );
            ApiError::from(Code::ProviderUnreachable)
        }
    })
}

/// A name people gave, trimmed and bounded.
pub fn channel_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > CHANNEL_NAME_LIMIT || name.chars().any(char::is_control) {
        return Err(ApiError::from(Code::NameInvalid).field("name"));
    }
    Ok(name.to_owned())
}

pub async fn connect_channel(
    store: &Store,
    driver: &SharedDriver,
    scope: &Scope,
    request: ConnectChannel,
) -> Result<Channel, ApiError> {
    let name = request.name.as_deref().map(channel_name).transpose()?;
    let account = check_credential(driver, &request.credential).await?;
    let vault = store.vault();
    let new = NewChannel {
        company_id: scope.company_id,
        kind: request.kind,
        name: name.unwrap_or_else(|| account.name.chars().take(CHANNEL_NAME_LIMIT).collect()),
        intake: request.intake,
        external_id: account.external_id,
        username: account.username,
        capabilities: driver.capabilities(),
        secret_sealed: vault.seal(SECRET_PURPOSE, &request.credential),
        webhook_secret_sealed: vault
            .seal(WEBHOOK_SECRET_PURPOSE, &SecretString::from(random::token())),
    };
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let version = tx.next_offset()?;
                let now = tx.now();
                let inserted = tx.db().insert_channel(&new, version, now).await;
                let id = match inserted {
                    Err(error)
                        if error.is_conflict_on("channels_account", "channels.external_id") =>
                    {
                        return Err(ApiError::from(Code::ChannelExists));
                    }
                    other => other?,
                };
                let channel =
                    tx.db().channel(scope.company_id, id).await?.ok_or_else(ApiError::not_found)?;
                // A former channel of the account was to be disconnected: nobody wants that any more.
                let lane = configuration_lane(channel.kind, &channel.external_id);
                tx.db().cancel_lane(&lane, ACCOUNT_CONNECTED_AGAIN, now).await?;
                enqueue_configuration(tx, &channel).await?;
                let changes = Changes { channel: Some(channel.clone()), ..Changes::default() };
                let changes = tx
                    .append(EventType::ChannelConnected, by_member(&scope), Some(id), changes)
                    .await?;
                Ok(changes.channel.unwrap_or(channel))
            })
        })
        .await
}

/// Has the provider told how to deliver. The channel is `enabled` when that is done.
pub async fn enqueue_configuration(tx: &mut Tx, channel: &Channel) -> Result<(), StoreError> {
    debug_assert_eq!(channel.state, ChannelState::Connecting, "only then is there news to tell");
    enqueue(tx, channel).await
}

/// Has the provider told to call us no more. What it was to be told before is told no longer.
pub async fn enqueue_disconnection(tx: &mut Tx, channel: &Channel) -> Result<(), StoreError> {
    let now = tx.now();
    let lane = configuration_lane(channel.kind, &channel.external_id);
    tx.db().cancel_lane(&lane, CHANNEL_DELETED, now).await?;
    enqueue(tx, channel).await
}

/// What a provider is told about one account, whichever channel had or has it: a webhook is the account's,
/// and taking a deleted channel's away must not take away its successor's.
fn configuration_lane(kind: ChannelKind, external_id: &str) -> String {
    format!("account:{}:{external_id}", kind.as_str())
}

async fn enqueue(tx: &mut Tx, channel: &Channel) -> Result<(), StoreError> {
    let now = tx.now();
    let delivery = NewDelivery {
        company_id: Some(channel.company_id),
        kind: DeliveryKind::ConfigureChannel,
        lane: configuration_lane(channel.kind, &channel.external_id),
        // Not the target of sends: configuring ends their pause.
        target: format!("channel:{}:configuration", channel.id),
        subject_id: channel.id.0,
        payload: "{}".to_owned(),
        not_before: now,
    };
    tx.db().insert_deliveries(&[delivery], now).await?;
    tx.wake_deliveries();
    Ok(())
}
