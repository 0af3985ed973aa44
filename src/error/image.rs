//! What can be wrong with images: the store, archives, layers.

use serde::{Deserialize, Serialize};

/// A failure that concerns images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum ImageProblem {
    BadChange { text: String },
    BadDigest { text: String },
    ChangedMeanwhile { path: String },
}
