//! Reading and writing what may have nothing, or no room, just now: read(2) and write(2) with O_NONBLOCK (fcntl(2)), and
//! waiting for one of many: poll(2).
#![allow(unsafe_code)]

use super::call::Value;
use super::pipe::retry;
use super::{Answer, Call, Request, Tell, ask};
use crate::error::Result;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

#[derive(Debug)]
enum Stream {
    Nonblocking { descriptor: i32 },
    Read { descriptor: i32, count: usize },
    Write { descriptor: i32, count: usize },
    Poll { descriptors: usize },
}

impl Request for Stream {
    fn name(&self) -> &'static str {
        match self {
            Stream::Nonblocking { .. } => "fcntl",
            Stream::Read { .. } => "read",
            Stream::Write { .. } => "write",
            Stream::Poll { .. } => "poll",
        }
    }

    fn arguments(&self, each: &mut dyn FnMut(&'static str, Value<'_>)) {
        match *self {
            Stream::Nonblocking { descriptor } => {
                each("fd", Value::Number(descriptor.into()));
                each("op", Value::Symbol("F_SETFL"));
                each("flags", Value::Symbol("O_NONBLOCK"));
            }
            Stream::Read { descriptor, count } | Stream::Write { descriptor, count } => {
                each("fd", Value::Number(descriptor.into()));
                each("count", Value::Number(count as i64));
            }
            Stream::Poll { descriptors } => each("nfds", Value::Number(descriptors as i64)),
        }
    }

    fn only_looks(&self) -> bool {
        true
    }
}

/// Let reading from and writing to `descriptor` never wait. That belongs to the open file, and so to everybody who has
/// it: only for what nobody else has.
pub fn set_nonblocking(descriptor: BorrowedFd<'_>) -> Result<()> {
    ask(Call::Other(&Stream::Nonblocking { descriptor: descriptor.as_raw_fd() }), || {
        use nix::fcntl::{FcntlArg, OFlag, fcntl};
        let flags = OFlag::from_bits_retain(fcntl(descriptor, FcntlArg::F_GETFL)?);
        fcntl(descriptor, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).map(drop)
    })
}

/// What came of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// So many bytes.
    Bytes(usize),
    /// Nothing just now.
    Nothing,
    /// Nothing any more: end-of-file, or a terminal that nobody has open at its other side (`EIO`).
    End,
}

impl Tell for Taken {
    fn tell(&self) -> Answer<'_> {
        match self {
            Taken::Bytes(bytes) => Answer::Number(*bytes as i64),
            Taken::Nothing | Taken::End => Answer::Number(0),
        }
    }
}

/// Read what is there into `room`.
pub fn read_some(descriptor: BorrowedFd<'_>, room: &mut [u8]) -> Result<Taken> {
    let count = room.len();
    ask(Call::Other(&Stream::Read { descriptor: descriptor.as_raw_fd(), count }), || {
        match retry(|| nix::unistd::read(descriptor, room)) {
            Ok(0) | Err(Errno::EIO) => Ok(Taken::End),
            Ok(bytes) => Ok(Taken::Bytes(bytes)),
            Err(Errno::EAGAIN) => Ok(Taken::Nothing),
            Err(errno) => Err(errno),
        }
    })
}

/// Write as much of `bytes` as there is room for; how many. `EPIPE` when nobody is left to read.
pub fn write_some(descriptor: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize> {
    let call = Stream::Write { descriptor: descriptor.as_raw_fd(), count: bytes.len() };
    ask(Call::Other(&call), || match retry(|| nix::unistd::write(descriptor, bytes)) {
        Err(Errno::EAGAIN) => Ok(0),
        answer => answer,
    })
}

/// What one of many is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Watch<'a> {
    descriptor: Option<BorrowedFd<'a>>,
    events: i16,
}

impl<'a> Watch<'a> {
    /// Wait until it can be read, if `read`, or written, if `write`, or until the other side has gone. Without either
    /// it is not waited for at all: that somebody has gone is a state that would end every wait at once.
    pub fn of(descriptor: BorrowedFd<'a>, read: bool, write: bool) -> Self {
        let events = if read { libc::POLLIN } else { 0 } | if write { libc::POLLOUT } else { 0 };
        Self { descriptor: Some(descriptor).filter(|_| read || write), events }
    }

