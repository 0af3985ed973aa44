//! `ns-demo`: namespaces, kind by kind, and the three calls that make and join them.

pub mod cgroup;
pub mod clone;
pub mod ipc;
pub mod live;
pub mod look;
pub mod net;
pub mod setns;
pub mod sides;
pub mod structs;
pub mod time;
pub mod unshare;
pub mod uts;
