//! Something of the host's, held by descriptor, to be attached inside the container later.

use super::target;
use crate::error::{Meaning, Problem, Result};
use crate::sys::errno::{EINVAL, ENOTDIR};
use crate::sys::file::{self, Kind};
use crate::sys::flags::MOUNT_ATTR_RDONLY;
use crate::sys::mount;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A detached copy of a mount, cut off at one file or directory, with the name it was taken by.
#[derive(Debug)]
pub struct Tree {
    descriptor: OwnedFd,
    source: PathBuf,
}

/// Take what stands at `source` now. On entry this process is in its own mount namespace and the host's files
/// are still its root.
pub fn take(source: &Path) -> Result<Tree> {
    Ok(Tree { descriptor: mount::open_tree_clone(source)?, source: source.to_owned() })
}

impl Tree {
    /// The tree's descriptor, to look at what was really taken.
    pub fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }

    /// The name it was taken by, on the host.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// Allow reading only, here and in everything mounted below.
    pub fn make_read_only(&self) -> Result<()> {
        mount::add_tree_attributes(self.descriptor.as_fd(), &self.source, MOUNT_ATTR_RDONLY)
    }

    /// Attach the tree on `place`, which was found at `path` inside the container.
    pub fn attach_on(&self, place: &OwnedFd, path: &Path) -> Result<()> {
        mount::move_mount(self.descriptor.as_fd(), &self.source, place.as_fd(), path)
    }

    /// Attach the tree at `path` inside the container, which is this process's root now. What is missing on
    /// the way is made: directories, and an empty file for a tree that is a file.
    pub fn attach(&self, path: &Path) -> Result<()> {
        let directory =
            file::descriptor_status(self.descriptor.as_fd(), &self.source)?.kind == Kind::Directory;
        let place = target::make(path, directory)?;
        match self.attach_on(&place, path) {
            Err(error) if error.is(EINVAL) || error.is(ENOTDIR) => {
                let kind = file::descriptor_status(place.as_fd(), path)?.kind;
                match directory == (kind == Kind::Directory) {
                    true => Err(error),
                    false => Err(error).meaning(|| self.of_another_kind(directory, path)),
                }
            }
            answer => answer,
        }
    }

    fn of_another_kind(&self, directory: bool, path: &Path) -> Problem {
        let (source, target) = (self.source.display().to_string(), path.display().to_string());
        match directory {
            true => Problem::DirectoryOnFile { source, target },
            false => Problem::FileOnDirectory { source, target },
        }
    }
}
