//! The machine that the base image is made from, seen below one directory: `/`, or a made-up tree in a test.

use crate::error::Result;
use crate::sys::errno::{EACCES, ELOOP, ENOENT, ENOTDIR};
use crate::sys::file::{self, Kind, Status};
use crate::sys::flags::{O_DIRECTORY, O_PATH};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The file system below one directory. Its paths are relative to that directory, and links in it never lead
/// out, just as if it were the root.
#[derive(Debug)]
pub struct Host {
    root: PathBuf,
    directory: OwnedFd,
}

/// A file, by the path that contains no link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Relative to the host's root.
    pub path: PathBuf,
    /// What stands there.
    pub status: Status,
}

impl Host {
    /// The machine whose root directory is `root`.
    pub fn open(root: &Path) -> Result<Self> {
        let directory = file::open_file(root, O_PATH | O_DIRECTORY, 0)?;
        let root = file::path_of(directory.as_fd())?;
        Ok(Host { root, directory })
    }

    /// The path by which this process reaches `path`.
    pub fn reach(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// What stands at `path` when all links are followed; `None` if nothing does that we may see.
    pub fn find(&self, path: &Path) -> Result<Option<Found>> {
        let opened = match file::open_in_root(self.directory.as_fd(), &self.root, path, O_PATH) {
            Err(error) if [ENOENT, ENOTDIR, ELOOP, EACCES].iter().any(|errno| error.is(*errno)) => {
                return Ok(None);
            }
            opened => opened?,
        };
        let real = file::path_of(opened.as_fd())?;
        let status = file::descriptor_status(opened.as_fd(), &real)?;
        Ok(real.strip_prefix(&self.root).ok().map(|path| Found { path: path.to_owned(), status }))
    }

    /// What the symbolic link at `path` itself says; `None` if that is no link.
    pub fn link(&self, path: &Path) -> Result<Option<PathBuf>> {
        let path = self.reach(path);
        match file::link_status(&path) {
            Ok(status) if status.kind == Kind::Link => file::readlink(&path).map(Some),
            Ok(_) => Ok(None),
            Err(error) if error.is(ENOENT) || error.is(ENOTDIR) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `path` with the links in its directory followed, but not one at its end: where its own name stands.
    pub fn place(&self, path: &Path) -> Result<PathBuf> {
        let path = path.strip_prefix("/").unwrap_or(path);
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(path.to_owned());
        };
        if directory.as_os_str().is_empty() {
            return Ok(path.to_owned());
        }
        Ok(self.find(directory)?.map_or_else(|| path.to_owned(), |found| found.path.join(name)))
    }
}
