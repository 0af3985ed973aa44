//! What can be wrong with volumes: named volumes, mounts.

use serde::{Deserialize, Serialize};

/// A failure that concerns volumes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum VolumeProblem {
    NoSuchVolume { name: String },
}
