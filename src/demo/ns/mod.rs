//! `ns-demo`: namespaces, kind by kind, and the three calls that make and join them.

pub mod break_it;
pub mod cgroup;
pub mod clone;
pub mod ipc;
pub mod live;
pub mod look;
pub mod mnt;
pub mod net;
pub mod pid;
pub mod setns;
pub mod sides;
pub mod structs;
pub mod time;
pub mod unshare;
pub mod user;
pub mod uts;
