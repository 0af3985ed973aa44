//! `cgroup-demo`: every controller, its limits seen biting, on cgroup v1 and v2.

pub mod assembly;
pub mod blkio;
pub mod bomb;
pub mod controllers;
pub mod cpu;
pub mod cpuset;
pub mod devices;
pub mod files;
pub mod freezer;
pub mod hierarchy;
pub mod house;
pub mod kill;
pub mod live;
pub mod look;
pub mod memory;
pub mod net_cls;
mod oom;
pub mod pids;
pub mod structs;
pub mod work;