    /// Wait for nothing.
    pub const NONE: Watch<'static> = Watch { descriptor: None, events: 0 };
}

/// What can be done without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ready {
    /// Reading: there is something, or the end.
    pub read: bool,
    /// Writing: there is room, or nobody reads it any more.
    pub write: bool,
}

/// Wait until something can be done; what, in the order of `watches`. Without a time limit.
pub fn wait(watches: &[Watch<'_>]) -> Result<Vec<Ready>> {
    poll(watches, None)
}

/// The same, for so long at most: then nothing is ready.
pub fn wait_at_most(watches: &[Watch<'_>], most: Duration) -> Result<Vec<Ready>> {
    poll(watches, Some(Instant::now() + most))
}

fn poll(watches: &[Watch<'_>], end: Option<Instant>) -> Result<Vec<Ready>> {
    let mut all: Vec<libc::pollfd> = watches
        .iter()
        .map(|watch| libc::pollfd {
            fd: watch.descriptor.map_or(-1, |descriptor| descriptor.as_raw_fd()),
            events: watch.events,
            revents: 0,
        })
        .collect();
    ask(Call::Other(&Stream::Poll { descriptors: all.len() }), || {
        let (first, count) = (all.as_mut_ptr(), all.len() as libc::nfds_t);
        retry(|| {
            // A rest of less than a millisecond is one, or the wait would end early.
            let left =
                end.map(|end| end.saturating_duration_since(Instant::now()).as_micros().div_ceil(1000));
            let limit = left.map_or(-1, |left| i32::try_from(left).unwrap_or(i32::MAX));
            // SAFETY: `all` has `count` members; each descriptor is borrowed for the whole of the call, or -1.
            Errno::result(unsafe { libc::poll(first, count, limit) })
        })
    })?;
    let gone = libc::POLLHUP | libc::POLLERR | libc::POLLNVAL;
    let ready = |one: &libc::pollfd, event| one.events & event != 0 && one.revents & (event | gone) != 0;
    Ok(all
        .iter()
        .map(|one| Ready { read: ready(one, libc::POLLIN), write: ready(one, libc::POLLOUT) })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::pipe;
    use std::os::fd::AsFd;

    #[test]
    fn what_is_not_there_is_not_waited_for() {
        let (out, into) = pipe::pipe().unwrap();
        set_nonblocking(out.as_fd()).unwrap();
        set_nonblocking(into.as_fd()).unwrap();
        let mut room = [0; 8];
        assert_eq!(read_some(out.as_fd(), &mut room).unwrap(), Taken::Nothing);
        assert_eq!(write_some(into.as_fd(), b"abc").unwrap(), 3);
        assert_eq!(read_some(out.as_fd(), &mut room).unwrap(), Taken::Bytes(3));
        while write_some(into.as_fd(), &[0; 4096]).unwrap() > 0 {}
        drop(into);
        let mut all = vec![0; 1 << 20];
        assert!(matches!(read_some(out.as_fd(), &mut all).unwrap(), Taken::Bytes(_)));
        assert_eq!(read_some(out.as_fd(), &mut all).unwrap(), Taken::End);
    }

    #[test]
    fn one_of_many_is_found() {
        let (quiet, (out, into)) = (pipe::pipe().unwrap(), pipe::pipe().unwrap());
        drop(into);
        let watches =
            [Watch::NONE, Watch::of(quiet.0.as_fd(), true, false), Watch::of(out.as_fd(), true, false)];
        let ready = wait(&watches).unwrap();
        assert_eq!(ready.iter().map(|one| one.read).collect::<Vec<_>>(), [false, false, true]);
        let watches = [Watch::of(out.as_fd(), false, false), Watch::of(quiet.1.as_fd(), false, true)];
        assert_eq!(wait(&watches).unwrap()[1], Ready { read: false, write: true });
    }
}
