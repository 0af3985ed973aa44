//! What can be wrong with going into a container that is there: exec, cp, top.

use serde::{Deserialize, Serialize};

/// A failure that concerns going into a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum InsideProblem {
    NoPs,
    PsRefused {
        said: String,
    },
    NoPidColumn,
    /// Nothing of that name is on the side where it was looked for.
    NothingThere {
        path: String,
    },
    NotInContainer {
        path: String,
        name: String,
    },
    NoSuchDirectory {
        path: String,
    },
    DirectoryOverFile {
        path: String,
    },
    FileOverDirectory {
        path: String,
    },
    MustBeDirectory {
        path: String,
    },
    BetweenContainers,
    NoContainerNamed,
    EnvFile {
        path: String,
    },
    /// It ended while somebody was on the way in.
    Ended {
        name: String,
    },
    /// The command's process ended before the command began, though the container runs.
    CommandVanished,
}
