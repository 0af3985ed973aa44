//! What a process does before it becomes a program that is on its own: dup2(2), sigprocmask(2).

use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

/// Let the descriptor `number`, which is nobody's here or one of the standard three, be a copy of `descriptor`, opened
/// as `path`, that exec leaves open.
#[allow(unsafe_code)]
pub fn become_number(descriptor: BorrowedFd<'_>, path: &Path, number: i32) -> Result<()> {
    ask(Call::Dup2 { path, descriptor: number }, || {
        // SAFETY: the call takes two integers; what it closes is, by the contract, owned by nobody.
        Errno::result(unsafe { libc::dup2(descriptor.as_raw_fd(), number) }).map(drop)
    })
}

/// Close every descriptor but the standard three and these two, which become 3 and 4 and are returned. The first was
/// opened before the second. Whoever owns one of the others must end without closing it.
#[allow(unsafe_code)]
pub fn keep_only(
    first: (BorrowedFd<'_>, &Path),
    second: (BorrowedFd<'_>, &Path),
) -> Result<(OwnedFd, OwnedFd)> {
    become_number(first.0, first.1, 3)?;
    become_number(second.0, second.1, 4)?;
    super::process::close_from(5)?;
    // SAFETY: both were just opened; what may have had these numbers before is forgotten, as the contract says.
    Ok(unsafe { (OwnedFd::from_raw_fd(3), OwnedFd::from_raw_fd(4)) })
}

/// Let every signal through again, with the default action for SIGPIPE, which Rust's start-up code ignores.
pub fn let_signals_act() -> Result<()> {
    ask(Call::Sigaction { signal: libc::SIGPIPE }, super::signal::default_sigpipe)?;
    ask(Call::Sigprocmask { block: false }, || {
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
    })
}
