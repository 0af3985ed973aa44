//! Places inside the container on which something will be mounted.
//!
//! A place is found, and where necessary made, step by step on descriptors (openat2(2)), with neither `..`,
//! links nor the magic links of `/proc` leading out of the root; what is mounted is then attached to the very
//! place that was found. Looking it up twice by name would let a process that shares a volume exchange it for
//! a link in between: CVE-2021-30465, CVE-2023-27561 and their sequels.

use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::errno::{EEXIST, ELOOP, ENOENT};
use crate::sys::file;
use crate::sys::flags::O_PATH;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// An absolute `path` without `.`, `..`, doubled and trailing slashes, by its text alone, as Docker reads paths
/// inside a container: `/a/../b` is `/b`, even where `/a` is a link.
pub fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::ParentDir => drop(clean.pop()),
            Component::Normal(name) => clean.push(name),
            _ => {}
        }
    }
    clean
}

/// The place at `path` (absolute, inside the container): made as a directory, or as an empty file, if missing.
///
/// On entry, as for everything here, this process's root and working directory are the container's root.
pub fn make(path: &Path, directory: bool) -> Result<OwnedFd> {
    if let Some(place) = find(path)? {
        return Ok(place);
    }
    let nowhere = || Problem::LeadsNowhere { path: path.display().to_string() };
    let (parent, name) = path.parent().zip(path.file_name()).ok_or_else(|| Error::new(nowhere()))?;
    let above = match find(parent)? {
        Some(above) => above,
        None => make(parent, true)?,
    };
    if directory {
        accept_existing(file::mkdir_at(above.as_fd(), parent, Path::new(name), 0o755))?;
    } else {
        match file::create_at(above.as_fd(), parent, Path::new(name), 0o644) {
            Err(error) if error.is(ELOOP) => return Err(error).meaning(nowhere),
            answer => answer?,
        }
    }
    find(path)?.ok_or_else(|| Error::new(nowhere()))
}

/// The place at `path` if there is one.
pub fn find(path: &Path) -> Result<Option<OwnedFd>> {
    match file::open_in_root(file::HERE, Path::new("/"), path, O_PATH) {
        Err(error) if error.is(ENOENT) => Ok(None),
        answer => answer.map(Some),
    }
}

fn accept_existing(answer: Result<()>) -> Result<()> {
    match answer {
        Err(error) if error.is(EEXIST) => Ok(()),
        answer => answer,
    }
}

/// The identity of a directory: its file system and its inode.
pub type Place = (u64, u64);

/// What is the root directory of this process.
pub fn own_root() -> Result<Place> {
    file::status(Path::new("/")).map(|status| status.identity)
}

/// What is the root directory of process `pid`. Needs ptrace(2) access to it.
pub fn root_of(pid: i32) -> Result<Place> {
    file::status(Path::new(&format!("/proc/{pid}/root"))).map(|status| status.identity)
}

/// Refuse a `path` that is not a directory itself: an image could have a link there, and what is about to be
/// mounted would land elsewhere.
pub fn require_directory(path: &Path) -> Result<()> {
    if file::link_status(path)?.kind == file::Kind::Directory {
        return Ok(());
    }
    Err(Error::new(Problem::NotADirectory { path: path.display().to_string() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_by_their_text() {
        for (path, clean_path) in
            [("/a/../b", "/b"), ("/../..", "/"), ("/a//b/./c/", "/a/b/c"), ("/a/b/../../..", "/"), ("/", "/")]
        {
            assert_eq!(clean(Path::new(path)), Path::new(clean_path), "{path}");
        }
    }
}
