//! Lab `overlay`: two functions. One mounts a container's layers as one tree; the other reads back what was changed.
//!
//! What helps: `mount` of `minidocker::sys::mount`, named as its system call; `file::list` and `file::link_status` of
//! `minidocker::sys`; `below` and `names_below` of `minidocker::overlay::diff`, which say what the read-only layers show.
//! The handout is README.md, and `cargo lab overlay` says what the kernel thinks.
#![allow(clippy::todo, unused_imports, unused_variables, dead_code)] // they are yours to fill in

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::overlay::Layers;
use minidocker::overlay::diff::{Change, What, below, names_below};
use minidocker::overlay::mark::Marks;
use minidocker::sys::file::{self, Kind};
use minidocker::sys::mount::mount;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Unite the layers of `spec.layers` and see them at `spec.layers.merged`. The directories are all there.
pub fn unite(spec: &Spec) -> Result<()> {
    todo!("mount an overlay at {:?}", spec.layers.merged)
}

/// What the upper layer says was added, changed and deleted: each name by its path from the top, without a `/`.
/// Nothing is mounted where this runs: `layers.merged` is empty there.
pub fn changes(layers: &Layers) -> Result<Vec<Change>> {
    todo!("read {:?}", layers.upper)
}

fn main() -> ExitCode {
    minidocker::main(Parts { overlay: unite, changes, ..Parts::REFERENCE })
}
