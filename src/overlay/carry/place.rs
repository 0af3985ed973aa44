//! Where something to be copied is, and where a copy shall be: what a path means in one root file system.

use crate::error::{Error, InsideProblem, Problem, Result};
use crate::sys::errno::{ELOOP, ENOENT, ENOTDIR};
use crate::sys::file::Kind;
use crate::sys::inode::Inode;
use crate::sys::plant::{self, Bounds};
use crate::sys::within::Directory;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many links are followed, one after the other, before it is called a circle: the kernel's number.
const LINKS: usize = 40;

/// What is to be copied.
#[derive(Debug)]
pub struct Origin {
    /// The directory that it is an entry of; itself, if it is a directory and the path ended in `/`, `.` or `..`.
    pub(super) directory: Directory,
    /// The entry; `.` for the directory itself.
    pub(super) entry: OsString,
    /// What it is called by the person.
    pub name: OsString,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Whether not the directory but what is in it is to be copied, since the path ended in `/.`.
    pub contents: bool,
}

/// Where a copy is to be.
#[derive(Debug)]
pub struct Landing {
    /// The directory in which it is made.
    pub directory: Directory,
    /// Under which name; `None` when the path is that of a directory that is there, into which is copied.
    pub name: Option<OsString>,
    /// Whether something of that name is there, which is no directory.
    pub there: bool,
    /// Whether the path asks for a directory, by ending in `/` or `/.`.
    pub asks_directory: bool,
    /// The path, for people.
    pub path: PathBuf,
}

impl Origin {
    /// What `path` names, looked up within `bounds`. A link at its end is followed only with `follow`, or if the path
    /// goes on with `/`; the name stays that of the link.
    ///
    /// `NothingThere` when there is nothing.
    pub fn find(path: &Path, bounds: Bounds, follow: bool) -> Result<Self> {
        let found = Found::chase(path, bounds, follow);
        let found = found.map_err(|error| nothing_there(error, path))?;
        let inode = found.inode.ok_or_else(|| missing(path))?;
        let is_directory = inode.status.kind == Kind::Directory;
        let name = path.file_name().map_or_else(|| found.entry.clone(), OsStr::to_owned);
        // The root directory has no name to copy it under.
        let contents = is_directory && (ends_in_dot(path) || path.file_name().is_none());
        Ok(Self { directory: found.directory, entry: found.entry, name, is_directory, contents })
    }
}

impl Landing {
    /// What `path` names, looked up within `bounds`; a link at its end is followed. The directory that is to hold the
    /// copy must be there: `NothingThere`.
    pub fn find(path: &Path, bounds: Bounds) -> Result<Self> {
        let asks_directory = path.as_os_str().as_bytes().ends_with(b"/") || ends_in_dot(path);
        let bare: PathBuf = if ends_in_dot(path) || path.file_name().is_none() {
            path.to_owned()
        } else {
            path.components().collect()
        };
        let found = Found::chase(&bare, bounds, true).or_else(|error| match error.is(ENOENT) {
            // `NAME/.`, and there is no NAME.
            true if ends_in_dot(path) => Found::chase(&without_dot(path), bounds, true),
            _ => Err(error),
        });
        let Found { directory, entry, inode } = found.map_err(|error| nothing_there(error, path))?;
        let kind = inode.map(|inode| inode.status.kind);
        let path = path.to_owned();
        if kind == Some(Kind::Directory) {
            let directory =
                if entry == "." { directory } else { directory.find(Path::new(&entry), bounds)? };
            return Ok(Self { directory, name: None, there: false, asks_directory, path });
        }
        Ok(Self { directory, name: Some(entry), there: kind.is_some(), asks_directory, path })
    }

    /// The directory that `path` names, for what comes as an archive; `NotADirectory` when it is none.
    pub fn directory(path: &Path, bounds: Bounds) -> Result<Self> {
        let landing = Self::find(path, bounds)?;
        match landing.name {
            None => Ok(landing),
            Some(_) => {
                let path = path.display().to_string();
                Err(Error::new(Problem::Inside(InsideProblem::MustBeDirectory { path })))
            }
        }
    }
}

/// An entry of a directory, and what it is; nothing, if there is no such entry.
struct Found {
    directory: Directory,
    entry: OsString,
    inode: Option<Inode>,
}

impl Found {
    fn chase(path: &Path, bounds: Bounds, follow: bool) -> Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            let whole = path.as_os_str().as_bytes().ends_with(b"/") || ends_in_dot(&path);
            let (Some(entry), false) = (path.file_name(), whole) else {
                let directory = plant::find(&path, bounds)?;
                let inode = Some(directory.inode(OsStr::new("."))?);
                return Ok(Self { directory, entry: ".".into(), inode });
            };
            let above = path.parent().unwrap_or(Path::new(""));
            let directory = plant::find(above, bounds)?;
            let inode = directory.inode_if_there(entry)?;
            if !follow || inode.is_none_or(|inode| inode.status.kind != Kind::Link) {
                return Ok(Self { directory, entry: entry.to_owned(), inode });
            }
            // One that is absolute replaces the path.
            path = above.join(directory.readlink(entry)?);
        }
        Err(missing(&path))
    }
}

/// Whether the last component is `.`, which names a directory by what is in it.
fn ends_in_dot(path: &Path) -> bool {
    let text = path.as_os_str().as_bytes();
    text == b"." || text.ends_with(b"/.")
}

fn without_dot(path: &Path) -> PathBuf {
    path.components().collect()
}

fn missing(path: &Path) -> Error {
    Error::new(Problem::Inside(InsideProblem::NothingThere { path: path.display().to_string() }))
}

fn nothing_there(error: Error, path: &Path) -> Error {
    let absent = [ENOENT, ENOTDIR, ELOOP].iter().any(|errno| error.is(*errno));
    let path = path.display().to_string();
    if absent { error.meaning(Problem::Inside(InsideProblem::NothingThere { path })) } else { error }
}
