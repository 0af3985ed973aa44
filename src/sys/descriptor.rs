//! dup2(2) onto one of the standard three.
#![allow(unsafe_code)]

use super::{Call, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

/// Make `descriptor`, opened as `path`, the standard descriptor `number` (0, 1 or 2); what was there is closed.
pub fn become_standard(descriptor: impl AsFd, path: &Path, number: i32) -> Result<()> {
    debug_assert!((0..3).contains(&number));
    ask(Call::Dup2 { path, descriptor: number }, || {
        // SAFETY: the standard three have no owner in this program that closes them, and another takes its place.
        Errno::result(unsafe { libc::dup2(descriptor.as_fd().as_raw_fd(), number) }).map(drop)
    })
}
