//! /dev: a small file system of its own with the devices that every program may expect, and no other.

use super::tree::{self, Tree};
use crate::error::{Error, Problem, Result};
use crate::sys::file::{self, Kind};
use crate::sys::flags::{MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_STRICTATIME};
use crate::sys::mount::mount;
use std::os::fd::AsFd;
use std::path::Path;

/// The device nodes: name, major, minor. Documentation/admin-guide/devices.txt.
pub const NODES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Links that programs know by these names: (name, where it leads).
pub const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Take the host's own nodes. A user namespace may not make device nodes, but it may bind those there are; what
/// was taken is checked to be the device that its name promises.
pub fn take_from_host() -> Result<Vec<Tree>> {
    NODES
        .iter()
        .map(|(name, major, minor)| take_node(&Path::new("/dev").join(name), (*major, *minor)))
        .collect()
}

fn take_node(path: &Path, device: (u32, u32)) -> Result<Tree> {
    let node = tree::take(path)?;
    let status = file::descriptor_status(node.descriptor().as_fd(), path)?;
    if status.kind != Kind::Character || status.device != device {
        return Err(Error::new(Problem::NotTheDevice { path: path.display().to_string() }));
    }
    Ok(node)
}

/// See to it that /dev is there, and a directory: an image may lack it, or have a link in its place.
pub fn require_dev() -> Result<()> {
    let dev = Path::new("/dev");
    drop(super::target::make(dev, true)?);
    super::target::require_directory(dev)
}

/// Mount and fill /dev. `from_host` has the nodes to bind, each under the name it was taken by; empty means make them. The
/// memory that programs share, /dev/shm, holds `shm_size` bytes.
///
/// On entry /dev is a directory and the umask is 0. The group of terminals, 5, exists only where it is mapped, so a user
/// namespace goes without.
pub fn mount_dev(from_host: &[Tree], shm_size: u64) -> Result<()> {
    let dev = Path::new("/dev");
    mount("tmpfs", dev, "tmpfs", MS_NOSUID | MS_STRICTATIME, Some("mode=755,size=65536k"))?;
    match from_host {
        [] => make_nodes(dev)?,
        nodes => nodes.iter().try_for_each(|node| node.attach(node.source()))?,
    }
    for (name, target) in LINKS {
        file::symlink(Path::new(target), &dev.join(name))?;
    }
    let group = if from_host.is_empty() { ",gid=5" } else { "" };
    let terminals = format!("newinstance,ptmxmode=0666,mode=0620{group}");
    let shared = format!("mode=1777,size={}k", shm_size.div_ceil(1024));
    mount_new("/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, Some(&terminals))?;
    mount_new("/dev/shm", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, Some(&shared))
}

/// Mount the POSIX message queues of this IPC namespace. On entry /dev is mounted.
pub fn mount_queues() -> Result<()> {
    mount_new("/dev/mqueue", "mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, None)
}

/// Mount a file system on a directory that is made for it.
fn mount_new(place: &str, fstype: &str, flags: u64, data: Option<&str>) -> Result<()> {
    let place = Path::new(place);
    file::mkdir(place, 0o755)?;
    mount(fstype, place, fstype, flags, data)
}

/// Make the nodes, readable and writable by all.
fn make_nodes(dev: &Path) -> Result<()> {
    NODES
        .iter()
        .try_for_each(|(name, major, minor)| file::mknod_character(&dev.join(name), 0o666, *major, *minor))
}
