//! What can be wrong with looking at containers: templates, filters, times.

use serde::{Deserialize, Serialize};

/// A failure that concerns looking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum LookProblem {
    BadTemplate { text: String, detail: String },
    BadFilter { text: String, known: Vec<String> },
    BadTime { text: String },
    BadType { text: String },
    NoSuchObject { name: String },
}
