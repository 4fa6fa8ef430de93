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
    pub created_at: Timestamp,
}
