//! One newtype per id over a 64-bit integer, unique per installation within its kind.
//!
//! Public APIs of the field need integers, so ids are neither UUIDs nor strings. A newtype keeps a
//! conversation's number from being passed where a message's is meant.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = i64, example = 1)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    CompanyId,
    UserId,
    MemberId,
    ChannelId,
    ContactId,
    /// One address of a contact on one channel.
    IdentityId,
    ConversationId,
    MessageId,
    AttachmentId,
    QuickReplyId,
    DeliveryId,
    SessionId,
}
