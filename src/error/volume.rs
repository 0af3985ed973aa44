//! What can be wrong with volumes.

use serde::{Deserialize, Serialize};

/// A failure that concerns volumes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum VolumeProblem {
    BadName { name: String },
    BadMount { text: String, detail: String },
    BadTmpfs { text: String },
    BadLabel { text: String },
    BadShmSize { text: String },
    BadFilter { text: String },
    UnknownDriver { name: String },
    NoSuchVolume { name: String },
    InUse { name: String, by: Vec<String> },
}
