//! A directory by its descriptor, and what stands in it: openat(2), fstatat(2), readlinkat(2), llistxattr(2).
//!
//! Each request names one entry of one open directory, and follows no link. So whatever somebody else renames or links
//! meanwhile, the walk through a tree that they may write to stays in that tree.

use super::call::Value;
use super::file::{self, Kind, errno};
use super::flags::{self, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK};
use super::inode::{self, Inode};
use super::{Call, Request, ask};
use crate::error::{Error, Problem, Result};
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::Mode;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    descriptor: OwnedFd,
    /// The name it was reached by, for people.
    path: PathBuf,
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Read the next of an open file.
#[derive(Debug)]
struct Take<'a> {
    path: &'a Path,
    most: usize,
}

impl Request for Take<'_> {
    fn name(&self) -> &'static str {
        "read"
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        each("path", Value::Path(self.path));
        each("count", Value::Number(self.most as i64));
    }

    fn only_looks(&self) -> bool {
        true
    }
}

impl Directory {
    /// Open the directory at `path`, which is trusted: links in it are followed.
    pub fn open(path: &Path) -> Result<Self> {
        let descriptor = file::open_file(path, O_DIRECTORY, 0)?;
        Ok(Self { descriptor, path: path.to_owned() })
    }

    /// Open the directory `name` in this one. `ELOOP` or `ENOTDIR` when it is none, or a link.
    pub fn enter(&self, name: &OsStr) -> Result<Self> {
        let descriptor = self.open_entry(name, O_DIRECTORY | O_NOFOLLOW)?;
        Ok(Self { descriptor, path: self.path.join(name) })
    }

    /// An open directory, by the name it was reached by.
    pub(super) fn of(descriptor: OwnedFd, path: PathBuf) -> Self {
        Self { descriptor, path }
    }

    /// The name it was reached by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names in it, sorted, without `.` and `..`.
    pub fn list(&self) -> Result<Vec<(OsString, bool)>> {
        ask(Call::Getdents { path: &self.path }, || super::remove::names_in(self.descriptor.as_fd()))
    }

    /// Look at `name`, be it a link (`AT_SYMLINK_NOFOLLOW`).
    pub fn inode(&self, name: &OsStr) -> Result<Inode> {
        inode::looked_at(&self.path.join(name), || {
            nix::sys::stat::fstatat(&self.descriptor, name, AtFlags::AT_SYMLINK_NOFOLLOW)
        })
    }

    /// Look at `name`; `None` when there is nothing of that name.
    pub fn inode_if_there(&self, name: &OsStr) -> Result<Option<Inode>> {
        file::if_there(self.inode(name))
    }

    /// What the symbolic link `name` says.
    pub fn readlink(&self, name: &OsStr) -> Result<PathBuf> {
        let path = &self.path.join(name);
        ask(Call::Readlink { path }, || nix::fcntl::readlinkat(&self.descriptor, name).map(PathBuf::from))
    }

    /// The extended attributes of `name` itself that this process may see. There is no call for an entry of an open
    /// directory before Linux 6.13, so the directory is named by what `/proc` has for its descriptor.
    pub fn attributes(&self, name: &OsStr) -> Result<BTreeMap<String, Vec<u8>>> {
        let path = PathBuf::from(format!("/proc/self/fd/{}", self.descriptor.as_raw_fd())).join(name);
        let mut attributes = BTreeMap::new();
        for name in inode::attribute_names(&path)? {
            if let Some(value) = inode::attribute(&path, &name)? {
                attributes.insert(name, value);
            }
        }
        Ok(attributes)
    }

    /// The extended attributes of this directory that this process may see.
    pub fn own_attributes(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        inode::descriptor_attributes(self.descriptor.as_fd(), &self.path)
    }

    /// Open the regular file `name` for reading; `NotAFile` when it is anything else. Nobody is waited for.
    pub fn file(&self, name: &OsStr) -> Result<Contents> {
        let file = File::from(self.open_entry(name, O_NOFOLLOW | O_NONBLOCK)?);
        let path = self.path.join(name);
        let status = file::descriptor_status(file.as_fd(), &path)?;
        match status.kind {
            Kind::File => Ok(Contents { file, path, size: status.size }),
            _ => Err(Error::new(Problem::NotAFile { path: path.display().to_string() })),
        }
    }

    fn open_entry(&self, name: &OsStr, bits: u64) -> Result<OwnedFd> {
        let (path, bits) = (&self.path.join(name), bits | O_CLOEXEC);
        ask(Call::Open { path, flags: flags::open(bits) }, || {
            let flags = OFlag::from_bits_retain(bits as i32);
            nix::fcntl::openat(&self.descriptor, name, flags, Mode::empty())
        })
    }
}

/// An open regular file, read from its beginning.
#[derive(Debug)]
pub struct Contents {
    file: File,
    path: PathBuf,
    size: u64,
}

impl Contents {
    /// How long it was when it was opened.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The next bytes; 0 at its end.
    pub fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        let (path, most) = (&self.path, room.len());
        let file = &mut self.file;
        ask(Call::Other(&Take { path, most }), || {
            loop {
                match file.read(room) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    answer => break answer.map_err(|error| errno(&error)),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_is_followed() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join("in/d")).unwrap();
        std::fs::write(top.path().join("secret"), "secret").unwrap();
        symlink("../secret", top.path().join("in/file")).unwrap();
        symlink("..", top.path().join("in/up")).unwrap();
        let directory = Directory::open(&top.path().join("in")).unwrap();
        assert!(directory.file("file".as_ref()).is_err() && directory.enter("up".as_ref()).is_err());
        assert_eq!(directory.readlink("up".as_ref()).unwrap(), Path::new(".."));
        assert_eq!(directory.inode("up".as_ref()).unwrap().status.kind, Kind::Link);
        assert!(directory.file("d".as_ref()).is_err() && directory.enter("d".as_ref()).is_ok());
        let names: Vec<OsString> = directory.list().unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["d", "file", "up"]);
    }

    #[test]
    fn a_file_is_read_to_its_end() {
        let top = tempfile::tempdir().unwrap();
        std::fs::write(top.path().join("f"), "12345").unwrap();
        let mut contents = Directory::open(top.path()).unwrap().file("f".as_ref()).unwrap();
        let mut room = [0; 4];
        let mut read = || contents.read(&mut room).unwrap();
        assert_eq!((read(), read(), read()), (4, 1, 0));
        assert_eq!(contents.size(), 5);
    }
}
