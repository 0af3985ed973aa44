//! Lab `user`: who a container's processes are. Root inside may be an ordinary user outside, and root may become one.
//!
//! Two functions. What helps: `file::write` for the files of /proc/self, `file::read_text`, `identity::setgroups`,
//! `identity::setresgid`, `identity::setresuid`.
//! The handout is README.md (README.zh.md); `cargo lab user` asks the kernel what it thinks of your answer.
#![allow(clippy::todo, unused_imports, unused_variables, dead_code)] // it is yours to fill in

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::process::identity::Identity;
use minidocker::sys::{file, identity};
use std::path::Path;
use std::process::ExitCode;

/// Be root in this new user namespace: map the ids 0 inside to the person's `uid` and `gid` outside.
///
/// On entry nothing is mapped, and this process holds every capability here and none outside.
pub fn map(spec: &Spec, (uid, gid): (u32, u32)) -> Result<()> {
    todo!("map 0 inside to {uid}:{gid} outside")
}

/// Become `who`, from root: all three user ids, all three group ids, and exactly the groups listed.
///
/// In a user namespace in which setgroups(2) was given up nobody has groups to change, and root is root already.
pub fn assume(spec: &Spec, who: &Identity) -> Result<()> {
    todo!("become {}:{} with the groups {:?}", who.uid, who.gid, who.groups)
}

fn main() -> ExitCode {
    minidocker::main(Parts { user: map, assume, ..Parts::REFERENCE })
}
