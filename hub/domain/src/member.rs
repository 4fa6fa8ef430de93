//! A user's place in a company: the role, and what that place lets the member see.
//!
//! Owns [`Scope`], which every query and the fan-out take. A row is never loaded without one, so a
//! check of who asks cannot be forgotten.

use serde::{Deserialize, Serialize};

use crate::{ChannelId, ChatOrder, CompanyId, MemberId, Timestamp, UserId};

/// What a member may do. An administrator may do all an operator may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Administrator,
    Operator,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Operator => "operator",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "administrator" => Some(Self::Administrator),
            "operator" => Some(Self::Operator),
            _ => None,
        }
    }

    /// Whether this role may do what `needed` asks.
    pub const fn covers(self, needed: Self) -> bool {
        matches!((self, needed), (Self::Administrator, _) | (Self::Operator, Self::Operator))
    }
}

/// A colleague as the other members of the company see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Member {
    pub id: MemberId,
    pub user_id: UserId,
    #[schema(example = "Марина Белова")]
    pub name: String,
    pub role: Role,
    /// Offset of the event that last changed this row.
    pub version: i64,
    pub created_at: Timestamp,
}

/// What a member has chosen for themselves. Colleagues do not see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Preferences {
    pub chat_order: ChatOrder,
}

/// Which conversations of the company a member sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visibility {
    All,
    /// Only conversations on these channels.
    Channels(Vec<ChannelId>),
}

/// Who asks: the acting member and what that member may see. Every query about a company takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub company_id: CompanyId,
    pub member_id: MemberId,
    pub user_id: UserId,
    pub role: Role,
    pub visibility: Visibility,
}

impl Scope {
    /// Whether an event or a row about `channel_id` is for this member. `None`: about the company.
    pub fn sees_channel(&self, channel_id: Option<ChannelId>) -> bool {
        match (&self.visibility, channel_id) {
            (Visibility::All, _) | (_, None) => true,
            (Visibility::Channels(seen), Some(channel)) => seen.contains(&channel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_does_not_cover_an_administrators_action() {
        assert!(Role::Administrator.covers(Role::Operator));
        assert!(Role::Administrator.covers(Role::Administrator));
        assert!(Role::Operator.covers(Role::Operator));
        assert!(!Role::Operator.covers(Role::Administrator));
    }

    #[test]
    fn a_narrowed_scope_hides_other_channels_and_keeps_what_concerns_the_company() {
        let scope = Scope {
            company_id: CompanyId(1),
            member_id: MemberId(1),
            user_id: UserId(1),
            role: Role::Operator,
            visibility: Visibility::Channels(vec![ChannelId(3)]),
        };
        assert!(scope.sees_channel(Some(ChannelId(3))));
        assert!(!scope.sees_channel(Some(ChannelId(4))));
        assert!(scope.sees_channel(None));
    }
}
