//! The user namespace: user and group ids of its own, and with them capabilities. user_namespaces(7).
//!
//! The process that creates one has every capability in it and none outside: an ordinary user can so be root
//! over namespaces created there, and over nothing else. Until ids are mapped, everybody is `nobody` inside.

use crate::error::Result;
use crate::sys::file::write;
use std::path::Path;

/// Map the ids 0 inside to `uid` and `gid` outside, from within the new user namespace.
///
/// One id each is what the kernel grants without help. For the group it also demands that setgroups(2) be given
/// up first: a process could otherwise shed a group whose members are *denied* something (CVE-2014-8989).
/// Each file can be written once.
pub fn map_root(uid: u32, gid: u32) -> Result<()> {
    write(Path::new("/proc/self/setgroups"), "deny")?;
    write(Path::new("/proc/self/uid_map"), &format!("0 {uid} 1"))?;
    write(Path::new("/proc/self/gid_map"), &format!("0 {gid} 1"))
}
