//! Lab `mounts`: a table of mounts of its own, a root that nobody leaves, and a /dev with nothing in it but what
//! programs need.
//!
//! Four functions. minidocker calls them in this order, and does the rest between them: after `enter` it unites the layers
//! of the image at `spec.layers.merged`, after `exchange` it mounts /proc and /sys.
//!
//! What helps: `unshare`, `change_propagation`, `pivot_root`, `detach` and `mount` are named as the system calls they make;
//! `minidocker::sys::flags` has their flags. Open the handout: lessons/mounts/README.md
#![allow(clippy::todo, unused_imports, dead_code)] // it is yours to fill in

use minidocker::container::parts::{Held, Parts};
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::rootfs::devices::{LINKS, NODES};
use minidocker::sys::file::{chdir, mkdir, mknod_character, symlink};
use minidocker::sys::flags::*;
use minidocker::sys::mount::{change_propagation, detach, mount, pivot_root};
use minidocker::sys::namespace::unshare;
use std::path::Path;
use std::process::ExitCode;

/// Give this process a table of mounts of its own, from which nothing travels back to the host, nor from there to here.
pub fn enter(_spec: &Spec) -> Result<()> {
    todo!("a mount namespace, and every mount in it private")
}

/// Make the file system that is mounted at `spec.layers.merged` the root of this mount namespace, and stand in it.
///
/// The old root may still lie on top of it, for `leave` to let go: the kernel grants a user namespace a new /proc only while
/// an old one is to be seen.
pub fn exchange(spec: &Spec) -> Result<()> {
    todo!("make {:?} the root", spec.layers.merged)
}

/// Let the old root go, with all that is mounted on it. The working directory is as `exchange` left it.
pub fn leave(_spec: &Spec) -> Result<()> {
    todo!("unmount the old root")
}

/// Mount a small /dev: the nodes and the links that every program expects, terminals at /dev/pts, shared memory at /dev/shm.
///
/// /dev is an empty directory, and the umask is 0. `held.devices` are the host's nodes, taken before the root changed: a user
/// namespace may not make device nodes, but it may attach those there are (`node.attach(node.source())`). Where they are
/// none, make them: `NODES` has name, major and minor. `LINKS` has name and target.
pub fn devices(spec: &Spec, held: &Held) -> Result<()> {
    todo!("{} nodes, and {} bytes of shared memory", held.devices.len(), spec.shm_size)
}

fn main() -> ExitCode {
    minidocker::main(Parts { mount: enter, root: exchange, leave, devices, ..Parts::REFERENCE })
}
