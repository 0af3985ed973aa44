//! Lab `cgroup-memory`: three functions, and not one new system call. A limit is a number in a file.
//!
//! What helps: `group.directory_of("memory")` says on which directory a controller acts, and whether in version 1 or 2;
//! `group.places` has all directories; `minidocker::sys::file` has `write`, `read_text` and `if_there`. The handout is
//! README.md, and `cargo lab cgroup-memory` says what the kernel thinks.
#![allow(clippy::todo, unused_imports, dead_code)] // they are yours to fill in

use minidocker::cgroup::Group;
use minidocker::cgroup::hierarchy::Version;
use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::sys::file;
use minidocker::sys::flags::{CLONE_NEWCGROUP, clone};
use minidocker::sys::namespace::unshare;
use std::process::ExitCode;

/// Limit the memory of the group to `spec.limits.memory` bytes, with as much swap again, and the number of its processes
/// to `spec.limits.pids`. `None` is no limit.
pub fn limit(spec: &Spec, _group: &Group) -> Result<()> {
    todo!("allow {:?} bytes and {:?} processes", spec.limits.memory, spec.limits.pids)
}

/// Move this process into the group's version 1 directories (on version 2 it was born in the group), and let it see the
/// group as the root of the tree.
pub fn join(_spec: &Spec, group: &Group) -> Result<()> {
    todo!("join {:?}", group.directories())
}

/// How many processes of the group the OOM killer has killed.
pub fn oom_kills(group: &Group) -> Result<u64> {
    todo!("count in {:?}", group.directory_of("memory"))
}

fn main() -> ExitCode {
    minidocker::main(Parts { memory: limit, join, oom: oom_kills, ..Parts::REFERENCE })
}
