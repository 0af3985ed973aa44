//! Being told that something in a directory changes: inotify(7).
#![allow(unsafe_code)]

use super::call::Value;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[derive(Debug)]
enum Inotify<'a> {
    Init,
    AddWatch { path: &'a Path },
}

impl Request for Inotify<'_> {
    fn name(&self) -> &'static str {
        match self {
            Inotify::Init => "inotify_init1",
            Inotify::AddWatch { .. } => "inotify_add_watch",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        match *self {
            Inotify::Init => each("flags", Value::Symbol("IN_NONBLOCK|IN_CLOEXEC")),
            Inotify::AddWatch { path } => {
                each("pathname", Value::Path(path));
                each("mask", Value::Symbol("IN_MODIFY|IN_CREATE|IN_MOVED_TO|IN_DELETE_SELF"));
            }
        }
    }

    fn only_looks(&self) -> bool {
        true
    }
}

/// Tells that a file of one directory was written, made or renamed, or the directory removed.
#[derive(Debug)]
pub struct Changes(OwnedFd);

impl Changes {
    /// Of the directory at `path`, from now on.
    pub fn of(path: &Path) -> Result<Self> {
        let inotify = ask(Call::Other(&Inotify::Init), || {
            // SAFETY: the call takes an integer.
            let answer = unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) };
            let descriptor = Errno::result(answer)?;
            // SAFETY: the kernel has just returned this descriptor; nobody else owns it.
            Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
        })?;
        ask(Call::Other(&Inotify::AddWatch { path }), || {
            let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
            let mask = libc::IN_MODIFY | libc::IN_CREATE | libc::IN_MOVED_TO | libc::IN_DELETE_SELF;
            // SAFETY: the name is NUL-terminated.
            let answer = unsafe { libc::inotify_add_watch(inotify.as_raw_fd(), name.as_ptr(), mask) };
            Errno::result(answer).map(drop)
        })?;
        Ok(Self(inotify))
    }

    /// Readable when something has changed that was not [forgotten](Self::forget).
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Take no more notice of what has changed so far. To be said *before* looking, so that no change is missed.
    pub fn forget(&self) -> Result<()> {
        let mut room = [0u8; 4096];
        while let super::ready::Taken::Bytes(_) = super::ready::read_some(self.0.as_fd(), &mut room)? {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::ready::{Watch, wait};

    #[test]
    fn a_file_that_is_written_is_told_of() {
        let directory = tempfile::tempdir().unwrap();
        let changes = Changes::of(directory.path()).unwrap();
        changes.forget().unwrap();
        std::fs::write(directory.path().join("log"), "x").unwrap();
        assert!(wait(&[Watch::of(changes.descriptor(), true, false)]).unwrap()[0].read);
        changes.forget().unwrap();
        let (_out, into) = crate::sys::pipe::pipe().unwrap();
        let both =
            wait(&[Watch::of(changes.descriptor(), true, false), Watch::of(into.as_fd(), false, true)]);
        assert!(!both.unwrap()[0].read);
    }
}
