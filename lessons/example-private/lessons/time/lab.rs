//! Lab `time`: one function. `minidocker` calls yours instead of its own.
//!
//! What helps: `unshare` and `setns` of `minidocker::sys::namespace`, `open_file` and `write` of
//! `minidocker::sys::file`, and `minidocker::sys::process::clocks`. The manual page is time_namespaces(7).
#![allow(clippy::todo, unused_imports, dead_code)] // it is yours to fill in

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::sys::flags::{CLONE_NEWTIME, clone};
use minidocker::sys::namespace::{setns, unshare};
use minidocker::sys::{file, process};
use std::path::Path;
use std::process::ExitCode;

/// Move this process to a new time namespace in which the machine has booted just now.
pub fn enter(_spec: &Spec) -> Result<()> {
    todo!("set the clocks back by {:?}", process::clocks())
}

fn main() -> ExitCode {
    minidocker::main(Parts { time: enter, ..Parts::REFERENCE })
}
