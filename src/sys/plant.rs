//! What is made, dressed and removed in an open directory: openat2(2), mkdirat(2), openat(2), symlinkat(2), linkat(2),
//! mknodat(2), unlinkat(2), fchmod(2), fchown(2), futimens(3) and their kin.
//!
//! As in [`within`](super::within), a request names one entry of one open directory; nothing that is made is looked up a
//! second time by its name, but a link, which is never followed.

use super::call::Value;
use super::file::errno;
use super::flags::{self, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_WRONLY};
use super::within::Directory;
use super::{Call, Request, ask, file};
use crate::error::Result;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag};
use nix::sys::stat::{Mode, SFlag, UtimensatFlags};
use nix::sys::time::TimeSpec;
use nix::unistd::UnlinkatFlags;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// Which links a lookup follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounds {
    /// None, and nothing leads out of the directory where it begins.
    Beneath,
    /// All but the magic links of `/proc`: those lead out of whatever root directory this process has.
    Root,
    /// All.
    Free,
}

impl Bounds {
    fn flags(self) -> (ResolveFlag, &'static str) {
        let (beneath, links, magic) = (
            ResolveFlag::RESOLVE_BENEATH,
            ResolveFlag::RESOLVE_NO_SYMLINKS,
            ResolveFlag::RESOLVE_NO_MAGICLINKS,
        );
        match self {
            Bounds::Beneath => {
                (beneath | links | magic, "RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS|RESOLVE_NO_MAGICLINKS")
            }
            Bounds::Root => (magic, "RESOLVE_NO_MAGICLINKS"),
            Bounds::Free => (ResolveFlag::empty(), "0"),
        }
    }
}

