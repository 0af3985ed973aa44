//! What the binaries' command lines share: the options of the narration, and how a failure ends.

pub mod cgroup_demo;
pub mod demo;
pub mod lab;
pub mod minidocker;
pub mod narration;
pub mod net_demo;
pub mod ns_demo;
pub mod overlay_demo;

pub mod structs;
