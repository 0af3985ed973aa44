//! minidocker: Linux containers to run, see and break.
pub mod cli;
pub mod container;
pub mod error;
pub mod image;
pub mod narrate;
pub mod network;
pub mod observe;
pub mod overlay;
pub mod security;
pub mod cgroup;
pub mod step;
pub mod sys;
