//! A fork bomb with a fuse: a process copies itself, the copies do, and so on, until the kernel refuses.
//!
//! It is harmless whatever becomes of the limit that it is to show. Each attempt takes a byte out of one pipe that all
//! copies share, the fuse; with the last byte the bomb is out. And each copy holds the demo by a pidfd, and ends
//! with it.

use crate::error::Result;
use crate::process::Child;
use crate::sys::errno::ECHILD;
use crate::sys::process::{self, exit_now};
use crate::sys::{notice, orphan, pipe, signal};
use std::os::fd::{AsFd, OwnedFd};

/// What the copies say, a byte each: one tries to fork; was refused, and stops; has found the fuse used up, and stops.
const TRIES: u8 = b'+';
const REFUSED: u8 = b'-';
const OUT: u8 = b'.';

/// How long the copies may be silent before they are taken for dead, in milliseconds.
const SILENCE: u16 = 5000;

/// A bomb, ready.
#[derive(Debug)]
pub struct Bomb {
    fuse: OwnedFd,
    heard: OwnedFd,
    told: OwnedFd,
    demo: Child,
}

/// What it did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Toll {
    /// Processes that it came to, the first one among them.
    pub processes: usize,
    /// How often fork(2) was refused.
    pub refused: usize,
}

impl Bomb {
    /// One of at most `births` attempts. The caller is the demo with which it ends, and inherits its orphans.
    pub fn new(births: usize) -> Result<Self> {
        let (fuse, filler) = pipe::pipe()?;
        pipe::write_all(filler.as_fd(), &vec![b'.'; births])?;
        let (heard, told) = pipe::pipe()?;
        let pid = process::pid();
        let demo = Child { pid, pidfd: process::pidfd_open(pid)? };
        orphan::become_subreaper()?;
        Ok(Self { fuse, heard, told, demo })
    }

    /// In a helper: go off. Each copy stops at the first refusal, and waits for its end.
    pub fn go_off(&self) -> ! {
        let _ = self.copy_until_refused();
        self.wait_for_the_end()
    }

    fn copy_until_refused(&self) -> Result<()> {
        loop {
            if pipe::read_byte(self.fuse.as_fd())?.is_none() {
                return self.tell(OUT);
            }
            self.tell(TRIES)?;
            if orphan::multiply().is_err() {
                return self.tell(REFUSED);
            }
        }
    }

    /// In a helper: go off, and on. A copy that is refused tries again, and so takes the place of one that has died.
    pub fn smoulder(&self) -> ! {
        while let Ok(Some(_)) = pipe::read_byte(self.fuse.as_fd()) {
            while orphan::multiply().is_err() {
                if orphan::ended_within(&self.demo, 1).unwrap_or(true) {
                    exit_now(0);
                }
            }
        }
        self.wait_for_the_end()
    }

    fn wait_for_the_end(&self) -> ! {
        let _ = signal::wait_ended(&self.demo);
        exit_now(0)
    }

    fn tell(&self, what: u8) -> Result<()> {
        pipe::write_all(self.told.as_fd(), &[what])
    }

    /// In the demo: wait until every copy of one that goes off has stopped.
    pub fn toll(&self) -> Result<Toll> {
        let mut said = Vec::new();
        loop {
            let more = notice::take_within(self.heard.as_fd(), SILENCE)?;
            let over = more.is_empty();
            said.extend(more);
            if let Some(toll) = count(&said).filter(|(_, all)| *all || over) {
                return Ok(toll.0);
            }
        }
    }
}

/// The toll of what was said so far, and whether all have stopped: an attempt counts as a process until it is refused,
/// so a copy that has not spoken yet is not forgotten.
fn count(said: &[u8]) -> Option<(Toll, bool)> {
    let of = |what| said.iter().filter(|one| **one == what).count();
    let processes = (1 + of(TRIES)).checked_sub(of(REFUSED))?;
    Some((Toll { processes, refused: of(REFUSED) }, of(REFUSED) + of(OUT) == processes))
}

/// Reap the orphans: all of them are dead, and the demo has no other children any more.
pub fn reap() -> Result<()> {
    loop {
        match process::reap_any() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(error) if error.is(ECHILD) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_stopped_before_all_have() {
        let toll = |said: &str| count(said.as_bytes()).map(|(toll, all)| (toll.processes, toll.refused, all));
        assert_eq!(toll(""), Some((1, 0, false)));
        // The first has forked and was refused then; its copy has not been heard of.
        assert_eq!(toll("++-"), Some((2, 1, false)));
        assert_eq!(toll("++-+-"), Some((2, 2, true)));
        assert_eq!(toll("+.."), Some((2, 0, true)));
    }
}
