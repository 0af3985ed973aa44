//! The parent's long wait: pass signals on, and notice the end.

use crate::error::{Error, Problem, Result};
use crate::sys::errno::{ENOENT, ESRCH};
use crate::sys::file;
use crate::sys::process::{self, Child, Ended};
use crate::sys::signal::{self, Blocked, Event, SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGTERM};
use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// This process's signals, held back so that they can be passed on.
#[derive(Debug)]
pub struct Signals {
    blocked: Blocked,
    /// Those that came before there was a command to pass them on to, in their order.
    kept: RefCell<Vec<i32>>,
}

impl Signals {
    /// Hold back every signal from here on. One that arrives before the command has started waits for it.
    pub fn hold() -> Result<Self> {
        Ok(Self { blocked: signal::block_all()?, kept: RefCell::default() })
    }

    /// In the child: let signals act again as they did when the runtime was started.
    pub fn release(&self) -> Result<()> {
        self.blocked.restore()
    }

    /// The same for a process that goes on with this program, in which SIGPIPE is ignored.
    pub fn unblock(&self) -> Result<()> {
        self.blocked.restore_mask()
    }

    /// Wait until `descriptor` can be read. A signal by which a person gives up is the error `Interrupted`; others
    /// are kept for [`forward_until_end`](Self::forward_until_end).
    pub fn wait_unless_interrupted(&self, descriptor: BorrowedFd<'_>) -> Result<()> {
        loop {
            match self.blocked.wait(descriptor)? {
                Event::Ready => return Ok(()),
                Event::Signal(signal @ (SIGHUP | SIGINT | SIGQUIT | SIGTERM)) => {
                    return Err(Error::new(Problem::Interrupted { signal }));
                }
                Event::Signal(signal) if OUR_OWN.contains(&signal) => {}
                Event::Signal(signal) => self.kept.borrow_mut().push(signal),
            }
        }
    }

    /// The signals as the door has them, for who waits for more than them.
    pub fn blocked(&self) -> &Blocked {
        &self.blocked
    }

    /// Those that came before there was a command, in their order: they are somebody else's to pass on now.
    pub fn take_kept(&self) -> Vec<i32> {
        self.kept.take()
    }

    /// Pass every signal on to `process` until `descriptor` can be read.
    pub fn forward_until_ready(&self, process: &Child, descriptor: BorrowedFd<'_>) -> Result<()> {
        loop {
            match self.blocked.wait(descriptor)? {
                Event::Ready => return Ok(()),
                Event::Signal(signal) if OUR_OWN.contains(&signal) => {}
                Event::Signal(signal) => send(process, signal)?,
            }
        }
    }

    /// Let so much time pass, or until a signal comes; whether one came.
    pub fn pause(&self, most: Duration) -> Result<bool> {
        let end = Instant::now() + most;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.blocked.wait_at_most(left)? {
                Some(signal) if OUR_OWN.contains(&signal) => {}
                Some(_) => return Ok(true),
                None if left.is_zero() => return Ok(false),
                None => {}
            }
        }
    }

    /// Pass every signal on to `child`, those that were kept first, until it ends; then reap it.
    ///
    /// As pid 1 it is deaf to signals it has no handler for, so the third SIGINT or SIGTERM becomes a SIGKILL,
    /// as with `docker run`.
    pub fn forward_until_end(&self, child: &Child) -> Result<Ended> {
        let mut impatience = 0;
        self.kept.take().into_iter().try_for_each(|signal| send(child, signal))?;
        loop {
            match self.blocked.wait(child.pidfd.as_fd())? {
                Event::Ready => return process::wait(child),
                Event::Signal(signal) if OUR_OWN.contains(&signal) => {}
                Event::Signal(signal) => {
                    impatience += u32::from(signal == SIGINT || signal == SIGTERM);
                    send(child, if impatience >= 3 { SIGKILL } else { signal })?;
                }
            }
        }
    }
}

/// Signals that concern this process and are never passed on: its child has ended, or nobody reads what it says.
const OUR_OWN: [i32; 2] = [SIGCHLD, SIGPIPE];

/// Kill `child` and reap it.
pub fn kill(child: &Child) -> Result<Ended> {
    send(child, SIGKILL)?;
    process::wait(child)
}

/// When the process that has `pid` now was started, in clock ticks after boot: proc_pid_stat(5), field 22.
pub fn started(pid: i32) -> Result<u64> {
    stat_field(pid, 22)
}

/// Whether the process that had `pid` and was started then still lives: it is there, and is not about to end
/// (`PF_EXITING` of field 9). One that has ended and was not waited for does not.
pub fn lives((pid, start): (i32, u64)) -> Result<bool> {
    const PF_EXITING: u64 = 4;
    let same = started(pid).map(|now| now == start);
    match same.and_then(|same| Ok(same && stat_field(pid, 9)? & PF_EXITING == 0)) {
        Err(error) if error.is(ENOENT) || error.is(ESRCH) => Ok(false),
        answer => answer,
    }
}

/// The parent of process `pid`: field 4.
pub fn parent_of(pid: i32) -> Result<i32> {
    stat_field(pid, 4).map(|parent| parent as i32)
}

/// The first of the children of process `pid`, with its start time.
pub fn first_child(pid: i32) -> Result<Option<(i32, u64)>> {
    let children = file::read_text(Path::new(&format!("/proc/{pid}/task/{pid}/children")))?;
    let child = children.split_whitespace().next().and_then(|child| child.parse().ok());
    child.map(|child| Ok((child, started(child)?))).transpose()
}

fn stat_field(pid: i32, number: usize) -> Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let text = file::read_text(Path::new(&path))?;
    // The second field is the program's name in parentheses, in which anything may stand.
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field = after_name.split_whitespace().nth(number - 3).and_then(|field| field.parse().ok());
    field.ok_or_else(|| Error::new(Problem::StateDamaged { path, detail: format!("no field {number}") }))
}

/// Kill the process that had `pid` and was started at that time, if it still lives, and wait for its end: not
/// another one that was given the pid since.
///
/// It is held by a pidfd before it is looked at, so the one that is looked at is the one that is shot at.
pub fn kill_same(pid: i32, start: u64) -> Result<()> {
    let Some(process) = hold_same(pid, start)? else { return Ok(()) };
    send(&process, SIGKILL)?;
    signal::wait_ended(&process)
}

/// The process that had `pid` and was started at that time, if it still lives.
pub fn hold_same(pid: i32, start: u64) -> Result<Option<Child>> {
    let pidfd = match process::pidfd_open(pid) {
        Err(error) if error.is(ESRCH) => return Ok(None),
        answer => answer?,
    };
    match started(pid) {
        Ok(found) if found == start => Ok(Some(Child { pid, pidfd })),
        Err(error) if !(error.is(ENOENT) || error.is(ESRCH)) => Err(error),
        _ => Ok(None),
    }
}

/// Wait until `process`, which need not be a child, has ended; with `most`, for so long at most. Whether it has.
pub fn wait_ended(process: &Child, most: Option<Duration>) -> Result<bool> {
    signal::watch_end(process, most)
}

/// Send `signal` to `process`; one that has ended already is fine.
pub fn send(child: &Child, signal: i32) -> Result<()> {
    match process::send_signal(child, signal) {
        Err(error) if error.is(ESRCH) => Ok(()),
        answer => answer,
    }
}

/// In the child: die when the parent dies, whatever kills it. To be said again after a change of user id.
pub fn die_with_parent() -> Result<()> {
    crate::sys::security::set_parent_death_signal(SIGKILL)
}
