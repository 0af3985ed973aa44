//! What can be wrong with the life of containers: names, states, starting and stopping.

use serde::{Deserialize, Serialize};

/// A failure that concerns the life of containers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum LifeProblem {
    Paused { name: String },
    AlreadyPaused { name: String },
    NotPaused { name: String },
    CannotFreeze { name: String },
    AlreadyRunning { name: String },
    BadRestart { text: String },
    RestartAndRemove,
    BadSignal { text: String },
    BadStopTimeout { text: String },
    BadLabel { text: String },
    SupervisorVanished,
}
