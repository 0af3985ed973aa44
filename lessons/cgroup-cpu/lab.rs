//! Lab `cgroup-cpu`: four functions: a quota, what was used of it, a pause, and the end of everybody.
//!
//! What helps: `group.directory_of("cpu")` says on which directory a controller acts, and whether in version 1 or 2;
//! `group.freezer()` says the same of freezing; `minidocker::sys::file` has `write`, `read_text`, `list` and `if_there`;
//! `minidocker::sys::process` has `pidfd_open` and `send_signal`. The handout is README.md, and `cargo lab cgroup-cpu`
//! says what the kernel thinks.
#![allow(clippy::todo, unused_imports, dead_code)] // they are yours to fill in

use minidocker::cgroup::Group;
use minidocker::cgroup::accounting::Usage;
use minidocker::cgroup::cpu::weight;
use minidocker::cgroup::hierarchy::Version;
use minidocker::cgroup::stop::groups_below;
use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::sys::process::{Child, pause_millisecond, pidfd_open, send_signal};
use minidocker::sys::signal::{SIGKILL, wait_ended};
use minidocker::sys::{errno, file};
use std::path::Path;
use std::process::ExitCode;

/// Let the group run for `spec.limits.millicpus` thousandths of each tenth of a second, and weigh it by
/// `spec.limits.shares`. `None` is no limit.
pub fn limit(spec: &Spec, _group: &Group) -> Result<()> {
    todo!("allow {:?} thousandths of a processor, and {:?} shares", spec.limits.millicpus, spec.limits.shares)
}

/// What the group uses, and those in groups below: nanoseconds of processor time, bytes of memory, tasks.
pub fn usage(group: &Group) -> Result<Usage> {
    todo!("count in {:?}", group.directories())
}

/// Freeze everybody in the group, and return when all are frozen; with `frozen` false, let them go on.
pub fn freeze(group: &Group, frozen: bool) -> Result<()> {
    todo!("freeze {:?}: {frozen}", group.freezer())
}

/// End everybody in the group and in the groups below it, frozen ones too. On return all have ended.
pub fn kill(group: &Group) -> Result<()> {
    todo!("end everybody in {:?}", group.directories())
}

fn main() -> ExitCode {
    minidocker::main(Parts { cpu: limit, usage, freeze, kill, ..Parts::REFERENCE })
}
