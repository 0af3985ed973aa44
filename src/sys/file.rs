//! Files and directories, `/proc` and cgroup files among them: open(2), openat2(2), read(2), write(2),
//! mkdir(2), mknod(2), symlink(2), rename(2), unlink(2), flock(2) and their kin.

use super::flags::{self, open};
use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::sys::stat::{FileStat, Mode, SFlag};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What an I/O error of the standard library was, as an errno.
pub(super) fn errno(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))
}

/// Open `path` with `flags` (`O_CLOEXEC` is added); a file made by `O_CREAT` gets `mode`.
pub fn open_file(path: &Path, flags: u64, mode: u32) -> Result<OwnedFd> {
    let bits = flags | flags::O_CLOEXEC;
    ask(Call::Open { path, flags: open(bits) }, || {
        nix::fcntl::open(path, OFlag::from_bits_retain(bits as i32), Mode::from_bits_retain(mode))
    })
}

/// The working directory, for [`open_in_root`].
pub const HERE: BorrowedFd<'static> = AT_FDCWD;

/// Open `path` below the directory `root` as if that were the root directory: neither `..` nor an absolute
/// link leads out of it, and the magic links of `/proc` are refused (`ELOOP`). See openat2(2).
///
/// The kernel answers `EAGAIN` when anything on the machine was renamed while it went through a `..`, since it
/// then cannot vouch for the result; the lookup is made again.
pub fn open_in_root(root: BorrowedFd<'_>, root_name: &Path, path: &Path, flags: u64) -> Result<OwnedFd> {
    use nix::fcntl::{OpenHow, ResolveFlag};
    let bits = flags | flags::O_CLOEXEC;
    ask(Call::Openat2 { root: root_name, path, flags: open(bits) }, || {
        let how = OpenHow::new()
            .flags(OFlag::from_bits_retain(bits as i32))
            .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        loop {
            match nix::fcntl::openat2(root, path, how) {
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                answer => break answer,
            }
        }
    })
}

/// The path by which the kernel knows an open file: absolute and free of links (`/proc/self/fd/N`, proc(5)).
pub fn path_of(descriptor: BorrowedFd<'_>) -> Result<PathBuf> {
    use crate::error::{Meaning, Problem};
    use std::os::fd::AsRawFd;
    let path = readlink(&PathBuf::from(format!("/proc/self/fd/{}", descriptor.as_raw_fd())));
    path.meaning(|| Problem::NoProc)
}

/// The contents of the file at `path`, of which at most `limit` bytes are read.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    ask(Call::Read { path }, || {
        // Most files that are read are small: two reads, of which the second finds the end.
        let mut contents = Vec::with_capacity(4096);
        let file = File::open(path).map_err(|error| errno(&error))?;
        file.take(limit).read_to_end(&mut contents).map_err(|error| errno(&error))?;
        Ok(contents)
    })
}

/// The same as text; bytes that are not UTF-8 are replaced. One MiB is enough for every text file we read.
pub fn read_text(path: &Path) -> Result<String> {
    const MIB: u64 = 1 << 20;
    read(path, MIB).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// What was asked of a file that need not be there: `ENOENT` is `None`, every other refusal is an error.
pub fn if_there<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(error) if error.is(super::errno::ENOENT) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Write `contents` into an existing file, in one write(2): the way to speak to `/proc` and to cgroup files.
/// The kernel's verdict on the value is the error.
pub fn write(path: &Path, contents: &str) -> Result<()> {
    ask(Call::Write { path, contents }, || {
        let mut file = File::options().write(true).open(path).map_err(|error| errno(&error))?;
        file.write_all(contents.as_bytes()).map_err(|error| errno(&error))
    })
}

/// Write each of `lines` into an existing file by a write(2) of its own: some kernel files take one entry at a
/// time.
pub fn write_each(path: &Path, lines: &[&str]) -> Result<()> {
    ask(Call::WriteEach { path, lines }, || {
        let mut file = File::options().write(true).open(path).map_err(|error| errno(&error))?;
        lines.iter().try_for_each(|line| file.write_all(line.as_bytes()).map_err(|error| errno(&error)))
    })
}

/// Make the file at `path`, or empty it, and fill it with `contents`.
pub fn write_new(path: &Path, contents: &str, mode: u32) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    ask(Call::Write { path, contents }, || {
        let mut options = File::options();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(path)
            .map_err(|error| errno(&error))?;
        file.write_all(contents.as_bytes()).map_err(|error| errno(&error))
    })
}

/// Make one directory. The mode is subject to the umask.
pub fn mkdir(path: &Path, mode: u32) -> Result<()> {
    ask(Call::Mkdir { path, mode }, || nix::unistd::mkdir(path, Mode::from_bits_retain(mode)))
}

