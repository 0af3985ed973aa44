//! What parent and child tell each other between fork and exec.
//!
//! Two pipes. On the first the parent says *go*, one byte, when its part is done; end-of-file there means that
//! the parent has died, and the child ends too. On the second the child sends its error, if it meets one; since
//! the writing end is close-on-exec, end-of-file with nothing before it means that the exec succeeded.

use super::supervise::{self, Signals};
use crate::error::{Error, Problem, Result};
use crate::sys::{pipe, process};
use std::cell::RefCell;
use std::os::fd::{AsFd, OwnedFd};

/// Both pipes, before the fork. Each process then turns it into its own side.
#[derive(Debug)]
pub struct Handshake {
    go: (OwnedFd, OwnedFd),
    report: (OwnedFd, OwnedFd),
}

/// The parent's ends.
#[derive(Debug)]
pub struct ParentSide {
    go: OwnedFd,
    report: OwnedFd,
}

/// The child's ends.
#[derive(Debug)]
pub struct ChildSide {
    go: OwnedFd,
    report: RefCell<Option<OwnedFd>>,
}

impl Handshake {
    /// Open both pipes, close-on-exec.
    pub fn new() -> Result<Self> {
        Ok(Self { go: pipe::pipe()?, report: pipe::pipe()? })
    }

    /// Keep the parent's ends. Closing the others is what makes end-of-file possible.
    pub fn parent(self) -> ParentSide {
        ParentSide { go: self.go.1, report: self.report.0 }
    }

    /// Keep the child's ends.
    pub fn child(self) -> ChildSide {
        ChildSide { go: self.go.0, report: RefCell::new(Some(self.report.1)) }
    }
}

impl ParentSide {
    /// Tell the child to go on, and wait until it has become its command or sent its error; or until the person
    /// gives up, which is the error `Interrupted`.
    pub fn go(self, signals: &Signals) -> Result<()> {
        let (told, report) = self.say_go(signals)?;
        if report.is_empty() {
            return told;
        }
        Err(understand(&report))
    }

    /// The same for a child that says [`ChildSide::announce`] before its exec: whether it came to that. One that did
    /// not, and sent no error, was killed.
    pub fn go_and_hear(self, signals: &Signals) -> Result<bool> {
        let (_, report) = self.say_go(signals)?;
        match report.split_first() {
            None => Ok(false),
            Some((&ANNOUNCED, [])) => Ok(true),
            Some((&ANNOUNCED, error)) => Err(understand(error)),
            Some(_) => Err(understand(&report)),
        }
    }

    /// Whether the child could be told, and all that it reported.
    fn say_go(self, signals: &Signals) -> Result<(Result<()>, Vec<u8>)> {
        // A child that has died already cannot be told; what it reported before says more than EPIPE.
        let told = pipe::write_all(self.go.as_fd(), b"g");
        drop(self.go);
        signals.wait_unless_interrupted(self.report.as_fd())?;
        Ok((told, pipe::read_to_end(self.report.as_fd())?))
    }
}

/// What a child reports when nothing but the exec is left to be done. No error begins so.
const ANNOUNCED: u8 = b'!';

fn understand(report: &[u8]) -> Error {
    serde_json::from_slice(report).unwrap_or_else(|_| Error::new(Problem::ChildVanished))
}

impl ChildSide {
    /// Wait for the parent's go; without one, end.
    pub fn wait_for_go(&self) -> Result<()> {
        match pipe::read_byte(self.go.as_fd())? {
            Some(_) => Ok(()),
            None => process::exit_now(125),
        }
    }

    /// From now on the kernel kills this process when the parent ends; one that has ended already is noticed here. To be
    /// said again after a change of user id, which clears the signal.
    pub fn die_with_parent(&self) -> Result<()> {
        supervise::die_with_parent()?;
        self.stay_only_with_parent()
    }

    /// End if the parent has gone: until exec it keeps the reading end of the report. The signal that tells of a
    /// parent's death does not come when the parent died before it was asked for, and in a new pid namespace
    /// getppid(2) is 0 before and after; so this is asked each time afterwards.
    fn stay_only_with_parent(&self) -> Result<()> {
        match &*self.report.borrow() {
            Some(end) if !pipe::has_reader(end.as_fd())? => process::exit_now(125),
            _ => Ok(()),
        }
    }

    /// Say that only the exec is left, to a parent that listens by [`ParentSide::go_and_hear`]: end-of-file without this
    /// means that the child was killed before.
    pub fn announce(&self) -> Result<()> {
        match &*self.report.borrow() {
            Some(end) => pipe::write_all(end.as_fd(), &[ANNOUNCED]),
            None => Ok(()),
        }
    }

    /// Close this process's end of the report, when another process of the container is the one to exec.
    pub fn hang_up(&self) {
        drop(self.report.take());
    }

    /// Send `error` to the parent and end. Nothing is undone: all that the child made dies with it.
    pub fn fail(&self, error: &Error) -> ! {
        if let (Ok(report), Some(end)) = (serde_json::to_vec(error), self.report.take()) {
            // If even this fails, the parent sees end-of-file and a status.
            let _ = pipe::write_all(end.as_fd(), &report);
        }
        process::exit_now(error.exit_status().into())
    }
}
