//! What a container's command reads and writes: pipes or a terminal, who listens, and what is kept of it.
//!
//! The command's standard input, output and error lead to the container's *supervisor*, the process that started it and
//! waits for its end; never to the person's own terminal or files, which a container could keep, change or outlive.
//! The supervisor keeps what is said in a [`log`] and passes it on to its *clients*: the process that the person
//! started, if it is still there, and whoever attached since.
//!
//! ```text
//!   container            supervisor                    clients
//!   fd 0  <-- pipe --    relay      <-- messages --    the person's standard input
//!   fd 1  --- pipe ->      |        --- messages ->    the person's standard output
//!   fd 2  --- pipe ->      +-> log                     the person's standard error
//! ```
//!
//! With a terminal, the three pipes are one pty in the devpts of the container, of which the supervisor has the master.
//!
//! | module | which process | in one sentence |
//! |---|---|---|
//! | [`ends`] | both | the pipes or the terminal between container and supervisor, made before the fork |
//! | [`inside`] | the container's first | takes its ends: makes them 0, 1 and 2 |
//! | [`relay`] | the supervisor | one loop between container, clients, log, signals, and the container's end |
//! | [`listener`] | the supervisor | the socket in the container's directory by which others attach |
//! | [`message`] | supervisor and clients | what they tell each other |
//! | [`client`] | the client | terminal and messages, until the container ends or the person detaches |
//! | [`log`] | the supervisor writes | what was said, when, and on which stream; bounded |

pub mod client;
pub mod ends;
pub mod inside;
pub mod listener;
pub mod log;
pub mod message;
pub mod relay;

pub use crate::sys::pty::Size;
pub use ends::{Console, Shape};

use crate::error::Result;
use crate::sys::{file, pty, seqpacket};
use std::os::fd::OwnedFd;

/// The two ends of a client's connection, made before the supervisor is: the client keeps one, the supervisor the other.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    seqpacket::pair()
}

/// How large the terminal is at this process's standard output, or input; `None` where neither is one.
pub fn terminal_size() -> Option<Size> {
    [1, 0].into_iter().find_map(|number| pty::size(file::standard()[number].0).ok())
}
