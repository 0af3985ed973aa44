//! /dev: a small file system of its own with the devices that every program may expect, and no other.

use super::tree::{self, Tree};
use crate::error::{Error, Problem, Result};
use crate::sys::file::{self, Kind};
use crate::sys::flags::{MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_STRICTATIME};
use crate::sys::mount::mount;
use std::os::fd::AsFd;
use std::path::Path;

/// The device nodes: name, major, minor. Documentation/admin-guide/devices.txt.
const NODES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Links that programs know by these names: (name, where it leads).
const LINKS: [(&str, &str); 5] = [
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

/// Mount and fill /dev. `from_host` has the nodes to bind, in the order of the table; empty means make them. The memory
/// that programs share, /dev/shm, holds `shm_size` bytes.
///
/// The group of terminals, 5, exists only where it is mapped, so a user namespace goes without.
pub fn mount_dev(from_host: &[Tree], shm_size: u64) -> Result<()> {
    let dev = Path::new("/dev");
    drop(super::target::make(dev, true)?);
    super::target::require_directory(dev)?;
    mount("tmpfs", dev, "tmpfs", MS_NOSUID | MS_STRICTATIME, Some("mode=755,size=65536k"))?;
    if from_host.is_empty() {
        make_nodes(dev)?;
    } else {
        for (tree, (name, ..)) in from_host.iter().zip(NODES) {
            tree.attach(&dev.join(name))?;
        }
    }
    for (name, target) in LINKS {
        file::symlink(Path::new(target), &dev.join(name))?;
    }
    let terminals = if from_host.is_empty() {
        "newinstance,ptmxmode=0666,mode=0620,gid=5"
    } else {
        "newinstance,ptmxmode=0666,mode=0620"
    };
    let quiet = MS_NOSUID | MS_NOEXEC;
    let shared = format!("mode=1777,size={}k", shm_size.div_ceil(1024));
    for (name, fstype, flags, data) in [
        ("pts", "devpts", quiet, Some(terminals)),
        ("shm", "tmpfs", quiet | MS_NODEV, Some(shared.as_str())),
        ("mqueue", "mqueue", quiet | MS_NODEV, None),
    ] {
        let place = dev.join(name);
        file::mkdir(&place, 0o755)?;
        mount(fstype, &place, fstype, flags, data)?;
    }
    Ok(())
}

/// Make the nodes, readable and writable by all. On entry the umask is 0.
fn make_nodes(dev: &Path) -> Result<()> {
    NODES
        .iter()
        .try_for_each(|(name, major, minor)| file::mknod_character(&dev.join(name), 0o666, *major, *minor))
}
