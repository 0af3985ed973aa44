//! The first use of a kept volume: as long as it is empty, it takes over what the image has at its place, with
//! owners, modes and links. So a database finds its directory as the image's maker left it.
//!
//! Whoever is killed in between leaves the mark `copying`, and the next one begins again.

use crate::error::Result;
use crate::sys::copy_tree::{self, copy_tree};
use crate::sys::errno::{EEXIST, ENOENT};
use crate::sys::flags::O_DIRECTORY;
use crate::sys::{file, lock, remove};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The directory of a kept volume, held by descriptor.
#[derive(Debug)]
pub struct Filling {
    directory: OwnedFd,
    path: PathBuf,
}

const MARK: &str = "copying";
const DATA: &str = "data";

/// Take hold of the volume whose directory is at `path`, while the host's paths still mean the host.
pub fn take(path: &Path) -> Result<Filling> {
    Ok(Filling { directory: file::open_file(path, O_DIRECTORY, 0)?, path: path.to_owned() })
}

impl Filling {
    /// Take over what is at `place`, a directory opened to be read, whose name is `name`. Several containers may
    /// come at once with the same volume: the second waits, and finds it filled.
    pub fn fill(&self, place: &OwnedFd, name: &Path) -> Result<()> {
        lock::lock_file(self.directory.as_fd(), &self.path, true, true)?;
        let path = self.path.join(DATA);
        let data = copy_tree::open_below(self.directory.as_fd(), Path::new(DATA), &path)?;
        let mark = self.path.join(MARK);
        let marked = copy_tree::is_there(self.directory.as_fd(), Path::new(MARK), &mark)?;
        if !marked && !remove::is_empty(data.as_fd(), &path)? {
            return Ok(());
        }
        match file::create_at(self.directory.as_fd(), &self.path, Path::new(MARK), 0o600) {
            Err(error) if error.is(EEXIST) => {}
            answer => answer?,
        }
        copy_tree(place.as_fd(), name, data.as_fd(), &path)?;
        match copy_tree::unlink_at(self.directory.as_fd(), Path::new(MARK), &mark) {
            Err(error) if error.is(ENOENT) => Ok(()),
            answer => answer,
        }
    }
}
