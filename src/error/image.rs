//! What can be wrong with images: the store, archives, layers.

use serde::{Deserialize, Serialize};

/// A failure that concerns images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum ImageProblem {
    BadChange { text: String },
    BadDigest { text: String },
    ChangedMeanwhile { path: String },
    AmbiguousId { text: String },
    WrongDigest { expected: String, found: String },
    WrongSize { digest: String, size: u64, length: u64 },
    LayerNameTaken { asked: String, there: String },
    BadDocument { name: String, detail: String },
    BrokenStream { detail: String },
    ToTerminal,
    BadImageName { text: String },
    BadImageFilter { text: String },
    ImageInUse { word: String, id: String, container: String, running: bool },
    ImageHasNames { id: String, names: String },
}
