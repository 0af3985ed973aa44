//! What can be wrong with networks: user networks, published ports, names.

use serde::{Deserialize, Serialize};

/// A failure that concerns networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum NetProblem {
    NoSuchNetwork { name: String },
}
