//! Lab `uts`: three functions, three system calls. `minidocker` calls yours instead of its own.
//!
//! What helps: `minidocker::sys::namespace` has `unshare`, `sethostname` and `setns`, each named as its system call;
//! `minidocker::sys::flags` has the flags. The handout is README.md, and `cargo lab uts` says what the kernel thinks.
#![allow(clippy::todo, unused_imports, dead_code)] // they are yours to fill in

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::namespace::join::Doors;
use minidocker::sys::flags::{CLONE_NEWIPC, CLONE_NEWUTS, clone};
use minidocker::sys::namespace::{sethostname, setns, unshare};
use std::process::ExitCode;

/// Give this process a host name of its own, `spec.hostname`, and leave the host's alone.
pub fn enter(spec: &Spec) -> Result<()> {
    todo!("name this process {:?}", spec.hostname)
}

/// Give this process System V queues and POSIX message queues of its own.
pub fn ipc(_spec: &Spec) -> Result<()> {
    todo!("leave the host's queues")
}

/// Move this process into each of the namespaces behind `doors`, in their order: what `minidocker exec` does.
pub fn join(doors: &Doors) -> Result<()> {
    todo!("join {:?}", doors.kinds().collect::<Vec<_>>())
}

fn main() -> ExitCode {
    minidocker::main(Parts { uts: enter, ipc, enter: join, ..Parts::REFERENCE })
}
