//! Copying all that is in one open directory into another: openat(2), mkdirat(2), copy_file_range(2), symlinkat(2),
//! linkat(2), mknodat(2), fchownat(2), fchmod(2), fsetxattr(2), utimensat(2).
//!
//! Every name is asked for in its own directory, which is open, and no link is followed: whoever changes the copy
//! while it is made leads it nowhere else.
#![allow(unsafe_code)]

use super::call::Value;
use super::file::{Kind, Status, errno};
use super::flags::{self, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_WRONLY};
use super::{Call, Request, ask, remove};
use crate::error::{Error, Problem, Result};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{FileStat, Mode, SFlag, UtimensatFlags};
use nix::sys::time::TimeSpec;
use nix::unistd::UnlinkatFlags;
use std::collections::HashMap;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What is asked while copying that no other call says.
#[derive(Debug)]
enum Asked<'a> {
    Link { from: &'a Path, to: &'a Path },
    Mknod { path: &'a Path, mode: u32 },
    Flistxattr { path: &'a Path },
    Fgetxattr { path: &'a Path, name: &'a OsStr },
    Fsetxattr { path: &'a Path, name: &'a OsStr },
    Utimensat { path: &'a Path, seconds: i64 },
}

impl Request for Asked<'_> {
    fn name(&self) -> &'static str {
        match self {
            Asked::Link { .. } => "linkat",
            Asked::Mknod { .. } => "mknodat",
            Asked::Flistxattr { .. } => "flistxattr",
            Asked::Fgetxattr { .. } => "fgetxattr",
            Asked::Fsetxattr { .. } => "fsetxattr",
            Asked::Utimensat { .. } => "utimensat",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        match *self {
            Asked::Link { from, to } => {
                each("oldpath", Value::Path(from));
                each("newpath", Value::Path(to));
            }
            Asked::Mknod { path, mode } => {
                each("path", Value::Path(path));
                each("mode", Value::Octal(mode));
            }
            Asked::Flistxattr { path } => each("path", Value::Path(path)),
            Asked::Fgetxattr { path, name } | Asked::Fsetxattr { path, name } => {
                each("path", Value::Path(path));
                each("name", Value::Path(Path::new(name)));
            }
            Asked::Utimensat { path, seconds } => {
                each("path", Value::Path(path));
                each("mtime", Value::Number(seconds));
            }
        }
    }

    fn only_looks(&self) -> bool {
        matches!(self, Asked::Flistxattr { .. } | Asked::Fgetxattr { .. })
    }
}

/// Open the directory `name` of `directory`, not following a link. `path` is for people, as everywhere here.
pub fn open_below(directory: BorrowedFd<'_>, name: &Path, path: &Path) -> Result<OwnedFd> {
    open(directory, name.as_os_str(), path, O_DIRECTORY)
}

/// Whether `directory` has something called `name`.
pub fn is_there(directory: BorrowedFd<'_>, name: &Path, path: &Path) -> Result<bool> {
    Ok(super::file::if_there(look(directory, name.as_os_str(), path))?.is_some())
}

/// Remove a name of `directory` that is not a directory's.
pub fn unlink_at(directory: BorrowedFd<'_>, name: &Path, path: &Path) -> Result<()> {
    ask(Call::Unlink { path }, || nix::unistd::unlinkat(directory, name, UnlinkatFlags::NoRemoveDir))
}

/// Copy everything that is in the directory `from` into `to`, with owners, modes, times, links and attributes, and
/// give `to` the owner and the mode of `from`. What an interrupted copy left in `to` is replaced. Sockets are left out.
pub fn copy_tree(from: BorrowedFd<'_>, from_name: &Path, to: BorrowedFd<'_>, to_name: &Path) -> Result<()> {
    let mut copy = Copy { names: HashMap::new() };
    let place = Place { from, to, from_name: from_name.to_owned(), to_name: to_name.to_owned() };
    copy.directory(&place)?;
    let status = ask_stat(from_name, || nix::sys::stat::fstat(from))?;
    dress(to, &place.to_name, Some(from), &status)
}

/// Two directories that belong to each other, with their names for people.
struct Place<'a> {
    from: BorrowedFd<'a>,
    to: BorrowedFd<'a>,
    from_name: PathBuf,
    to_name: PathBuf,
}

/// How many files with several names are remembered, each by a descriptor; of more, each name becomes a file.
const REMEMBERED: usize = 256;

struct Copy {
    /// Of the files that have several names: the copy, and the name it got first.
    names: HashMap<(u64, u64), (OwnedFd, PathBuf)>,
}

