//! An administrator sets how a site widget looks and behaves. Pages show it at their next load.

use channel_widget::WidgetSettings;
use hub_domain::channel::Channel;
use hub_domain::event::{Changes, EventType};
use hub_domain::{ChannelId, Scope};
use hub_store::Store;

use super::{by_member, channel_in_use};
use crate::error::ApiError;

/// Keeps settings that were checked.
pub async fn change_widget(
    store: &Store,
    scope: &Scope,
    id: ChannelId,
    settings: WidgetSettings,
) -> Result<Channel, ApiError> {
    let text = serde_json::to_string(&settings).map_err(ApiError::internal)?;
    let by = by_member(scope);
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let (company, now) = (tx.company_id()?, tx.now());
                let channel = channel_in_use(tx, company, id).await?;
                tx.db().save_widget_settings(company, id, &text, now).await?;
                let changes = Changes { channel: Some(channel.clone()), ..Changes::default() };
                let changes = tx.append(EventType::ChannelChanged, by, Some(id), changes).await?;
                Ok::<_, ApiError>(changes.channel.unwrap_or(channel))
            })
        })
        .await
}
