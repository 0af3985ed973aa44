//! Lab `pid`: the first process of a container, the /proc it sees, and what it owes to everybody's orphans.
//!
//! Three functions, in the order in which they run. What helps: `process::clone3`, `group.birthplace()`, `mount::mount`,
//! `signal::take_next`, `process::reap_any`, `process::kill`, and the flags in `minidocker::sys::flags`.
//! The handout is README.md (README.zh.md); `cargo lab pid` asks the kernel what it thinks of your answer.
#![allow(clippy::todo, unused_imports, unused_variables, dead_code)] // it is yours to fill in

use minidocker::cgroup::Group;
use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::network::Network;
use minidocker::sys::process::{self, Ended, Forked};
use minidocker::sys::{errno, file, flags, mount, signal};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;

/// Make the container's first process: pid 1 of a new pid namespace, in the namespaces that nobody can enter later or
/// that the parent must reach from outside. Returns twice, once in each of the two processes.
pub fn birth(spec: &Spec, group: &Group) -> Result<Forked> {
    todo!("give birth to a process that is pid 1")
}

/// Show this pid namespace at /proc, and nothing there that could hurt. The directory may be missing in an image.
///
/// On entry the root is the container's already; the working directory is not yours to change.
pub fn proc(spec: &Spec) -> Result<()> {
    todo!("mount /proc for the container {:?}", spec.name)
}

/// With `--init`: be pid 1 until `child`, the container's command, has ended, and return how it ended.
///
/// On entry all signals are blocked: each waits until it is taken.
pub fn reap(child: i32) -> Result<Ended> {
    todo!("wait for process {child}, and for everybody's orphans")
}

fn main() -> ExitCode {
    minidocker::main(Parts { birth, proc, reap, ..Parts::REFERENCE })
}