impl Copy {
    fn directory(&mut self, place: &Place<'_>) -> Result<()> {
        for (name, _) in remove::list(place.from, &place.from_name)? {
            self.name(place, &name)?;
        }
        Ok(())
    }

    fn name(&mut self, place: &Place<'_>, name: &OsStr) -> Result<()> {
        let (from, to) = (&place.from_name.join(name), &place.to_name.join(name));
        let status = look(place.from, name, from)?;
        let identity = (status.st_dev, status.st_ino);
        let kind = Status::from(&status).kind;
        if kind != Kind::Directory && status.st_nlink > 1 {
            if let Some((first, first_name)) = self.names.get(&identity) {
                return anew(place.to, name, to, || link(first.as_fd(), first_name, place.to, name, to));
            }
        }
        match kind {
            Kind::Directory => return self.below(place, name, &status),
            Kind::File => anew(place.to, name, to, || copy_file(place, name, &status))?,
            Kind::Link => {
                let target = ask(Call::Readlink { path: from }, || {
                    nix::fcntl::readlinkat(place.from, name).map(PathBuf::from)
                })?;
                anew(place.to, name, to, || {
                    let (target, link) = (target.as_path(), to.as_path());
                    ask(Call::Symlink { target, link }, || nix::unistd::symlinkat(target, place.to, name))
                })?;
                dress_name(place.to, name, to, &status)?;
            }
            _ if status.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFSOCK.bits() => return Ok(()),
            _ => {
                anew(place.to, name, to, || make_node(place.to, name, to, &status))?;
                dress_name(place.to, name, to, &status)?;
            }
        }
        if status.st_nlink > 1 && self.names.len() < REMEMBERED {
            self.names.insert(identity, (open(place.to, name, to, O_PATH)?, to.clone()));
        }
        Ok(())
    }

    fn below(&mut self, place: &Place<'_>, name: &OsStr, status: &FileStat) -> Result<()> {
        let (from_name, to_name) = (place.from_name.join(name), place.to_name.join(name));
        let from = open(place.from, name, &from_name, O_DIRECTORY)?;
        let path = to_name.as_path();
        let made =
            ask(Call::Mkdir { path, mode: 0o700 }, || nix::sys::stat::mkdirat(place.to, name, Mode::S_IRWXU));
        match made {
            Err(error) if error.is(libc::EEXIST) => {}
            answer => answer?,
        }
        let to = open(place.to, name, &to_name, O_DIRECTORY)?;
        let inner = Place { from: from.as_fd(), to: to.as_fd(), from_name, to_name };
        self.directory(&inner)?;
        dress(to.as_fd(), &inner.to_name, Some(from.as_fd()), status)
    }
}

/// Make something called `name`; what an interrupted copy left there goes first.
fn anew<T>(to: BorrowedFd<'_>, name: &OsStr, path: &Path, make: impl Fn() -> Result<T>) -> Result<T> {
    match make() {
        Err(error) if error.is(libc::EEXIST) => {
            unlink_at(to, Path::new(name), path)?;
            make()
        }
        answer => answer,
    }
}

fn open(directory: BorrowedFd<'_>, name: &OsStr, path: &Path, bits: u64) -> Result<OwnedFd> {
    // A pipe would make open(2) wait for a writer, were it put in the place of a file.
    let bits = bits | O_NOFOLLOW | O_CLOEXEC | if bits & O_PATH == 0 { O_NONBLOCK } else { 0 };
    ask(Call::Open { path, flags: flags::open(bits) }, || {
        nix::fcntl::openat(
            directory,
            name,
            OFlag::from_bits_retain(bits as i32),
            Mode::S_IRUSR | Mode::S_IWUSR,
        )
    })
}

fn look(directory: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<FileStat> {
    ask_stat(path, || nix::sys::stat::fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW))
}

fn ask_stat(path: &Path, stat: impl FnOnce() -> nix::Result<FileStat>) -> Result<FileStat> {
    let mut status = None;
    ask(Call::Stat { path }, || {
        status = Some(stat()?);
        Ok(())
    })?;
    status.ok_or_else(|| Error::new(Problem::Refused))
}

