//! What can be wrong with ordinary users: maps of ids, shared namespaces.

use serde::{Deserialize, Serialize};

/// A failure that concerns ordinary users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum RootlessProblem {
    NoSubordinateIds { user: String },
}
