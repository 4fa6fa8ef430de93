//! The tenant.

use serde::{Deserialize, Serialize};

use crate::{CompanyId, Timestamp};

/// Longest name of a company, in characters.
pub const COMPANY_NAME_LIMIT: usize = 120;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Company {
    pub id: CompanyId,
    #[schema(example = "Точка роста")]
    pub name: String,
    /// IANA name; what dates of the company are counted in.
    #[schema(example = "Europe/Moscow")]
    pub time_zone: String,
    /// Offset of the event that last changed this row; 0: none yet.
    pub version: i64,
    pub created_at: Timestamp,
}
