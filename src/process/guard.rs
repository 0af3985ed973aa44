//! Something that is undone whatever becomes of this process: by a child that does nothing but wait for its end.

use crate::error::Result;
use crate::namespace::pid;
use crate::step::{Role, become_role};
use crate::sys::process::{self, Child, Forked};
use crate::sys::{pipe, signal};
use std::os::fd::{AsFd, OwnedFd};

/// The waiting child.
#[derive(Debug)]
pub struct Guard {
    child: Child,
    /// Only this process and children that die with it hold this end open.
    alive: Option<OwnedFd>,
}

impl Guard {
    /// From now on until [`release`](Self::release), or until this process ends, however it does, a child waits; then
    /// it does `undo`. It is in a session of its own, and no signal by which a person gives up reaches it.
    ///
    /// On entry this process has a single thread.
    pub fn set(undo: impl FnOnce() -> Result<()>) -> Result<Self> {
        let (end, alive) = pipe::pipe()?;
        match pid::birth(0, None)? {
            Forked::Parent(child) => Ok(Self { child, alive: Some(alive) }),
            Forked::Child => {
                drop(alive);
                become_role(Role::Actor("guard"));
                let deaf = signal::block_all().and_then(|_| process::setsid());
                // Without its own session it still waits, and undoes.
                let _ = deaf.and_then(|()| pipe::read_byte(end.as_fd()));
                process::exit_now(i32::from(undo().is_err()))
            }
        }
    }

    /// Let the child do it now, and wait until it has ended. A child that was killed did nothing: who must be sure does
    /// it too.
    pub fn release(mut self) -> Result<()> {
        self.alive = None;
        process::wait(&self.child).map(drop)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.alive.take().is_some() {
            // Whoever drops it has an error of their own to tell.
            let _ = process::wait(&self.child);
        }
    }
}