/// Make a directory and those above it that are missing.
pub fn mkdir_all(path: &Path, mode: u32) -> Result<()> {
    match mkdir(path, mode) {
        Err(error) if error.is(super::errno::EEXIST) => Ok(()),
        Err(error) if error.is(super::errno::ENOENT) => {
            let Some(parent) = path.parent() else { return Err(error) };
            mkdir_all(parent, mode)?;
            match mkdir(path, mode) {
                // Somebody else has made it meanwhile.
                Err(error) if error.is(super::errno::EEXIST) => Ok(()),
                answer => answer,
            }
        }
        answer => answer,
    }
}

/// Make one directory below an open one, whose name is `above`.
pub fn mkdir_at(directory: BorrowedFd<'_>, above: &Path, name: &Path, mode: u32) -> Result<()> {
    let path = &above.join(name);
    ask(Call::Mkdir { path, mode }, || nix::sys::stat::mkdirat(directory, name, Mode::from_bits_retain(mode)))
}

/// Make an empty file below an open directory, whose name is `above`; one that exists stays as it is.
pub fn create_at(directory: BorrowedFd<'_>, above: &Path, name: &Path, mode: u32) -> Result<()> {
    let bits = flags::O_WRONLY | flags::O_CREAT | flags::O_NOFOLLOW | flags::O_CLOEXEC;
    let path = &above.join(name);
    ask(Call::Open { path, flags: open(bits) }, || {
        let (bits, mode) = (OFlag::from_bits_retain(bits as i32), Mode::from_bits_retain(mode));
        nix::fcntl::openat(directory, name, bits, mode).map(drop)
    })
}

/// Make a character device node. Needs CAP_MKNOD in the initial user namespace, else `EPERM`.
pub fn mknod_character(path: &Path, mode: u32, major: u32, minor: u32) -> Result<()> {
    ask(Call::Mknod { path, mode, major, minor }, || {
        let device = nix::sys::stat::makedev(major.into(), minor.into());
        nix::sys::stat::mknod(path, SFlag::S_IFCHR, Mode::from_bits_retain(mode), device)
    })
}

/// Make a symbolic link at `link` that says `target`.
pub fn symlink(target: &Path, link: &Path) -> Result<()> {
    ask(Call::Symlink { target, link }, || nix::unistd::symlinkat(target, AT_FDCWD, link))
}

/// What the symbolic link at `path` says.
pub fn readlink(path: &Path) -> Result<PathBuf> {
    ask(Call::Readlink { path }, || nix::fcntl::readlink(path).map(PathBuf::from))
}

/// What kind of thing stands at a path, and its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Regular file, directory, link or device.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Owning group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Device that holds it, and inode: together its identity.
    pub identity: (u64, u64),
    /// For a device node: its major and minor number.
    pub device: (u32, u32),
}

/// Kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A character device.
    Character,
    /// A pipe.
    Pipe,
    /// Block device or socket.
    Other,
}

/// Look at `path`, following links (stat(2)).
pub fn status(path: &Path) -> Result<Status> {
    look(path, || nix::sys::stat::stat(path))
}

/// Look at `path` itself, be it a link (lstat(2)).
pub fn link_status(path: &Path) -> Result<Status> {
    look(path, || nix::sys::stat::lstat(path))
}

/// Look at an open file; `path` is the name it was opened by (fstat(2)).
pub fn descriptor_status(descriptor: BorrowedFd<'_>, path: &Path) -> Result<Status> {
    look(path, || nix::sys::stat::fstat(descriptor))
}

fn look(path: &Path, stat: impl FnOnce() -> nix::Result<FileStat>) -> Result<Status> {
    let mut status = None;
    ask(Call::Stat { path }, || {
        status = Some(Status::from(&stat()?));
        Ok(())
    })?;
    status.ok_or_else(|| crate::error::Error::new(crate::error::Problem::Refused))
}

impl From<&FileStat> for Status {
    fn from(stat: &FileStat) -> Self {
        let kind = match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
            SFlag::S_IFREG => Kind::File,
            SFlag::S_IFDIR => Kind::Directory,
            SFlag::S_IFLNK => Kind::Link,
            SFlag::S_IFCHR => Kind::Character,
            SFlag::S_IFIFO => Kind::Pipe,
            _ => Kind::Other,
        };
        Status {
            kind,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: stat.st_size as u64,
            identity: (stat.st_dev, stat.st_ino),
            device: (nix::sys::stat::major(stat.st_rdev) as u32, nix::sys::stat::minor(stat.st_rdev) as u32),
        }
    }
}

