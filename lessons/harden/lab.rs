//! Lab `harden`: what root in a container may still do. Capabilities, system calls, and files that tell too much.
//!
//! Three functions. minidocker calls `mask` when the new root is furnished, `limit` while this process is still root with
//! every right, and `filter` as the very last thing before the command is executed.
//!
//! What helps: `drop_from_bounding_set`, `clear_ambient_set`, `set_no_new_privs` and `load_seccomp_filter` each make one system
//! call; `Policy` compiles what you decide to the kernel's filter language. Open the handout: lessons/harden/README.md
#![allow(clippy::todo, unused_imports, dead_code)] // it is yours to fill in

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::rootfs::mask::{HIDDEN, READ_ONLY};
use minidocker::rootfs::{target, tree};
use minidocker::security::capabilities::NAMES;
use minidocker::security::seccomp::{EVERYDAY, Policy, Verdict};
use minidocker::sys::errno::EINVAL;
use minidocker::sys::file::{Kind, status};
use minidocker::sys::flags::*;
use minidocker::sys::mount::mount;
use minidocker::sys::security::{
    clear_ambient_set, drop_from_bounding_set, load_seccomp_filter, set_no_new_privs,
};
use minidocker::sys::syscalls::*;
use std::path::Path;
use std::process::ExitCode;

/// Hide the files and directories of `HIDDEN`, and let those of `READ_ONLY` be read only.
///
/// Not every kernel has all of them. A file is hidden by `/dev/null` on top of it, a directory by an empty file system. To
/// protect a directory, take what is there (`tree::take`), make the copy read-only, and attach it on the same place.
pub fn mask(_spec: &Spec) -> Result<()> {
    todo!("hide {} places and protect {}", HIDDEN.len(), READ_ONLY.len())
}

/// See to it that no process of this container can ever hold a capability that is not in `spec.capabilities`.
///
/// Capability number n is bit n of `spec.capabilities.0`; past the last one that this kernel knows, `drop_from_bounding_set`
/// gives `EINVAL`. What this process holds now it keeps for a while: it has still to change its user id.
pub fn limit(spec: &Spec) -> Result<()> {
    todo!("drop all but {:?}", spec.capabilities)
}

/// Let no program gain rights when it is executed, and answer each system call as it deserves.
///
/// `EVERYDAY` has the calls that are harmless whatever their arguments. `Policy::allow_granted` allows those that come with a
/// capability. The rest is for you to decide.
pub fn filter(spec: &Spec) -> Result<()> {
    todo!("decide for capabilities {:?}", spec.capabilities)
}

fn main() -> ExitCode {
    minidocker::main(Parts { mask, limit, filter, ..Parts::REFERENCE })
}
