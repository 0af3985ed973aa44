//! A stream, as files at a place. It is believed in nothing: what it names is made in the directory where it shall be, or
//! below, and nowhere else.

use super::Landing;
use crate::error::{Error, InsideProblem, Problem, Result};
use crate::overlay::tree::{Node, What};
use crate::overlay::ustar::{Members, Source};
use crate::sys::errno::{EEXIST, ELOOP, ENOENT, ENOTDIR};
use crate::sys::file::Kind;
use crate::sys::plant::{Bounds, Dress};
use crate::sys::within::Directory;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Whom the copies are to belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Whoever makes them. Nobody else's right comes along either: set-user-id and set-group-id are taken away.
    Maker,
    /// This user and group.
    These(u32, u32),
    /// Whom the stream says.
    Same,
}

/// What was made of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Made {
    /// Bytes of contents.
    pub bytes: u64,
    /// Device nodes that were left out.
    pub left_out: usize,
}

/// How much of a file is in memory at a time.
const ROOM: usize = 128 << 10;

/// Make the members of the stream `source` in the directory of `landing`. The way to each is looked up within `bounds`,
/// from there. Files that are there are replaced, directories are kept and what comes is added; neither takes the place
/// of the other: `FileOverDirectory`, `DirectoryOverFile`. All of the stream is read.
///
/// On entry the umask is 0.
pub fn unpack(landing: &Landing, bounds: Bounds, owner: Owner, source: &mut Source<'_>) -> Result<Made> {
    let mut unpack =
        Unpack { top: &landing.directory, bounds, owner, directories: Vec::new(), made: Made::default() };
    let mut members = Members::new(source);
    while let Some((node, size)) = members.advance()? {
        unpack.member(&node, size, &mut members)?;
    }
    members.drain()?;
    unpack.dress_directories()?;
    Ok(unpack.made)
}

struct Unpack<'a> {
    top: &'a Directory,
    bounds: Bounds,
    owner: Owner,
    /// Directories, and what they are to have when nothing more is made in them.
    directories: Vec<(PathBuf, Dress)>,
    made: Made,
}

impl Unpack<'_> {
    fn member(&mut self, node: &Node, size: u64, members: &mut Members<'_>) -> Result<()> {
        let (above, Some(name)) = (node.path.parent().unwrap_or(Path::new("")), node.path.file_name()) else {
            return Ok(());
        };
        if let What::Character(..) = node.what {
            self.made.left_out += 1;
            return Ok(());
        }
        let directory = self.directory(above)?;
        let dress = self.dress(node);
        if node.what == What::Directory {
            make_directory(&directory, name)?;
            self.directories.push((node.path.clone(), dress));
            return Ok(());
        }
        make_way(&directory, name)?;
        match &node.what {
            What::File(_) => {
                let mut file = directory.create(name, 0o600)?;
                let mut room = vec![0; ROOM.min(usize::try_from(size).unwrap_or(ROOM)).max(1)];
                loop {
                    match members.read(&mut room)? {
                        0 => break,
                        length => file.write(&room[..length])?,
                    }
                }
                self.made.bytes += size;
                file.dress(dress)
            }
            What::Link(target) => {
                directory.symlink(name, target)?;
                directory.dress_entry(name, dress)
            }
            What::Pipe => {
                directory.make_fifo(name, dress.mode.unwrap_or(0o600))?;
                directory.dress_entry(name, dress)
            }
            What::Same(first) => self.link(&directory, name, first),
            What::Directory | What::Character(..) => Ok(()),
        }
    }

    /// Another name for a file that came earlier.
    fn link(&self, directory: &Directory, name: &OsStr, first: &Path) -> Result<()> {
        let above = self.directory(first.parent().unwrap_or(Path::new("")))?;
        directory.link(name, &above, first.file_name().unwrap_or_default())
    }

    /// The directory at `path` below the top. Those that are missing are made.
    fn directory(&self, path: &Path) -> Result<Directory> {
        match self.top.find(path, self.bounds) {
            Err(error) if error.is(ENOENT) => {}
            Err(error) if error.is(ENOTDIR) || error.is(ELOOP) => {
                return Err(over(error, path, |path| InsideProblem::DirectoryOverFile { path }));
            }
            answer => return answer,
        }
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
            return self.top.find(path, self.bounds);
        };
        make_directory(&self.directory(above)?, name)?;
        self.top.find(path, self.bounds)
    }

    fn dress(&self, node: &Node) -> Dress {
        const SET_ID: u32 = 0o6000;
        let (owner, mode) = match self.owner {
            Owner::Maker => (None, node.mode & !SET_ID),
            Owner::These(uid, gid) => (Some((uid, gid)), node.mode),
            Owner::Same => (Some(node.owner), node.mode),
        };
        Dress { owner, mode: Some(mode), modified: node.modified }
    }

    /// What is made in a directory changes its time, and needs its mode to allow that: so the innermost are last.
    fn dress_directories(&self) -> Result<()> {
        for (path, dress) in self.directories.iter().rev() {
            self.top.find(path, self.bounds)?.dress(*dress)?;
        }
        Ok(())
    }
}

/// Make a directory; one that is there is kept, and anything else in its place is not replaced.
fn make_directory(directory: &Directory, name: &OsStr) -> Result<()> {
    match directory.make_directory(name, 0o700) {
        Err(error) if error.is(EEXIST) => {
            let inode = directory.inode(name)?;
            if inode.status.kind == Kind::Directory {
                return Ok(());
            }
            let path = directory.path().join(name);
            Err(over(error, &path, |path| InsideProblem::DirectoryOverFile { path }))
        }
        answer => answer,
    }
}

/// Remove what has the name that something else is about to get. A directory stays.
fn make_way(directory: &Directory, name: &OsStr) -> Result<()> {
    match directory.inode_if_there(name)? {
        None => Ok(()),
        Some(inode) if inode.status.kind == Kind::Directory => {
            let path = directory.path().join(name).display().to_string();
            Err(Error::new(Problem::Inside(InsideProblem::FileOverDirectory { path })))
        }
        Some(_) => directory.unlink(name),
    }
}

fn over(error: Error, path: &Path, problem: impl FnOnce(String) -> InsideProblem) -> Error {
    Error { problem: Problem::Inside(problem(path.display().to_string())), ..error }
}

#[cfg(test)]
mod tests;
