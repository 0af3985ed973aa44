//! A file that grows at its end: writev(2) with O_APPEND, and ftruncate(2).
#![allow(unsafe_code)]

use super::call::Value;
use super::pipe::retry;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

#[derive(Debug)]
enum Append<'a> {
    Writev { path: &'a Path, bytes: usize },
    Ftruncate { path: &'a Path, length: u64 },
}

impl Request for Append<'_> {
    fn name(&self) -> &'static str {
        match self {
            Append::Writev { .. } => "writev",
            Append::Ftruncate { .. } => "ftruncate",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        match *self {
            Append::Writev { path, bytes } => {
                each("fd", Value::Path(path));
                each("bytes", Value::Number(bytes as i64));
            }
            Append::Ftruncate { path, length } => {
                each("fd", Value::Path(path));
                each("length", Value::Number(length as i64));
            }
        }
    }

    /// What a container says is told by the container.
    fn only_looks(&self) -> bool {
        true
    }
}

/// Write `parts`, one after the other, at the end of `file`, which was opened as `path` with O_APPEND: all, or it is an
/// error (`ENOSPC` when the disk took a part of them only).
pub fn append(file: BorrowedFd<'_>, path: &Path, parts: &[IoSlice<'_>]) -> Result<()> {
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    ask(Call::Other(&Append::Writev { path, bytes }), || {
        let (first, count) = (parts.as_ptr().cast(), parts.len() as libc::c_int);
        // SAFETY: an IoSlice has the layout of an iovec; there are `count`, and the kernel only reads what they name.
        let written = retry(|| Errno::result(unsafe { libc::writev(file.as_raw_fd(), first, count) }))?;
        if written as usize == bytes { Ok(()) } else { Err(Errno::ENOSPC) }
    })
}

/// Cut `file`, which was opened as `path`, to `length` bytes.
pub fn truncate(file: BorrowedFd<'_>, path: &Path, length: u64) -> Result<()> {
    ask(Call::Other(&Append::Ftruncate { path, length }), || {
        nix::unistd::ftruncate(file, length as libc::off_t)
    })
}
