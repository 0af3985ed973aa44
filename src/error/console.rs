//! What can be wrong with terminals and logs: pty, attach, logs.

use serde::{Deserialize, Serialize};

/// A failure that concerns terminals and logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum ConsoleProblem {
    NotATerminal,
    BadDetachKeys { text: String },
    BadTail { text: String },
    BadTime { text: String },
    LogDamaged { path: String },
    SupervisorGone,
    OutputBroken,
    OutputLost,
    OneToAttach,
    Paused { name: String },
}