#[derive(Debug)]
enum Asked<'a> {
    Find { above: &'a Path, path: &'a Path, resolve: &'static str },
    Link { from: &'a Path, to: &'a Path },
    Mkfifo { path: &'a Path, mode: u32 },
    Dress { path: &'a Path, owner: Option<(u32, u32)>, mode: Option<u32>, seconds: i64 },
    Write { path: &'a Path, bytes: usize },
}

impl Request for Asked<'_> {
    fn name(&self) -> &'static str {
        match self {
            Asked::Find { .. } => "openat2",
            Asked::Link { .. } => "linkat",
            Asked::Mkfifo { .. } => "mkfifoat",
            Asked::Dress { .. } => "fchown, fchmod, utimensat",
            Asked::Write { .. } => "write",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        use Value as V;
        match *self {
            Asked::Find { above, path, resolve } => {
                each("dirfd", V::Path(above));
                each("path", V::Path(path));
                each("flags", V::Symbol("O_DIRECTORY|O_CLOEXEC"));
                each("resolve", V::Symbol(resolve));
            }
            Asked::Link { from, to } => {
                each("oldpath", V::Path(from));
                each("newpath", V::Path(to));
            }
            Asked::Mkfifo { path, mode } => {
                each("path", V::Path(path));
                each("mode", V::Octal(mode));
            }
            Asked::Dress { path, owner, mode, seconds } => {
                each("path", V::Path(path));
                let (uid, gid) = owner.map_or((-1, -1), |(uid, gid)| (i64::from(uid), i64::from(gid)));
                each("uid", V::Number(uid));
                each("gid", V::Number(gid));
                each("mode", mode.map_or(V::Null, V::Octal));
                each("mtime", V::Number(seconds));
            }
            Asked::Write { path, bytes } => {
                each("path", V::Path(path));
                each("count", V::Number(bytes as i64));
            }
        }
    }

    fn only_looks(&self) -> bool {
        matches!(self, Asked::Find { .. })
    }
}

/// What an entry is to have beside its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dress {
    /// User and group, if they are to change.
    pub owner: Option<(u32, u32)>,
    /// Permission bits, if they are to change; a link has none.
    pub mode: Option<u32>,
    /// When it was last changed: seconds since 1970, and nanoseconds.
    pub modified: (i64, i64),
}

/// The directory at `path`, looked up from the working directory within `bounds` (`Root` or `Free`). `ENOTDIR` when it is
/// none, `ELOOP` when a link that may not be followed stands on the way.
pub fn find(path: &Path, bounds: Bounds) -> Result<Directory> {
    look_up(file::HERE, Path::new(""), path, bounds)
}

fn look_up(from: BorrowedFd<'_>, above: &Path, path: &Path, bounds: Bounds) -> Result<Directory> {
    let (resolve, symbol) = bounds.flags();
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let descriptor = ask(Call::Other(&Asked::Find { above, path, resolve: symbol }), || {
        let flags = OFlag::from_bits_retain((O_DIRECTORY | O_CLOEXEC) as i32);
        let how = OpenHow::new().flags(flags).resolve(resolve);
        loop {
            // EAGAIN: something on the machine was renamed meanwhile, and the kernel cannot vouch for a `..`.
            match nix::fcntl::openat2(from, path, how) {
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                answer => break answer,
            }
        }
    })?;
    Ok(Directory::of(descriptor, above.join(path)))
}

impl Directory {
    /// The directory at `path` below this one; `path` is not absolute.
    pub fn find(&self, path: &Path, bounds: Bounds) -> Result<Self> {
        look_up(self.as_fd(), self.path(), path, bounds)
    }

    /// Make a directory in it.
    pub fn make_directory(&self, name: &OsStr, mode: u32) -> Result<()> {
        file::mkdir_at(self.as_fd(), self.path(), Path::new(name), mode)
    }

    /// Make a regular file in it, to be written; `EEXIST` when there is anything of that name.
    pub fn create(&self, name: &OsStr, mode: u32) -> Result<NewFile> {
        let (path, bits) = (self.path().join(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC);
        let made = ask(Call::Open { path: &path, flags: flags::open(bits) }, || {
            let (flags, mode) = (OFlag::from_bits_retain(bits as i32), Mode::from_bits_retain(mode));
            nix::fcntl::openat(self, name, flags, mode)
        });
        Ok(NewFile { file: File::from(made?), path })
    }

    /// Make a symbolic link in it that says `target`.
    pub fn symlink(&self, name: &OsStr, target: &Path) -> Result<()> {
        let link = &self.path().join(name);
        ask(Call::Symlink { target, link }, || nix::unistd::symlinkat(target, self, name))
    }

    /// Give the entry `old` of `directory`, be it a link, another name in this one.
    pub fn link(&self, name: &OsStr, directory: &Self, old: &OsStr) -> Result<()> {
        let (from, to) = (directory.path().join(old), self.path().join(name));
        ask(Call::Other(&Asked::Link { from: &from, to: &to }), || {
            nix::unistd::linkat(directory, old, self, name, AtFlags::empty())
        })
    }

    /// Make a pipe with a name in it.
    pub fn make_fifo(&self, name: &OsStr, mode: u32) -> Result<()> {
        let path = &self.path().join(name);
        ask(Call::Other(&Asked::Mkfifo { path, mode }), || {
            nix::sys::stat::mknodat(self, name, SFlag::S_IFIFO, Mode::from_bits_retain(mode), 0)
        })
    }

    /// Remove a name that is not a directory's.
    pub fn unlink(&self, name: &OsStr) -> Result<()> {
        let path = &self.path().join(name);
        ask(Call::Unlink { path }, || nix::unistd::unlinkat(self, name, UnlinkatFlags::NoRemoveDir))
    }

    /// Dress this directory itself.
    pub fn dress(&self, dress: Dress) -> Result<()> {
        dress_open(self.as_fd(), self.path(), dress)
    }

    /// Give an entry, be it a link, an owner and a time; of a link the mode means nothing.
    pub fn dress_entry(&self, name: &OsStr, dress: Dress) -> Result<()> {
        let path = &self.path().join(name);
        let Dress { owner, modified, .. } = dress;
        ask(Call::Other(&Asked::Dress { path, owner, mode: None, seconds: modified.0 }), || {
            if let Some((uid, gid)) = owner {
                nix::unistd::fchownat(
                    self,
                    name,
                    Some(uid.into()),
                    Some(gid.into()),
                    AtFlags::AT_SYMLINK_NOFOLLOW,
                )?;
            }
            let modified = TimeSpec::new(modified.0, modified.1);
            let follow = UtimensatFlags::NoFollowSymlink;
            nix::sys::stat::utimensat(self, name, &TimeSpec::UTIME_OMIT, &modified, follow)
        })
    }
}

/// Owner first: a new one takes set-user-id away. The time last: all else may change it.
fn dress_open(descriptor: BorrowedFd<'_>, path: &Path, dress: Dress) -> Result<()> {
    let Dress { owner, mode, modified } = dress;
    ask(Call::Other(&Asked::Dress { path, owner, mode, seconds: modified.0 }), || {
        if let Some((uid, gid)) = owner {
            nix::unistd::fchown(descriptor, Some(uid.into()), Some(gid.into()))?;
        }
        if let Some(mode) = mode {
            nix::sys::stat::fchmod(descriptor, Mode::from_bits_retain(mode))?;
        }
        let modified = TimeSpec::new(modified.0, modified.1);
        nix::sys::stat::futimens(descriptor, &TimeSpec::UTIME_OMIT, &modified)
    })
}

/// A file that was just made.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    path: PathBuf,
}

impl NewFile {
    /// Write behind what was written before.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let (path, file) = (&self.path, &mut self.file);
        ask(Call::Other(&Asked::Write { path, bytes: bytes.len() }), || {
            file.write_all(bytes).map_err(|error| errno(&error))
        })
    }

    /// Dress it.
    pub fn dress(&self, dress: Dress) -> Result<()> {
        dress_open(self.file.as_fd(), &self.path, dress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn nothing_beneath_leads_out() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join("in/d")).unwrap();
        symlink("d", top.path().join("in/here")).unwrap();
        symlink("/", top.path().join("in/out")).unwrap();
        let directory = find(&top.path().join("in"), Bounds::Free).unwrap();
        let find = |path: &str, bounds| directory.find(Path::new(path), bounds).map(drop);
        assert!(find("d", Bounds::Beneath).is_ok() && find("", Bounds::Beneath).is_ok());
        for path in ["here", "out", "..", "d/../.."] {
            assert!(find(path, Bounds::Beneath).is_err(), "{path}");
            assert!(find(path, Bounds::Free).is_ok(), "{path}");
        }
        assert!(find("out/proc/self/cwd", Bounds::Free).is_ok());
        assert!(find("out/proc/self/cwd", Bounds::Root).unwrap_err().is(libc::ELOOP));
        let made = directory.create("f".as_ref(), 0o600);
        assert!(made.is_ok() && directory.create("out".as_ref(), 0o600).unwrap_err().is(libc::EEXIST));
    }
}
