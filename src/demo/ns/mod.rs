//! `ns-demo`: namespaces, kind by kind, and the three calls that make and join them.

pub mod uts;
