//! Namespaces: what a process sees of the machine, kind by kind. namespaces(7).
//!
//! One file a kind. Each has an `enter` that moves the calling process, or says why that kind needs more than
//! one call. The kernel keeps a process's namespaces in `task_struct.nsproxy` (include/linux/nsproxy.h), but
//! for the user namespace, which belongs to its credentials (`task_struct.cred->user_ns`).
//!
//! The files do not know of each other: every kind can be had alone.

pub mod cgroup;
pub mod ipc;
pub mod join;
pub mod mount;
pub mod net;
pub mod pid;
pub mod subid;
pub mod time;
pub mod user;
pub mod uts;

/// `CLONE_NEWPID`: for [`pid::birth`].
pub const PID: u64 = crate::sys::flags::CLONE_NEWPID;
/// `CLONE_NEWNET`: for [`pid::birth`].
pub const NET: u64 = crate::sys::flags::CLONE_NEWNET;
/// `CLONE_NEWUSER`: for [`pid::birth`].
pub const USER: u64 = crate::sys::flags::CLONE_NEWUSER;
