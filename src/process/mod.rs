//! Processes: how the container's first process and its parent work together, and how it becomes the command.

pub mod apart;
pub mod command;
pub mod guard;
pub mod handshake;
pub mod identity;
pub mod itself;
pub mod ps;
pub mod supervise;

pub use crate::sys::process::{Child, Ended, Forked};
