//! Copies of a demo's helper that multiply by themselves, and whose they become: fork(2), PR_SET_CHILD_SUBREAPER of
//! prctl(2), poll(2) on a pidfd.
#![allow(unsafe_code)]

use super::call::Value;
use super::pipe::retry;
use super::process::Child;
use super::{Call, Request, ask};
use crate::error::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::ForkResult;
use std::os::fd::AsFd;

#[derive(Debug)]
enum Orphan {
    Subreaper,
    Fork,
}

impl Request for Orphan {
    fn name(&self) -> &'static str {
        match self {
            Orphan::Subreaper => "prctl",
            Orphan::Fork => "fork",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        if let Orphan::Subreaper = self {
            each("option", Value::Symbol("PR_SET_CHILD_SUBREAPER"));
            each("value", Value::Number(1));
        }
    }

    /// Many processes fork at once, in no order that a person could follow: what comes of it is counted instead.
    fn only_looks(&self) -> bool {
        matches!(self, Orphan::Fork)
    }
}

/// From now on, processes below this one whose parent dies become this one's children, and not those of pid 1.
pub fn become_subreaper() -> Result<()> {
    ask(Call::Other(&Orphan::Subreaper), || {
        // SAFETY: prctl with integers.
        Errno::result(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }).map(drop)
    })
}

/// A plain copy of this process, as [`super::process::fork`] makes; only the trace tells of it. `true` in the child.
/// `EAGAIN` past a limit on processes.
pub fn multiply() -> Result<bool> {
    let child = ask(Call::Other(&Orphan::Fork), || {
        // SAFETY: the caller has a single thread, so no lock is held by a thread that the child lacks.
        match unsafe { nix::unistd::fork() }? {
            ForkResult::Parent { child } => Ok(child.as_raw()),
            ForkResult::Child => Ok(0),
        }
    })?;
    Ok(child == 0)
}

/// Wait until `process`, which need not be a child, has ended, but no longer than `milliseconds`; whether it has.
pub fn ended_within(process: &Child, milliseconds: u16) -> Result<bool> {
    let mut ended = false;
    ask(Call::Poll, || {
        let mut one = [PollFd::new(process.pidfd.as_fd(), PollFlags::POLLIN)];
        ended = retry(|| poll(&mut one, PollTimeout::from(milliseconds)))? > 0;
        Ok(())
    })?;
    Ok(ended)
}
