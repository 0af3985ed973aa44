//! What the kernel answered, as data for an observer.

use nix::errno::Errno;
use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The kernel's answer to one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer<'a> {
    /// Success, with nothing to tell: most calls answer 0.
    Done,
    /// A number that means something: a pid, a count of bytes.
    Number(i64),
    /// A new file descriptor.
    Descriptor(i32),
    /// Text that was read: a link's target, a file's contents.
    Text(&'a str),
    /// A refusal: its number, its symbol and the C library's text for it.
    Refused(i32, &'static str, &'static str),
}

impl Answer<'_> {
    /// The answer that an errno is.
    pub(super) fn refused(errno: Errno) -> Answer<'static> {
        Answer::Refused(errno as i32, symbol(errno), errno.desc())
    }
}

/// `EPERM` for `EPERM`: the symbol that manual pages use.
fn symbol(errno: Errno) -> &'static str {
    libc_symbol(errno as i32)
}

/// The symbols of the errors that a container runtime meets, without allocating (an observer may be speaking
/// from a process that must do nothing but write).
fn libc_symbol(number: i32) -> &'static str {
    macro_rules! symbols {
        ($($name:ident),* $(,)?) => { match number { $(libc::$name => stringify!($name),)* _ => "E?" } };
    }
    symbols!(
        EPERM,
        ENOENT,
        ESRCH,
        EINTR,
        EIO,
        ENXIO,
        E2BIG,
        ENOEXEC,
        EBADF,
        ECHILD,
        EAGAIN,
        ENOMEM,
        EACCES,
        EFAULT,
        ENOTBLK,
        EBUSY,
        EEXIST,
        EXDEV,
        ENODEV,
        ENOTDIR,
        EISDIR,
        EINVAL,
        ENFILE,
        EMFILE,
        ENOTTY,
        ETXTBSY,
        EFBIG,
        ENOSPC,
        ESPIPE,
        EROFS,
        EMLINK,
        EPIPE,
        EDOM,
        ERANGE,
        EDEADLK,
        ENAMETOOLONG,
        ENOLCK,
        ENOSYS,
        ENOTEMPTY,
        ELOOP,
        EOVERFLOW,
        EUSERS,
        ENOTSOCK,
        EMSGSIZE,
        EPROTONOSUPPORT,
        EOPNOTSUPP,
        EAFNOSUPPORT,
        EADDRINUSE,
        EADDRNOTAVAIL,
        ENETDOWN,
        ENETUNREACH,
        ENOBUFS,
        ETIMEDOUT,
        ECONNREFUSED,
        EALREADY,
        ESTALE,
        EDQUOT,
    )
}

/// A value that a request can answer with.
pub trait Tell {
    /// What an observer is told of it.
    fn tell(&self) -> Answer<'_>;
}

impl Tell for () {
    fn tell(&self) -> Answer<'_> {
        Answer::Done
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Tell for $number {
            fn tell(&self) -> Answer<'_> {
                Answer::Number(*self as i64)
            }
        })*
    };
}
numbers!(i32, u32, i64, usize, bool);

impl Tell for OwnedFd {
    fn tell(&self) -> Answer<'_> {
        Answer::Descriptor(self.as_raw_fd())
    }
}

impl Tell for (OwnedFd, OwnedFd) {
    fn tell(&self) -> Answer<'_> {
        Answer::Done
    }
}

impl Tell for String {
    fn tell(&self) -> Answer<'_> {
        Answer::Text(self)
    }
}

impl Tell for Vec<u8> {
    fn tell(&self) -> Answer<'_> {
        text_or_length(self)
    }
}

impl Tell for PathBuf {
    fn tell(&self) -> Answer<'_> {
        text_or_length(self.as_os_str().as_bytes())
    }
}

/// What was read, as text; of anything else the number of its bytes.
fn text_or_length(bytes: &[u8]) -> Answer<'_> {
    std::str::from_utf8(bytes).map_or(Answer::Number(bytes.len() as i64), Answer::Text)
}

impl<T> Tell for Vec<(OsString, T)> {
    fn tell(&self) -> Answer<'_> {
        Answer::Number(self.len() as i64)
    }
}

impl<T: Tell> Tell for Option<T> {
    fn tell(&self) -> Answer<'_> {
        self.as_ref().map_or(Answer::Number(0), Tell::tell)
    }
}
