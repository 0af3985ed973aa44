//! A program of others that serves several processes of ours, and so is nobody's child: it goes on when whoever started
//! it has ended, until somebody who knows its pid and start time ends it.
//!
//! It waits before it becomes that program. So both can be written down while nothing has happened yet, and if the
//! writer dies there is nothing to look for.

use super::{apart, supervise};
use crate::error::{Error, Problem, Result};
use crate::step::{Role, become_role};
use crate::sys::flags::{O_CREAT, O_RDWR, O_TRUNC, O_WRONLY};
use crate::sys::process::{self, Forked, Program};
use crate::sys::{detach, file, notice, pipe};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A process, by what no other one ever has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its pid, in the pid namespace of those who use this.
    pub pid: i32,
    /// When it was started, in clock ticks after boot.
    pub started: u64,
}

impl Known {
    /// The process that has `pid` now.
    pub fn of(pid: i32) -> Result<Self> {
        Ok(Self { pid, started: supervise::started(pid)? })
    }

    /// This process.
    pub fn this() -> Result<Self> {
        Self::of(process::pid())
    }

    /// Whether it lives. One that has ended and was not reaped does not.
    pub fn lives(self) -> bool {
        supervise::lives((self.pid, self.started)).unwrap_or(false)
    }

    /// Kill it, if it lives, and wait for its end.
    pub fn kill(self) -> Result<()> {
        if self.lives() { supervise::kill_same(self.pid, self.started) } else { Ok(()) }
    }
}

/// What is to be executed.
#[derive(Debug)]
pub struct Task {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, its own name first.
    pub argv: Vec<String>,
    /// The descriptor by which it says that it is ready: whatever it writes there.
    pub ready: i32,
    /// Where its standard error goes, and its standard output unless that is `ready`.
    pub log: PathBuf,
}

/// One that waits.
#[derive(Debug)]
pub struct Waiting {
    /// Which process it is, and will be.
    pub known: Known,
    go: OwnedFd,
    ready: OwnedFd,
}

/// How long a program may take until it is ready, in milliseconds.
const PATIENCE: u16 = 10_000;

/// Make the process that is to become the program, told of as `role`. On entry this process has a single thread.
pub fn prepare(role: &'static str, task: &Task) -> Result<Waiting> {
    let (told, go) = pipe::pipe()?;
    let (ready, say) = pipe::pipe()?;
    // The child ends at once, and its own child becomes the init process's.
    let pid = apart::born(
        role,
        0,
        |_| Ok(()),
        || match process::clone3(0, None)? {
            Forked::Parent(child) => Ok(child.pid),
            Forked::Child => {
                become_role(Role::Actor(role));
                let _ = become_program(task, &told, &say);
                process::exit_now(127)
            }
        },
    )?;
    Ok(Waiting { known: Known::of(pid)?, go, ready })
}

fn become_program(task: &Task, told: &OwnedFd, say: &OwnedFd) -> Result<Infallible> {
    let null = file::open_file(Path::new("/dev/null"), O_RDWR, 0)?;
    let log = file::open_file(&task.log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)?;
    detach::become_number(null.as_fd(), Path::new("/dev/null"), 0)?;
    detach::become_number(log.as_fd(), &task.log, 1)?;
    detach::become_number(log.as_fd(), &task.log, 2)?;
    // Not the other ends of the pipes, or this process would wait for itself.
    let pipe = Path::new("pipe");
    let (told, say) = detach::keep_only((told.as_fd(), pipe), (say.as_fd(), pipe))?;
    wait_for_go(told)?;
    process::setsid()?;
    detach::let_signals_act()?;
    detach::become_number(say.as_fd(), pipe, task.ready)?;
    process::close_on_exec_from(task.ready.max(2).unsigned_abs() + 1)?;
    let path = std::env::var("PATH").unwrap_or_default();
    Program::new(&task.argv, &[format!("PATH={path}")]).execve(&task.program)
}

fn wait_for_go(told: OwnedFd) -> Result<()> {
    match pipe::read_byte(told.as_fd())? {
        Some(_) => Ok(()),
        None => process::exit_now(125),
    }
}

impl Waiting {
    /// Let it go, and wait until the program says that it is ready. `ChildVanished` when it has ended instead, or said
    /// nothing for too long; then it is killed.
    pub fn go(self) -> Result<Known> {
        pipe::write_all(self.go.as_fd(), b"g")?;
        drop(self.go);
        if !notice::take_within(self.ready.as_fd(), PATIENCE)?.is_empty() {
            return Ok(self.known);
        }
        self.known.kill()?;
        Err(Error::new(Problem::ChildVanished))
    }
}
