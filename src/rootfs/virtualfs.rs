//! The file systems that are windows into the kernel: /proc, /sys and the cgroup tree.
//!
//! Each new mount shows the namespaces of the process that mounts it: /proc the processes of its pid namespace,
//! /sys the links of its network namespace, the cgroup tree its cgroup namespace from the group at its root.

use super::tree::Tree;
use crate::error::Result;
use crate::sys::errno::{EACCES, ENOENT, EPERM};
use crate::sys::flags::{MOUNT_ATTR_RDONLY, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY};
use crate::sys::{file, mount};
use std::path::Path;

const HARMLESS: u64 = MS_NOSUID | MS_NODEV | MS_NOEXEC;

/// Mount /proc for this pid namespace. Without it `ps` would show the host's processes, from the old mount.
pub fn mount_proc() -> Result<()> {
    make("/proc")?;
    mount::mount("proc", Path::new("/proc"), "proc", HARMLESS, None)
}

/// Mount /sys read-only for this network namespace. With `host_sys`, a copy of the host's /sys, that one is
/// attached instead: a user namespace may not mount the /sys of a network namespace that it does not own.
pub fn mount_sys(host_sys: Option<&Tree>, read_only: bool) -> Result<()> {
    make("/sys")?;
    match host_sys {
        Some(tree) => tree.attach(Path::new("/sys")),
        None => {
            let flags = HARMLESS | if read_only { MS_RDONLY } else { 0 };
            mount::mount("sysfs", Path::new("/sys"), "sysfs", flags, None)
        }
    }
}

/// One tree of cgroups to be seen below `/sys/fs/cgroup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupTree {
    /// The directory's name for a v1 tree (`memory`); empty for v2, which stands at the top itself.
    pub name: String,
    /// `cgroup` or `cgroup2`.
    pub fstype: &'static str,
    /// The controllers, as the mount's options.
    pub controllers: String,
}

/// Mount the cgroup trees, so that the container can read its own limits. In a user namespace (`confined`) the
/// kernel may refuse; then there is nothing of its own to be read there either.
pub fn mount_cgroups(trees: &[CgroupTree], read_only: bool, confined: bool) -> Result<()> {
    let top = Path::new("/sys/fs/cgroup");
    let flags = HARMLESS | if read_only { MS_RDONLY } else { 0 };
    let needs_directories = trees.iter().any(|tree| !tree.name.is_empty());
    if needs_directories {
        mount::mount("tmpfs", top, "tmpfs", HARMLESS, Some("mode=755,size=64k"))?;
    }
    for tree in trees {
        let place = match tree.name.as_str() {
            "" => top.to_owned(),
            name => top.join(name),
        };
        if place != top {
            file::mkdir(&place, 0o755)?;
        }
        let data = (!tree.controllers.is_empty()).then_some(tree.controllers.as_str());
        match mount::mount("cgroup", &place, tree.fstype, flags, data) {
            Err(error) if confined && (error.is(EPERM) || error.is(EACCES)) => {}
            answer => answer?,
        }
    }
    if needs_directories && read_only { mount::add_attributes(top, MOUNT_ATTR_RDONLY, false) } else { Ok(()) }
}

/// Make a directory of the root that an image may lack. Nobody else is inside yet, so a path will do.
fn make(path: &str) -> Result<()> {
    match super::target::require_directory(Path::new(path)) {
        Err(error) if error.is(ENOENT) => file::mkdir(Path::new(path), 0o755),
        answer => answer,
    }
}
