//! `ns-demo`: namespaces, kind by kind, and the three calls that make and join them.

pub mod live;
pub mod structs;
pub mod uts;
