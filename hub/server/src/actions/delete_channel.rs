//! An administrator deletes a channel.
//!
//! It takes nothing in and sends nothing from this moment; what waits for it is cancelled by the engine,
//! delivery by delivery, and each message says so. The provider is told to call us no more, and the
//! credentials are forgotten after that. The conversations stay, and name it; the account may be connected
//! again, which makes another channel.

use hub_domain::channel::{Channel, ChannelState};
use hub_domain::event::{Changes, EventType};
use hub_domain::{ChannelId, Scope, Timestamp};
use hub_store::Store;

use super::connect_channel::enqueue_disconnection;
use super::{by_member, channel_files_target, channel_target};
use crate::error::ApiError;

/// Why what went by a deleted channel was not delivered, and why the channel is off.
pub const CHANNEL_DELETED: &str = "channel_deleted";

/// The channel as it is now. Deleting it again changes nothing.
pub async fn delete_channel(
    store: &Store,
    scope: &Scope,
    id: ChannelId,
) -> Result<Channel, ApiError> {
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                if !scope.sees_channel(Some(id)) {
                    return Err(ApiError::not_found());
                }
                let found = tx.db().channel(scope.company_id, id).await?;
                let mut channel = found.ok_or_else(ApiError::not_found)?;
                if channel.deleted_at.is_some() {
                    return Ok(channel);
                }
                let now = tx.now();
                channel.deleted_at = Some(now);
                channel.state = ChannelState::Disabled;
                channel.state_reason = Some(CHANNEL_DELETED.to_owned());
                // Whatever held the queue, it holds it no longer: each delivery is to learn its end.
                let targets = [channel_target(id), channel_files_target(id)];
                for target in &targets {
                    tx.db().pause_target(target, Timestamp::from_millis(0)).await?;
                }
                tx.db().make_due(scope.company_id, &targets, now).await?;
                enqueue_disconnection(tx, &channel).await?;
                let changes = Changes { channel: Some(channel.clone()), ..Changes::default() };
                let changes = tx
                    .append(EventType::ChannelDeleted, by_member(&scope), Some(id), changes)
                    .await?;
                Ok(changes.channel.unwrap_or(channel))
            })
        })
        .await
}
