//! Places inside the container on which something will be mounted.
//!
//! A place is found, and where necessary made, step by step on descriptors (openat2(2)), with neither `..`,
//! links nor the magic links of `/proc` leading out of the root; what is mounted is then attached to the very
//! place that was found. Looking it up twice by name would let a process that shares a volume exchange it for
//! a link in between: CVE-2021-30465, CVE-2023-27561 and their sequels.

use crate::error::{Error, Problem, Result};
use crate::sys::errno::{EEXIST, ENOENT};
use crate::sys::file;
use crate::sys::flags::{O_DIRECTORY, O_PATH};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// The place at `path` (absolute, inside the container): made as a directory, or as an empty file, if missing.
pub fn make(path: &Path, directory: bool) -> Result<OwnedFd> {
    if let Some(place) = find(path)? {
        return Ok(place);
    }
    let parent =
        path.parent().ok_or_else(|| Error::new(Problem::BadVolume { text: path.display().to_string() }))?;
    make_parents(parent)?;
    let above =
        find(parent)?.ok_or_else(|| Error::new(Problem::BadVolume { text: path.display().to_string() }))?;
    let name: PathBuf = path.file_name().map(PathBuf::from).unwrap_or_default();
    if directory {
        accept_existing(file::mkdir_at(above.as_fd(), parent, &name, 0o755))?;
    } else {
        file::create_at(above.as_fd(), parent, &name, 0o644)?;
    }
    find(path)?.ok_or_else(|| Error::new(Problem::BadVolume { text: path.display().to_string() }))
}

/// The place at `path` if there is one.
pub fn find(path: &Path) -> Result<Option<OwnedFd>> {
    let slash = Path::new("/");
    let root = file::open_file(slash, O_PATH | O_DIRECTORY, 0)?;
    match file::open_in_root(root.as_fd(), slash, path, O_PATH) {
        Err(error) if error.is(ENOENT) => Ok(None),
        answer => answer.map(Some),
    }
}

fn make_parents(path: &Path) -> Result<()> {
    let mut so_far = PathBuf::from("/");
    for component in path.components() {
        let Component::Normal(name) = component else { continue };
        let above = so_far.clone();
        so_far.push(name);
        if find(&so_far)?.is_none()
            && let Some(directory) = find(&above)?
        {
            accept_existing(file::mkdir_at(directory.as_fd(), &above, Path::new(name), 0o755))?;
        }
    }
    Ok(())
}

fn accept_existing(answer: Result<()>) -> Result<()> {
    match answer {
        Err(error) if error.is(EEXIST) => Ok(()),
        answer => answer,
    }
}

/// Refuse a `path` that is not a directory itself: an image could have a link there, and what is about to be
/// mounted would land elsewhere.
pub fn require_directory(path: &Path) -> Result<()> {
    if file::link_status(path)?.kind == file::Kind::Directory {
        return Ok(());
    }
    Err(Error::new(Problem::NotADirectory { path: path.display().to_string() }))
}
