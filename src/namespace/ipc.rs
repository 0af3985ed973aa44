//! The IPC namespace: System V queues, semaphores and shared memory, and POSIX message queues of its own.
//! ipc_namespaces(7).

use crate::error::Result;
use crate::sys::flags::{CLONE_NEWIPC, clone};
use crate::sys::namespace::unshare;

/// Move this process to a new, empty IPC namespace. What it had attached (shared memory) it keeps; what it
/// looks up by key or by name from now on is the new namespace's.
pub fn enter() -> Result<()> {
    unshare(clone(CLONE_NEWIPC))
}
