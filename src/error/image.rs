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
    UnknownCompression { name: String },
    Bomb { taken: u64, given: u64 },
    LayersDiffer { named: usize, described: usize },
    LayerTooLarge { entries: u64, bytes: u64 },
    ReservedName { path: String },
    NotADirectoryInLayer { path: String },
    TooManyLinks { path: String },
    LinkToNothing { path: String, first: String },
    OwnerNotMapped { path: String, uid: u32, gid: u32 },
    ArchiveUnreadable { path: String },
    NotAnImage,
    NoSuchPlatform { there: Vec<String> },
    BlobMissing { digest: String },
    BrokenStream { detail: String },
    ToTerminal,
    FromTerminal,
    BadImageName { text: String },
    BadImageFilter { text: String },
    ImageInUse { word: String, id: String, container: String, running: bool },
    ImageHasNames { id: String, names: String },
}
