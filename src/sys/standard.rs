//! The standard three descriptors, and those that were inherited: dup2(2), fcntl(2) with `F_GETFD`, close(2).
#![allow(unsafe_code)]

use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;

/// Make the standard three copies of `descriptor`, which was opened at `path`.
pub fn become_standard(descriptor: &impl AsFd, path: &Path) -> Result<()> {
    let from = descriptor.as_fd();
    for number in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        ask(Call::Dup2 { path, descriptor: number }, || dup2(from, number))?;
    }
    Ok(())
}

fn dup2(from: BorrowedFd<'_>, number: i32) -> nix::Result<()> {
    // SAFETY: `from` is open, and the standard three belong to nobody in this program: each is only borrowed.
    Errno::result(unsafe { libc::dup2(from.as_raw_fd(), number) }).map(drop)
}

/// Close every descriptor above the standard three that is not close-on-exec: whoever started this program had left it
/// open, since all that this program opens itself is close-on-exec.
pub fn close_inherited() -> Result<()> {
    let path = Path::new("/proc/self/fd");
    for (name, _) in super::file::list(path)? {
        let Some(number) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if number > libc::STDERR_FILENO && is_inherited(number) {
            // SAFETY: no owner of this program's has it, as the flag tells.
            unsafe { libc::close(number) };
        }
    }
    Ok(())
}

/// Only looks at this process's own table of descriptors, so the door is not involved.
fn is_inherited(number: i32) -> bool {
    // SAFETY: the call takes integers; of a descriptor that is not open it says `EBADF`.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC == 0
}
