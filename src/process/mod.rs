//! Processes: how the container's first process and its parent work together, and how it becomes the command.

pub mod apart;
pub mod aside;
pub mod command;
pub mod detached;
pub mod guard;
pub mod handshake;
pub mod identity;
pub mod itself;
pub mod moment;
pub mod ps;
pub mod signals;
pub mod supervise;
pub mod words;

pub use crate::sys::observer::{Role, become_role};
pub use crate::sys::process::{Child, Ended, Forked, exit_now, random};
