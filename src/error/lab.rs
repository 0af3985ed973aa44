//! What can be wrong between the grader and its probe.

use serde::{Deserialize, Serialize};

/// A failure of the grader itself: no verdict on anybody's work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum LabProblem {
    Unreadable { what: String },
    NoSuchAct { name: String },
    OutOfTurn { act: String },
    ProbeVanished,
    NotOnOwnHost,
}
