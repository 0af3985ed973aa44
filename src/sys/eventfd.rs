//! Counters by which the kernel tells of an event: eventfd(2), and waiting for one of several descriptors: poll(2).
#![allow(unsafe_code)]

use super::call::Value;
use super::pipe::retry;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

#[derive(Debug)]
struct Eventfd;

impl Request for Eventfd {
    fn name(&self) -> &'static str {
        "eventfd2"
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        each("initval", Value::Number(0));
        each("flags", Value::Symbol("EFD_CLOEXEC"));
    }

    fn only_looks(&self) -> bool {
        true
    }
}

/// A new counter. It can be read once the kernel has been told to count something in it, and has.
pub fn eventfd() -> Result<OwnedFd> {
    let raw = ask(Call::Other(&Eventfd), || {
        // SAFETY: the call takes two integers.
        Errno::result(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) })
    })?;
    // SAFETY: the descriptor was just opened, and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Wait until one of `descriptors` can be read or has nobody at its other end; which, the first of several.
///
/// With `milliseconds`, `None` after so long.
pub fn wait_any(descriptors: &[BorrowedFd<'_>], milliseconds: Option<u16>) -> Result<Option<usize>> {
    let mut ready = None;
    let timeout = milliseconds.map_or(PollTimeout::NONE, PollTimeout::from);
    ask(Call::Poll, || {
        let mut all: Vec<PollFd<'_>> =
            descriptors.iter().map(|one| PollFd::new(*one, PollFlags::POLLIN)).collect();
        retry(|| poll(&mut all, timeout))?;
        ready = all.iter().position(|one| one.any().unwrap_or(false));
        Ok(())
    })?;
    Ok(ready)
}
