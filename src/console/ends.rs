//! The pipes, or the way of a terminal, between a container's command and its supervisor: made before the fork; each
//! process then turns it into its own side.
//!
//! The terminal itself cannot be made before: it belongs to the devpts of the container, which its first process mounts.
//! So that one makes it, and passes the master to the supervisor over a socket that both have.

use super::inside::Inside;
use crate::error::{Error, Problem, Result};
use crate::sys::pty::Size;
use crate::sys::{pipe, ready, seqpacket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What is between command and supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// A terminal (`-t`) rather than pipes.
    pub terminal: bool,
    /// Whether the command reads something (`-i`) rather than nothing.
    pub input: bool,
}

/// Both sides, before the fork.
#[derive(Debug)]
pub enum Console {
    /// Pipes: (reading end, writing end).
    #[allow(missing_docs, reason = "named after the standard three")]
    Pipes { stdin: Option<(OwnedFd, OwnedFd)>, stdout: (OwnedFd, OwnedFd), stderr: (OwnedFd, OwnedFd) },
    /// The socket over which the terminal's master will come: (supervisor's end, container's end).
    #[allow(missing_docs, reason = "as in Shape, and the size to begin with")]
    Terminal { socket: (OwnedFd, OwnedFd), input: bool, size: Option<Size> },
}

impl Console {
    /// Make what `shape` asks for. A terminal begins with `size`.
    pub fn open(shape: Shape, size: Option<Size>) -> Result<Self> {
        if shape.terminal {
            return Ok(Console::Terminal { socket: seqpacket::pair()?, input: shape.input, size });
        }
        let stdin = if shape.input { Some(pipe::pipe()?) } else { None };
        Ok(Console::Pipes { stdin, stdout: pipe::pipe()?, stderr: pipe::pipe()? })
    }

    /// Keep the supervisor's side. Closing the others is what makes end-of-file possible.
    pub fn outside(self) -> Outside {
        Outside(match self {
            Console::Pipes { stdin, stdout, stderr } => Side::Pipes(Ends {
                into: stdin.map(|(_, into)| into),
                out: stdout.0,
                err: Some(stderr.0),
                terminal: None,
            }),
            Console::Terminal { socket, input, .. } => Side::Terminal { socket: socket.0, input },
        })
    }

    /// Keep the container's side.
    pub fn inside(self) -> Inside {
        match self {
            Console::Pipes { stdin, stdout, stderr } => {
                Inside::Pipes { stdin: stdin.map(|(out, _)| out), stdout: stdout.1, stderr: stderr.1 }
            }
            Console::Terminal { socket, size, .. } => Inside::Terminal { socket: socket.1, size },
        }
    }
}

/// The supervisor's side of a container that has not started.
#[derive(Debug)]
pub struct Outside(Side);

#[derive(Debug)]
enum Side {
    Pipes(Ends),
    Terminal { socket: OwnedFd, input: bool },
}

/// The supervisor's side of a container that runs. Nothing here makes the supervisor wait.
#[derive(Debug)]
pub struct Ends {
    /// What the command reads; `None` for nothing, or for a terminal.
    into: Option<OwnedFd>,
    /// What it writes; the terminal's master.
    out: OwnedFd,
    err: Option<OwnedFd>,
    /// For a terminal, whether what clients send is its input.
    terminal: Option<bool>,
}

impl Outside {
    /// The ends, once the command has started: the terminal's master has been sent by then.
    pub fn ends(self) -> Result<Ends> {
        let ends = match self.0 {
            Side::Pipes(ends) => ends,
            Side::Terminal { socket, input } => {
                let master = seqpacket::receive_descriptor(socket.as_fd())?;
                let out = master.ok_or_else(|| Error::new(Problem::ChildVanished))?;
                Ends { into: None, out, err: None, terminal: Some(input) }
            }
        };
        for end in [Some(&ends.out), ends.err.as_ref(), ends.into.as_ref()].into_iter().flatten() {
            ready::set_nonblocking(end.as_fd())?;
        }
        Ok(ends)
    }
}

impl Ends {
    /// What the command writes to standard output, or to its terminal.
    pub(super) fn out(&self) -> BorrowedFd<'_> {
        self.out.as_fd()
    }

    /// What it writes to standard error, where that is apart.
    pub(super) fn err(&self) -> Option<BorrowedFd<'_>> {
        self.err.as_ref().map(AsFd::as_fd)
    }

    /// Where its input goes, while it has any.
    pub(super) fn input(&self) -> Option<BorrowedFd<'_>> {
        match self.terminal {
            Some(true) => Some(self.out.as_fd()),
            Some(false) => None,
            None => self.into.as_ref().map(AsFd::as_fd),
        }
    }

    /// Let the command find end-of-file. A terminal has none: there it is a key that the person presses.
    pub(super) fn close_input(&mut self) {
        self.into = None;
    }

    /// The terminal, if it is one.
    pub(super) fn terminal(&self) -> Option<BorrowedFd<'_>> {
        self.terminal.map(|_| self.out.as_fd())
    }
}
