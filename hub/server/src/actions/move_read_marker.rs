//! A member has seen a conversation up to a message.

use hub_domain::conversation::ReadMarker;
use hub_domain::event::{Changes, EventType};
use hub_domain::{ConversationId, Scope};
use hub_store::Store;

use super::{by_member, visible_conversation};
use crate::error::ApiError;

/// Moves the marker forward; it never goes back, and never beyond the log.
pub async fn move_read_marker(
    store: &Store,
    scope: &Scope,
    id: ConversationId,
    position: i64,
) -> Result<ReadMarker, ApiError> {
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let conversation = visible_conversation(tx, &scope, id).await?;
                let position = position.min(tx.position()?.offset).max(0);
                let marker = tx.db().read_marker(scope.member_id, id).await?;
                if let Some(marker) = marker
                    && marker.position >= position
                {
                    return Ok(marker);
                }
                let marker = ReadMarker {
                    conversation_id: id,
                    member_id: scope.member_id,
                    position,
                    version: 0,
                };
                let channel_id = Some(conversation.channel_id);
                let changes = Changes { read_marker: Some(marker), ..Changes::default() };
                let changes = tx
                    .append(EventType::ReadMarkerMoved, by_member(&scope), channel_id, changes)
                    .await?;
                Ok(changes.read_marker.unwrap_or(marker))
            })
        })
        .await
}
