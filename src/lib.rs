//! minidocker: Linux containers to run, see and break.
pub mod cgroup;
pub mod cli;
pub mod container;
pub mod error;
pub mod image;
pub mod namespace;
pub mod narrate;
pub mod network;
pub mod observe;
pub mod overlay;
pub mod process;
pub mod rootfs;
pub mod security;
pub mod state;
pub mod step;
pub mod sys;
pub use cli::minidocker::main;