/// Whether something stands at `path` that can be reached (links are followed).
pub fn exists(path: &Path) -> Result<bool> {
    use super::errno::{EACCES, ENOENT, ENOTDIR};
    match access(path, false) {
        Err(error) if [ENOENT, ENOTDIR, EACCES].iter().any(|errno| error.is(*errno)) => Ok(false),
        answer => answer.map(|()| true),
    }
}

/// Ask whether `path` is there and, with `executable`, whether this process could execute it (access(2)).
pub fn access(path: &Path, executable: bool) -> Result<()> {
    use nix::unistd::AccessFlags;
    let mode = if executable { AccessFlags::X_OK } else { AccessFlags::F_OK };
    ask(Call::Access { path, executable }, || nix::unistd::access(path, mode))
}

/// The names in a directory and their kinds, sorted by name, without `.` and `..`. A name is any bytes without `/`
/// and NUL; it need not be text.
pub fn list(path: &Path) -> Result<Vec<(OsString, Kind)>> {
    ask(Call::Getdents { path }, || {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|error| errno(&error))? {
            let entry = entry.map_err(|error| errno(&error))?;
            let kind = match entry.file_type().map_err(|error| errno(&error))? {
                kind if kind.is_file() => Kind::File,
                kind if kind.is_dir() => Kind::Directory,
                kind if kind.is_symlink() => Kind::Link,
                kind if kind.is_char_device() => Kind::Character,
                kind if kind.is_fifo() => Kind::Pipe,
                _ => Kind::Other,
            };
            names.push((entry.file_name(), kind));
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(names)
    })
}

/// Give `from` the name `to`, in one step that others see whole or not at all.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    ask(Call::Rename { from, to }, || std::fs::rename(from, to).map_err(|error| errno(&error)))
}

/// Remove a name that is not a directory's.
pub fn unlink(path: &Path) -> Result<()> {
    ask(Call::Unlink { path }, || nix::unistd::unlink(path))
}

/// Remove an empty directory, or a cgroup without processes and children.
pub fn rmdir(path: &Path) -> Result<()> {
    ask(Call::Rmdir { path }, || std::fs::remove_dir(path).map_err(|error| errno(&error)))
}

/// Set permission bits, exactly (the umask has no part in it).
pub fn chmod(path: &Path, mode: u32) -> Result<()> {
    ask(Call::Chmod { path, mode }, || {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(|error| errno(&error))
    })
}

/// Set owner and group of `path` itself.
pub fn chown(path: &Path, uid: u32, gid: u32) -> Result<()> {
    ask(Call::Chown { path, uid, gid }, || {
        std::os::unix::fs::lchown(path, Some(uid), Some(gid)).map_err(|error| errno(&error))
    })
}

/// Set the owner of an open file; its group stays.
pub fn chown_descriptor(descriptor: BorrowedFd<'_>, uid: u32) -> Result<()> {
    use std::os::fd::AsRawFd;
    ask(Call::Fchown { descriptor: descriptor.as_raw_fd(), uid }, || {
        nix::unistd::fchown(descriptor, Some(uid.into()), None)
    })
}

/// The standard three, by their names in the container.
#[allow(unsafe_code)]
pub fn standard() -> [(BorrowedFd<'static>, &'static Path); 3] {
    // SAFETY: Rust's start-up code opens those of them that are missing, and nobody here closes one.
    let open = |number| unsafe { BorrowedFd::borrow_raw(number) };
    [(open(0), "/dev/stdin"), (open(1), "/dev/stdout"), (open(2), "/dev/stderr")]
        .map(|(descriptor, name)| (descriptor, Path::new(name)))
}

/// Copy contents and permission bits of a regular file; the kernel may share the blocks.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    ask(Call::Copy { from, to }, || std::fs::copy(from, to).map(drop).map_err(|error| errno(&error)))
}

/// Remove a name that is not a directory's; one that is already gone is fine.
pub fn remove_file(path: &Path) -> Result<()> {
    match unlink(path) {
        Err(error) if error.is(super::errno::ENOENT) => Ok(()),
        answer => answer,
    }
}

/// Set the bits that files made from now on do not get.
pub fn umask(mode: u32) -> Result<()> {
    ask(Call::Umask { mode }, || {
        nix::sys::stat::umask(Mode::from_bits_retain(mode));
        Ok(())
    })
}

/// Change the working directory.
pub fn chdir(path: &Path) -> Result<()> {
    ask(Call::Chdir { path }, || nix::unistd::chdir(path))
}

/// Make `descriptor`, opened as `path`, what the process reads as standard input (dup2(2)).
pub fn become_stdin(descriptor: impl AsFd, path: &Path) -> Result<()> {
    ask(Call::Dup2 { path, descriptor: libc::STDIN_FILENO }, || nix::unistd::dup2_stdin(descriptor))
}