fn copy_file(place: &Place<'_>, name: &OsStr, status: &FileStat) -> Result<()> {
    let (from_name, to_name) = (&place.from_name.join(name), &place.to_name.join(name));
    let mut from = File::from(open(place.from, name, from_name, 0)?);
    let mut to = File::from(open(place.to, name, to_name, O_WRONLY | O_CREAT | O_EXCL)?);
    ask(Call::Copy { from: from_name, to: to_name }, || {
        std::io::copy(&mut from, &mut to).map(drop).map_err(|error| errno(&error))
    })?;
    dress(to.as_fd(), to_name, Some(from.as_fd()), status)
}

fn link(
    first: BorrowedFd<'_>,
    first_name: &Path,
    to: BorrowedFd<'_>,
    name: &OsStr,
    path: &Path,
) -> Result<()> {
    ask(Call::Other(&Asked::Link { from: first_name, to: path }), || {
        // The very file that the descriptor is of, whatever its names lead to by now.
        let itself = format!("/proc/self/fd/{}", first.as_raw_fd());
        nix::unistd::linkat(super::file::HERE, itself.as_str(), to, name, AtFlags::AT_SYMLINK_FOLLOW)
    })
}

fn make_node(to: BorrowedFd<'_>, name: &OsStr, path: &Path, status: &FileStat) -> Result<()> {
    let mode = status.st_mode & 0o7777;
    ask(Call::Other(&Asked::Mknod { path, mode }), || {
        let kind = SFlag::from_bits_truncate(status.st_mode & SFlag::S_IFMT.bits());
        nix::sys::stat::mknodat(to, name, kind, Mode::from_bits_retain(mode), status.st_rdev)
    })
}

/// Give a copy, which is open, the owner, the mode, the attributes and the time of `like`, in this order: a new owner
/// takes set-user-id away, and each change but the last changes the time.
fn dress(to: BorrowedFd<'_>, path: &Path, from: Option<BorrowedFd<'_>>, like: &FileStat) -> Result<()> {
    let (uid, gid) = (like.st_uid, like.st_gid);
    let now = ask_stat(path, || nix::sys::stat::fstat(to))?;
    if (now.st_uid, now.st_gid) != (uid, gid) {
        ask(Call::Chown { path, uid, gid }, || nix::unistd::fchown(to, Some(uid.into()), Some(gid.into())))?;
    }
    let mode = like.st_mode & 0o7777;
    ask(Call::Chmod { path, mode }, || nix::sys::stat::fchmod(to, Mode::from_bits_retain(mode)))?;
    if let Some(from) = from {
        copy_attributes(from, to, path)?;
    }
    let seconds = like.st_mtime;
    ask(Call::Other(&Asked::Utimensat { path, seconds }), || {
        nix::sys::stat::futimens(to, &TimeSpec::UTIME_OMIT, &TimeSpec::new(seconds, like.st_mtime_nsec))
    })
}

/// The same of a name that cannot be opened: a link, a pipe, a device.
fn dress_name(to: BorrowedFd<'_>, name: &OsStr, path: &Path, like: &FileStat) -> Result<()> {
    let (uid, gid) = (like.st_uid, like.st_gid);
    let now = look(to, name, path)?;
    if (now.st_uid, now.st_gid) != (uid, gid) {
        ask(Call::Chown { path, uid, gid }, || {
            let (uid, gid) = (Some(uid.into()), Some(gid.into()));
            nix::unistd::fchownat(to, name, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW)
        })?;
    }
    let seconds = like.st_mtime;
    ask(Call::Other(&Asked::Utimensat { path, seconds }), || {
        let time = TimeSpec::new(seconds, like.st_mtime_nsec);
        nix::sys::stat::utimensat(to, name, &TimeSpec::UTIME_OMIT, &time, UtimensatFlags::NoFollowSymlink)
    })
}

/// Labels that the security module gives by itself, by where a file stands.
const LABEL: &[u8] = b"security.selinux";

fn copy_attributes(from: BorrowedFd<'_>, to: BorrowedFd<'_>, path: &Path) -> Result<()> {
    let list = match ask(Call::Other(&Asked::Flistxattr { path }), || list_attributes(from)) {
        // A file system that keeps no such attributes.
        Err(error) if error.is(libc::EOPNOTSUPP) => return Ok(()),
        list => list?,
    };
    let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty() && *name != LABEL);
    for name in names.map(OsStr::from_bytes) {
        let value = ask(Call::Other(&Asked::Fgetxattr { path, name }), || attribute(from, name))?;
        let set = ask(Call::Other(&Asked::Fsetxattr { path, name }), || set_attribute(to, name, &value));
        match set {
            Err(error) if error.is(libc::EOPNOTSUPP) => {}
            answer => answer?,
        }
    }
    Ok(())
}

