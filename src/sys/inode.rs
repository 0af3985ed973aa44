//! Inodes in full, and the calls that shape them byte by byte: lstat(2), statfs(2), pwrite(2), truncate(2), link(2),
//! mknod(2), utimensat(2), and the extended attributes of a name that may itself be a link: llistxattr(2),
//! lgetxattr(2), lsetxattr(2).
#![allow(unsafe_code)]

use super::call::Value;
use super::file::{Status, errno};
use super::{Call, Request, ask};
use crate::error::{Error, Problem, Result};
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{FileStat, Mode, SFlag, UtimensatFlags};
use nix::sys::time::TimeSpec;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// What is asked of an inode.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the fields are the arguments of the manual pages")]
pub enum Asked<'a> {
    Statfs { path: &'a Path },
    Write { path: &'a Path, bytes: usize },
    Pwrite { path: &'a Path, bytes: usize, offset: u64 },
    Truncate { path: &'a Path, length: u64 },
    Link { from: &'a Path, to: &'a Path },
    Mkfifo { path: &'a Path, mode: u32 },
    MknodBlock { path: &'a Path, mode: u32, major: u32, minor: u32 },
    Fgetxattr { path: &'a Path },
    Utimensat { path: &'a Path, seconds: i64 },
    Llistxattr { path: &'a Path },
    Lgetxattr { path: &'a Path, name: &'a str },
    Lsetxattr { path: &'a Path, name: &'a str, value: &'a [u8] },
}

impl Request for Asked<'_> {
    fn name(&self) -> &'static str {
        match self {
            Asked::Statfs { .. } => "statfs",
            Asked::Write { .. } => "write",
            Asked::Pwrite { .. } => "pwrite",
            Asked::Truncate { .. } => "truncate",
            Asked::Link { .. } => "link",
            Asked::Mkfifo { .. } => "mkfifo",
            Asked::MknodBlock { .. } => "mknod",
            Asked::Fgetxattr { .. } => "fgetxattr",
            Asked::Utimensat { .. } => "utimensat",
            Asked::Llistxattr { .. } => "llistxattr",
            Asked::Lgetxattr { .. } => "lgetxattr",
            Asked::Lsetxattr { .. } => "lsetxattr",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        use Value as V;
        match *self {
            Asked::Statfs { path } | Asked::Llistxattr { path } | Asked::Fgetxattr { path } => {
                each("path", V::Path(path));
            }
            Asked::Write { path, bytes } => {
                each("path", V::Path(path));
                each("count", V::Number(bytes as i64));
            }
            Asked::Pwrite { path, bytes, offset } => {
                each("path", V::Path(path));
                each("count", V::Number(bytes as i64));
                each("offset", V::Number(offset as i64));
            }
            Asked::Truncate { path, length } => {
                each("path", V::Path(path));
                each("length", V::Number(length as i64));
            }
            Asked::Link { from, to } => {
                each("oldpath", V::Path(from));
                each("newpath", V::Path(to));
            }
            Asked::Mkfifo { path, mode } => {
                each("pathname", V::Path(path));
                each("mode", V::Octal(mode));
            }
            Asked::MknodBlock { path, mode, major, minor } => {
                each("path", V::Path(path));
                each("mode", V::Octal(libc::S_IFBLK | mode));
                each("major", V::Number(major.into()));
                each("minor", V::Number(minor.into()));
            }
            Asked::Utimensat { path, seconds } => {
                each("path", V::Path(path));
                each("mtime", V::Number(seconds));
                each("flags", V::Symbol("AT_SYMLINK_NOFOLLOW"));
            }
            Asked::Lgetxattr { path, name } => {
                each("path", V::Path(path));
                each("name", V::Text(name));
            }
            Asked::Lsetxattr { path, name, value } => {
                each("path", V::Path(path));
                each("name", V::Text(name));
                match std::str::from_utf8(value) {
                    Ok(text) => each("value", V::Text(text)),
                    Err(_) => each("size", V::Number(value.len() as i64)),
                }
            }
        }
    }

    fn only_looks(&self) -> bool {
        matches!(
            self,
            Asked::Statfs { .. }
                | Asked::Llistxattr { .. }
                | Asked::Lgetxattr { .. }
                | Asked::Fgetxattr { .. }
        )
    }
}

/// All that lstat(2) says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inode {
    /// Kind, mode, owner, size, identity, device numbers.
    pub status: Status,
    /// How many names it has.
    pub links: u64,
    /// What it takes of its file system, in units of 512 bytes; holes take nothing.
    pub blocks: u64,
    /// When its contents were last changed: seconds since 1970, and nanoseconds.
    pub modified: (i64, i64),
}

impl Inode {
    /// Its number.
    pub fn number(&self) -> u64 {
        self.status.identity.1
    }
}

/// Look at `path` itself, be it a link.
pub fn inode(path: &Path) -> Result<Inode> {
    looked_at(path, || nix::sys::stat::lstat(path))
}

/// What `stat` says of the name `path`.
#[allow(clippy::unnecessary_cast, reason = "64 bits on x86_64, 32 on aarch64")]
pub(super) fn looked_at(path: &Path, stat: impl FnOnce() -> nix::Result<FileStat>) -> Result<Inode> {
    let mut inode = None;
    ask(Call::Stat { path }, || {
        let stat = stat()?;
        inode = Some(Inode {
            status: Status::from(&stat),
            links: stat.st_nlink as u64,
            blocks: stat.st_blocks as u64,
            modified: (stat.st_mtime, stat.st_mtime_nsec),
        });
        Ok(())
    })?;
    inode.ok_or_else(|| Error::new(Problem::Refused))
}

/// How many bytes of the file system that holds `path` are taken.
pub fn used_bytes(path: &Path) -> Result<u64> {
    let used = ask(Call::Other(&Asked::Statfs { path }), || {
        let space = nix::sys::statfs::statfs(path)?;
        Ok((space.blocks() - space.blocks_free()) as i64 * space.block_size() as i64)
    })?;
    Ok(used as u64)
}

/// Make the file at `path`, which must not be there, of these bytes.
pub fn create(path: &Path, contents: &[u8], mode: u32) -> Result<()> {
    ask(Call::Other(&Asked::Write { path, bytes: contents.len() }), || {
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)
            .map_err(|error| errno(&error))?;
        file.write_all(contents).map_err(|error| errno(&error))
    })
}

/// Write behind the end of the file at `path`, which must be there (`O_APPEND`).
pub fn append(path: &Path, contents: &[u8]) -> Result<()> {
    ask(Call::Other(&Asked::Write { path, bytes: contents.len() }), || {
        let mut file = File::options().append(true).open(path).map_err(|error| errno(&error))?;
        file.write_all(contents).map_err(|error| errno(&error))
    })
}

/// Write at `offset` of the file at `path`, which must be there.
pub fn write_at(path: &Path, contents: &[u8], offset: u64) -> Result<()> {
    ask(Call::Other(&Asked::Pwrite { path, bytes: contents.len(), offset }), || {
        let file = File::options().write(true).open(path).map_err(|error| errno(&error))?;
        file.write_all_at(contents, offset).map_err(|error| errno(&error))
    })
}

/// Let the file at `path` be `length` bytes long: cut it off, or add a hole.
pub fn truncate(path: &Path, length: u64) -> Result<()> {
    ask(Call::Other(&Asked::Truncate { path, length }), || nix::unistd::truncate(path, length as i64))
}

/// Give the file at `from` another name, `to`. Both are equal afterwards.
pub fn link(from: &Path, to: &Path) -> Result<()> {
    ask(Call::Other(&Asked::Link { from, to }), || {
        std::fs::hard_link(from, to).map_err(|error| errno(&error))
    })
}

/// Make a pipe with a name.
pub fn mkfifo(path: &Path, mode: u32) -> Result<()> {
    ask(Call::Other(&Asked::Mkfifo { path, mode }), || {
        nix::sys::stat::mknod(path, SFlag::S_IFIFO, Mode::from_bits_retain(mode), 0)
    })
}

/// Make a block device node. Needs CAP_MKNOD in the initial user namespace, else `EPERM`.
pub fn mknod_block(path: &Path, mode: u32, major: u32, minor: u32) -> Result<()> {
    ask(Call::Other(&Asked::MknodBlock { path, mode, major, minor }), || {
        let device = nix::sys::stat::makedev(major.into(), minor.into());
        nix::sys::stat::mknod(path, SFlag::S_IFBLK, Mode::from_bits_retain(mode), device)
    })
}

/// Set when `path` itself was last changed, as seconds and nanoseconds; when it was last read stays.
pub fn set_modified(path: &Path, (seconds, nanoseconds): (i64, i64)) -> Result<()> {
    ask(Call::Other(&Asked::Utimensat { path, seconds }), || {
        let modified = TimeSpec::new(seconds, nanoseconds);
        let flags = UtimensatFlags::NoFollowSymlink;
        nix::sys::stat::utimensat(AT_FDCWD, path, &TimeSpec::UTIME_OMIT, &modified, flags)
    })
}

/// The longest list of names, and the longest value: XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h.
const LONGEST: usize = 65536;

/// The names of the extended attributes of `path` itself that this process may see, sorted. None on a file system
/// that keeps none.
pub fn attribute_names(path: &Path) -> Result<Vec<String>> {
    let answer = ask(Call::Other(&Asked::Llistxattr { path }), || {
        let (c_path, mut list) = (c_string(path.as_os_str().as_bytes())?, vec![0_u8; LONGEST]);
        // SAFETY: the path ends in NUL, and the buffer is as long as said.
        let length = unsafe { libc::llistxattr(c_path.as_ptr(), list.as_mut_ptr().cast(), list.len()) };
        list.truncate(Errno::result(length)? as usize);
        Ok(list)
    });
    let list = match answer {
        Err(error) if error.is(libc::EOPNOTSUPP) => return Ok(Vec::new()),
        list => list?,
    };
    let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let mut names: Vec<String> = names.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    names.sort();
    Ok(names)
}

/// The extended attribute `name` of `path` itself; `None` when it has none of that name, or may have none.
pub fn attribute(path: &Path, name: &str) -> Result<Option<Vec<u8>>> {
    let answer = ask(Call::Other(&Asked::Lgetxattr { path, name }), || {
        let (c_path, c_name) = (c_string(path.as_os_str().as_bytes())?, c_string(name.as_bytes())?);
        let get = |room: *mut u8, size: usize| {
            // SAFETY: both names end in NUL; `room` has `size` bytes, and of size 0 nothing is written.
            Errno::result(unsafe { libc::lgetxattr(c_path.as_ptr(), c_name.as_ptr(), room.cast(), size) })
        };
        let mut value = vec![0_u8; get(std::ptr::null_mut(), 0)? as usize];
        let length = get(value.as_mut_ptr(), value.len())?;
        value.truncate(length as usize);
        Ok(value)
    });
    match answer {
        Err(error) if error.is(libc::ENODATA) || error.is(libc::EOPNOTSUPP) => Ok(None),
        value => value.map(Some),
    }
}

/// All extended attributes of an open file that this process may see; `path` is the name it was opened by
/// (flistxattr(2), fgetxattr(2)).
pub fn descriptor_attributes(descriptor: BorrowedFd<'_>, path: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut attributes = BTreeMap::new();
    let answer = ask(Call::Other(&Asked::Fgetxattr { path }), || {
        let (descriptor, mut list) = (descriptor.as_raw_fd(), vec![0_u8; LONGEST]);
        // SAFETY: the descriptor is open, and the buffer is as long as said.
        let length = unsafe { libc::flistxattr(descriptor, list.as_mut_ptr().cast(), list.len()) };
        list.truncate(Errno::result(length)? as usize);
        for name in list.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let (c_name, mut value) = (c_string(name)?, vec![0_u8; LONGEST]);
            // SAFETY: as above, and the name ends in NUL.
            let length = unsafe {
                libc::fgetxattr(descriptor, c_name.as_ptr(), value.as_mut_ptr().cast(), value.len())
            };
            value.truncate(Errno::result(length)? as usize);
            attributes.insert(String::from_utf8_lossy(name).into_owned(), value);
        }
        Ok(())
    });
    match answer {
        Err(error) if error.is(libc::EOPNOTSUPP) => Ok(attributes),
        answer => answer.map(|()| attributes),
    }
}

/// Whether the file system of `path` keeps attributes of the class of `name`: one that does not answers
/// `EOPNOTSUPP`.
pub fn keeps_attribute(path: &Path, name: &str) -> Result<bool> {
    let answer = ask(Call::Other(&Asked::Lgetxattr { path, name }), || {
        let (c_path, c_name) = (c_string(path.as_os_str().as_bytes())?, c_string(name.as_bytes())?);
        // SAFETY: both names end in NUL; of size 0 nothing is written.
        let length = unsafe { libc::lgetxattr(c_path.as_ptr(), c_name.as_ptr(), std::ptr::null_mut(), 0) };
        Errno::result(length).map(drop)
    });
    match answer {
        Err(error) if error.is(libc::EOPNOTSUPP) => Ok(false),
        Err(error) if error.is(libc::ENODATA) => Ok(true),
        answer => answer.map(|()| true),
    }
}

/// Set the extended attribute `name` of `path` itself; one that is there is replaced.
pub fn set_attribute(path: &Path, name: &str, value: &[u8]) -> Result<()> {
    ask(Call::Other(&Asked::Lsetxattr { path, name, value }), || {
        let (c_path, c_name) = (c_string(path.as_os_str().as_bytes())?, c_string(name.as_bytes())?);
        let (data, size) = (value.as_ptr().cast(), value.len());
        // SAFETY: both names end in NUL, and the value is as long as said.
        Errno::result(unsafe { libc::lsetxattr(c_path.as_ptr(), c_name.as_ptr(), data, size, 0) }).map(drop)
    })
}

/// A name as C wants it; one with a NUL inside names nothing.
fn c_string(name: &[u8]) -> nix::Result<CString> {
    CString::new(name).map_err(|_| Errno::EINVAL)
}
