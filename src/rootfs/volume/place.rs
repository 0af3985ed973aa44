//! A volume taken from the host, and attached inside the container.

use super::fill::{self, Filling};
use super::{Kind, Volume};
use crate::error::{Meaning, Problem, Result};
use crate::rootfs::target;
use crate::rootfs::tree::{self, Tree};
use crate::sys::errno::{ENOENT, ENOTDIR};
use crate::sys::flags::{MS_RDONLY, O_DIRECTORY};
use crate::sys::{file, mount};
use std::os::fd::AsFd;
use std::path::Path;

/// What of a volume comes from the host, held by descriptor.
#[derive(Debug)]
pub enum Taken {
    /// A file or directory.
    Tree(Tree),
    /// A kept directory that may have to be filled first.
    Kept(Tree, Filling),
    /// Nothing.
    Nothing,
}

/// On the host: make the directory that `volume` shows, if it is to be made and nothing is there.
pub fn prepare(volume: &Volume) -> Result<()> {
    let missing = || Problem::VolumeSourceMissing { path: volume.source.display().to_string() };
    match volume.kind {
        Kind::Bind { make: true } => match file::status(&volume.source) {
            Err(error) if error.is(ENOENT) => file::mkdir_all(&volume.source, 0o755).meaning(missing),
            answer => answer.map(drop).meaning(missing),
        },
        Kind::Bind { make: false } => file::status(&volume.source).map(drop).meaning(missing),
        _ => Ok(()),
    }
}

/// Take what `volume` shows. On entry this process is in its own mount namespace and the host's files are still its
/// root.
pub fn take(volume: &Volume) -> Result<Taken> {
    if let Kind::Tmpfs(_) = volume.kind {
        return Ok(Taken::Nothing);
    }
    let tree = tree::take(&volume.source)?;
    if volume.read_only {
        tree.make_read_only()?;
    }
    match (&volume.kind, volume.source.parent()) {
        (Kind::Volume { copy: true, .. }, Some(directory)) => Ok(Taken::Kept(tree, fill::take(directory)?)),
        _ => Ok(Taken::Tree(tree)),
    }
}

/// Attach what was taken of `volume` at its place; this process's root is the container's.
pub fn attach(volume: &Volume, taken: &Taken) -> Result<()> {
    let target = &volume.target;
    match taken {
        Taken::Tree(tree) => tree.attach(target),
        Taken::Kept(tree, filling) => {
            fill(filling, target)?;
            tree.attach(target)
        }
        Taken::Nothing => mount_memory(volume),
    }
}

/// Let the volume take over what the image has at its place, if that is a directory.
fn fill(filling: &Filling, target: &Path) -> Result<()> {
    match file::open_in_root(file::HERE, Path::new("/"), target, O_DIRECTORY) {
        Err(error) if error.is(ENOENT) || error.is(ENOTDIR) => Ok(()),
        place => filling.fill(&place?, target),
    }
}

fn mount_memory(volume: &Volume) -> Result<()> {
    let Kind::Tmpfs(memory) = &volume.kind else { return Ok(()) };
    let place = target::make(&volume.target, true)?;
    let flags = memory.flags() | if volume.read_only { MS_RDONLY } else { 0 };
    mount::mount_on("tmpfs", place.as_fd(), &volume.target, "tmpfs", flags, memory.data().as_deref())
        .meaning(|| Problem::NotADirectory { path: volume.target.display().to_string() })
}