/// The longest list of names, and the longest value: XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h.
const LONGEST: usize = 65536;

/// The names, each ended by a zero byte.
fn list_attributes(file: BorrowedFd<'_>) -> nix::Result<Vec<u8>> {
    // SAFETY: of size 0 nothing is written.
    if Errno::result(unsafe { libc::flistxattr(file.as_raw_fd(), std::ptr::null_mut(), 0) })? == 0 {
        return Ok(Vec::new());
    }
    let mut list = vec![0_u8; LONGEST];
    // SAFETY: the buffer is as long as said.
    let length = unsafe { libc::flistxattr(file.as_raw_fd(), list.as_mut_ptr().cast(), list.len()) };
    list.truncate(Errno::result(length)? as usize);
    Ok(list)
}

fn attribute(file: BorrowedFd<'_>, name: &OsStr) -> nix::Result<Vec<u8>> {
    let name = CString::new(name.as_bytes()).map_err(|_| Errno::EINVAL)?;
    let mut value = vec![0_u8; LONGEST];
    let (room, size) = (value.as_mut_ptr().cast(), value.len());
    // SAFETY: the name ends in NUL, and the buffer is as long as said.
    let length = unsafe { libc::fgetxattr(file.as_raw_fd(), name.as_ptr(), room, size) };
    value.truncate(Errno::result(length)? as usize);
    Ok(value)
}

fn set_attribute(file: BorrowedFd<'_>, name: &OsStr, value: &[u8]) -> nix::Result<()> {
    let name = CString::new(name.as_bytes()).map_err(|_| Errno::EINVAL)?;
    let (data, size) = (value.as_ptr().cast(), value.len());
    // SAFETY: the name ends in NUL, and the value is as long as said.
    Errno::result(unsafe { libc::fsetxattr(file.as_raw_fd(), name.as_ptr(), data, size, 0) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn copied(from: &Path, to: &Path) -> Result<()> {
        let open = |path: &Path| file::open_file(path, O_DIRECTORY, 0).unwrap();
        copy_tree(open(from).as_fd(), from, open(to).as_fd(), to)
    }

    #[test]
    fn everything_is_copied_as_it_is() {
        let top = tempfile::tempdir().unwrap();
        let (from, to) = (top.path().join("from"), top.path().join("to"));
        std::fs::create_dir_all(from.join("d/e")).unwrap();
        std::fs::create_dir(&to).unwrap();
        std::fs::write(from.join("d/file"), "text").unwrap();
        std::fs::set_permissions(from.join("d/file"), PermissionsExt::from_mode(0o4751)).unwrap();
        std::fs::hard_link(from.join("d/file"), from.join("again")).unwrap();
        symlink("/etc/passwd", from.join("link")).unwrap();
        nix::unistd::mkfifo(&from.join("pipe"), Mode::S_IRWXU).unwrap();
        std::fs::set_permissions(&from, PermissionsExt::from_mode(0o1777)).unwrap();
        // An interrupted copy left this.
        std::fs::create_dir_all(to.join("d")).unwrap();
        std::fs::write(to.join("d/file"), "te").unwrap();
        symlink("elsewhere", to.join("link")).unwrap();
        copied(&from, &to).unwrap();
        let file = std::fs::metadata(to.join("d/file")).unwrap();
        assert_eq!(std::fs::read(to.join("d/file")).unwrap(), b"text");
        assert_eq!((file.mode() & 0o7777, file.nlink()), (0o4751, 2));
        assert_eq!(file.ino(), std::fs::metadata(to.join("again")).unwrap().ino());
        assert_eq!(file.mtime(), std::fs::metadata(from.join("d/file")).unwrap().mtime());
        assert_eq!(std::fs::read_link(to.join("link")).unwrap(), Path::new("/etc/passwd"));
        assert!(to.join("d/e").is_dir() && to.join("pipe").exists());
        assert_eq!(std::fs::metadata(&to).unwrap().mode() & 0o7777, 0o1777);
    }

    #[test]
    fn no_link_in_the_copy_leads_it_elsewhere() {
        let top = tempfile::tempdir().unwrap();
        let (from, to, kept) = (top.path().join("from"), top.path().join("to"), top.path().join("kept"));
        for directory in [&from.join("d"), &to, &kept] {
            std::fs::create_dir_all(directory).unwrap();
        }
        std::fs::write(from.join("d/file"), "text").unwrap();
        symlink(&kept, to.join("d")).unwrap();
        assert!(copied(&from, &to).is_err());
        assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0);
    }
}
