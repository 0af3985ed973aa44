//! What can be wrong with ordinary users: maps of ids, shared namespaces.

use serde::{Deserialize, Serialize};

/// A failure that concerns ordinary users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum RootlessProblem {
    /// newuidmap(1) or newgidmap(1) is not on this machine.
    NoMapper { program: String },
    /// It is, and would not write the map.
    MapRefused { program: String, said: String },
    /// No program is there that could lead out of a namespace of an ordinary user.
    NoWayOut,
    /// So a container for which no network was asked has none.
    NoNetwork,
    /// There is one, and it could not.
    WayOutFailed { program: String, said: String },
}
