//! Locks on files: flock(2) and fcntl(2). The kernel drops them when their holder dies, however it dies.

use super::pipe::retry;
use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// Lock the open file `file` for this process and its copies until the last descriptor closes (flock(2)).
/// Without `wait`, `EAGAIN` when somebody else holds it.
pub fn lock_file(file: BorrowedFd<'_>, path: &Path, exclusive: bool, wait: bool) -> Result<()> {
    use libc::{LOCK_EX, LOCK_NB, LOCK_SH};
    let operation = if exclusive { LOCK_EX } else { LOCK_SH } | if wait { 0 } else { LOCK_NB };
    ask(Call::Flock { path, exclusive, wait }, || retry(|| flock(file, operation)))
}

/// Lock the open file `file` for this process alone, until it ends or closes any descriptor of that file
/// (fcntl(2), `F_SETLK`): unlike that of [`lock_file`], a child does not inherit this lock, and it does not exclude
/// the locks of that kind. `EAGAIN` when another process holds it.
pub fn lock_for_process(file: BorrowedFd<'_>, path: &Path) -> Result<()> {
    ask(Call::FcntlSetlk { path }, || {
        let whole = whole();
        match nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_SETLK(&whole)) {
            Err(Errno::EACCES) => Err(Errno::EAGAIN),
            answer => answer.map(drop),
        }
    })
}

/// Who holds a lock of that kind on the open file `file`, by its pid as this process sees it; `None` when nobody else
/// does (fcntl(2), `F_GETLK`).
pub fn holder(file: BorrowedFd<'_>, path: &Path) -> Result<Option<i32>> {
    let mut held = false;
    let pid = ask(Call::FcntlGetlk { path }, || {
        let mut whole = whole();
        nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_GETLK(&mut whole))?;
        held = i32::from(whole.l_type) != i32::from(libc::F_UNLCK as i16);
        Ok(if held { whole.l_pid } else { 0 })
    })?;
    Ok(held.then_some(pid))
}

/// A lock for writing, on all of a file.
fn whole() -> libc::flock {
    libc::flock { l_type: libc::F_WRLCK as _, l_whence: libc::SEEK_SET as _, l_start: 0, l_len: 0, l_pid: 0 }
}

#[allow(unsafe_code)]
fn flock(file: BorrowedFd<'_>, operation: i32) -> nix::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open and the operation an integer. nix's own type would take ownership.
    Errno::result(unsafe { libc::flock(file.as_raw_fd(), operation) }).map(drop)
}
