//! The parent's long wait: pass signals on, and notice the end.

use crate::error::{Error, Problem, Result};
use crate::sys::errno::ESRCH;
use crate::sys::process::{self, Child, Ended};
use crate::sys::signal::{self, Blocked, Event, SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGTERM};
use std::os::fd::{AsFd, BorrowedFd};

/// This process's signals, held back so that they can be passed on.
#[derive(Debug)]
pub struct Signals(Blocked);

impl Signals {
    /// Hold back every signal from here on. One that arrives before there is a child waits for it.
    pub fn hold() -> Result<Self> {
        signal::block_all().map(Self)
    }

    /// In the child: let signals act again as they did when the runtime was started.
    pub fn release(&self) -> Result<()> {
        self.0.restore()
    }

    /// Wait until `descriptor` can be read. A signal by which a person gives up is the error `Interrupted`.
    pub fn wait_unless_interrupted(&self, descriptor: BorrowedFd<'_>) -> Result<()> {
        loop {
            match self.0.wait(descriptor)? {
                Event::Ready => return Ok(()),
                Event::Signal(signal @ (SIGHUP | SIGINT | SIGQUIT | SIGTERM)) => {
                    return Err(Error::new(Problem::Interrupted { signal }));
                }
                Event::Signal(_) => {}
            }
        }
    }

    /// Pass every signal on to `child` until it ends; then reap it.
    ///
    /// As pid 1 it is deaf to signals it has no handler for, so the third SIGINT or SIGTERM becomes a SIGKILL,
    /// as with `docker run`.
    pub fn forward_until_end(&self, child: &Child) -> Result<Ended> {
        let mut impatience = 0;
        loop {
            match self.0.wait(child.pidfd.as_fd())? {
                Event::Ready => return process::wait(child),
                Event::Signal(SIGCHLD | SIGPIPE) => {}
                Event::Signal(signal) => {
                    impatience += u32::from(signal == SIGINT || signal == SIGTERM);
                    send(child, if impatience >= 3 { SIGKILL } else { signal })?;
                }
            }
        }
    }
}

/// Kill `child` and reap it.
pub fn kill(child: &Child) -> Result<Ended> {
    send(child, SIGKILL)?;
    process::wait(child)
}

fn send(child: &Child, signal: i32) -> Result<()> {
    match process::send_signal(child, signal) {
        Err(error) if error.is(ESRCH) => Ok(()),
        answer => answer,
    }
}

/// In the child: die when the parent dies, whatever kills it. To be said again after a change of user id.
pub fn die_with_parent() -> Result<()> {
    crate::sys::security::set_parent_death_signal(SIGKILL)
}
