//! A member does one thing to many conversations.
//!
//! Each is changed by the action that changes a single one, in a transaction of its own: one that is
//! refused keeps nothing from the others. They are handed to the writer together, so that it commits
//! them together.

use futures_util::future::join_all;
use hub_domain::{Conversation, ConversationId, ConversationState, MemberId, Scope};
use hub_store::Store;
use serde::{Deserialize, Deserializer};

use super::assign::assign;
use super::mark_answered::mark_answered;
use super::set_conversation_state::set_conversation_state;
use crate::error::ApiError;

/// Conversations that are changed by one call at most.
pub const AT_ONCE: usize = 200;

/// What is done to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConversationChange {
    Archive,
    Reopen,
    Assign {
        /// `null`: nobody.
        #[serde(deserialize_with = "given")]
        #[schema(required = true)]
        member_id: Option<MemberId>,
    },
    MarkAnswered,
}

/// May be `null` and may not be missing: forgetting it must not mean "nobody".
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MemberId>, D::Error> {
    Option::deserialize(deserializer)
}

/// Answers for each of `ids`, in their order.
pub async fn change_conversations(
    store: &Store,
    scope: &Scope,
    ids: &[ConversationId],
    change: ConversationChange,
) -> Result<Vec<Result<Conversation, ApiError>>, ApiError> {
    if let ConversationChange::Assign { member_id: Some(member) } = change
        && store.reader().await?.db().member(scope.company_id, member).await?.is_none()
    {
        return Err(ApiError::not_found().field("member_id"));
    }
    Ok(join_all(ids.iter().map(|id| change_one(store, scope, *id, change))).await)
}

async fn change_one(
    store: &Store,
    scope: &Scope,
    id: ConversationId,
    change: ConversationChange,
) -> Result<Conversation, ApiError> {
    match change {
        ConversationChange::Archive => {
            set_conversation_state(store, scope, id, ConversationState::Archived).await
        }
        ConversationChange::Reopen => {
            set_conversation_state(store, scope, id, ConversationState::Open).await
        }
        ConversationChange::Assign { member_id } => assign(store, scope, id, member_id).await,
        ConversationChange::MarkAnswered => mark_answered(store, scope, id).await,
    }
}
