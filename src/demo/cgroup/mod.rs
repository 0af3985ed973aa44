//! `cgroup-demo`: every controller, its limits seen biting, on cgroup v1 and v2.

pub mod cpu;
pub mod files;
pub mod hierarchy;
pub mod house;
pub mod live;
pub mod memory;
mod oom;
pub mod structs;
pub mod work;
