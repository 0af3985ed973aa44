//! The client: between the person's terminal or files and a container's supervisor.
//!
//! Which process: the one that the person started (`run`, `start -a`, `attach`, `exec`), with all signals blocked, 0, 1
//! and 2 as the person gave them. Whatever becomes of it, the container goes on, unless a signal is passed on to it or
//! its input ends by it. A terminal that was made raw is put back however this ends, except by SIGKILL.

mod keys;
mod wait;

pub use keys::Keys;
pub use wait::wait_for_end;

use super::message::{LARGEST, Message, ROOM, Stream, Wish};
use super::{Size, listener, terminal_size};
use crate::error::{ConsoleProblem, Error, Problem, Result};
use crate::sys::errno::ESRCH;
use crate::sys::process::{self, Child};
use crate::sys::ready::{self, Taken, Watch};
use crate::sys::seqpacket::{self, Received};
use crate::sys::signal::{Blocked, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGWINCH};
use crate::sys::{file, pty, termios};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// What a client does with the person's side.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// The container has a terminal.
    pub terminal: bool,
    /// What is wanted of the container.
    pub wish: Wish,
    /// The keys to leave by, where there is a terminal and input.
    pub keys: Keys,
    /// Pass signals on to the container (`--sig-proxy`). With a terminal none ever is: there, keys send them.
    pub proxy: bool,
    /// Have what is on the container's terminal drawn again: its size is changed and changed back.
    pub redraw: bool,
}

impl Manner {
    /// Docker's refusal: input for a terminal must come from one.
    pub fn check(&self) -> Result<()> {
        let not_one = self.terminal && self.wish.input && pty::size(file::standard()[0].0).is_err();
        if not_one { Err(Error::new(Problem::Console(ConsoleProblem::NotATerminal))) } else { Ok(()) }
    }
}

/// How it ended between client and supervisor.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The container has ended; the supervisor's words on how, in JSON.
    Ended(Vec<u8>),
    /// The person left by the keys. The container goes on.
    Detached,
    /// A signal ended this client, and was not to be passed on. The container goes on.
    Signaled(i32),
    /// Nobody reads what this client writes any more. The container goes on.
    Broken,
    /// The supervisor has gone without a last word: nothing has started, or it was killed, and the container with it.
    Gone,
    /// The other descriptor that was waited for can be read. Nothing is over.
    Aside,
}

/// A client, connected.
#[derive(Debug)]
pub struct Client {
    socket: OwnedFd,
    manner: Manner,
    started: bool,
    /// The container was running when this client came.
    late: bool,
    exited: bool,
    /// Input may be read and sent: the last was taken.
    credit: bool,
    /// What was received and not written yet.
    output: Vec<u8>,
    stream: Stream,
    room: Vec<u8>,
}

impl Client {
    /// The client on `socket`, its end of a [`pair`](super::pair), of which the supervisor knows what it wants.
    pub fn new(socket: OwnedFd, manner: Manner) -> Self {
        let (credit, stream) = (manner.wish.input, Stream::Stdout);
        let (output, room) = (Vec::new(), vec![0; ROOM]);
        let (started, late, exited) = (false, false, false);
        Self { socket, manner, started, late, exited, credit, output, stream, room }
    }

    /// A client of the running container with this `directory`; `None` when it does not run.
    pub fn connect(directory: &Path, manner: Manner) -> Result<Option<Self>> {
        let Some(socket) = listener::connect(directory)? else { return Ok(None) };
        match Message::Hello(manner.wish).send(socket.as_fd()) {
            Ok(_) => {
                let mut client = Self::new(socket, manner);
                client.late = true;
                Ok(Some(client))
            }
            // It has ended in this very moment.
            Err(_) => Ok(None),
        }
    }

    /// Stay until it is over, or the person leaves, or there is something to be read from `aside`: then see to that, and
    /// come back. Signals that are passed on go to `whom`, else over the socket.
    pub fn stay(
        &mut self,
        whom: Option<&Child>,
        signals: &Blocked,
        aside: Option<BorrowedFd<'_>>,
    ) -> Result<Outcome> {
        signals.allow_job_control()?;
        loop {
            let reads = self.started && !self.exited && self.credit;
            let idle = self.output.is_empty();
            let watches = [
                Watch::of(signals.descriptor(), true, false),
                Watch::of(self.socket.as_fd(), idle, false),
                Watch::of(self.destination(), false, !idle),
                Watch::of(file::standard()[0].0, reads, false),
                aside.map_or(Watch::NONE, |aside| Watch::of(aside, true, false)),
            ];
            let ready = ready::wait(&watches)?;
            while let Some(signal) = signals.take() {
                if let Some(outcome) = self.obey(signal, whom)? {
                    return Ok(outcome);
                }
            }
            if ready[2].write && !self.write() {
                self.tell(&Message::Detach)?;
                return Ok(Outcome::Broken);
            }
            if ready[1].read {
                if let Some(outcome) = self.listen()? {
                    return Ok(outcome);
                }
            }
            if ready[3].read && self.read()? {
                return Ok(Outcome::Detached);
            }
            if ready[4].read {
                return Ok(Outcome::Aside);
            }
        }
    }

    /// Where the output at hand goes.
    fn destination(&self) -> BorrowedFd<'static> {
        file::standard()[if self.stream == Stream::Stdout { 1 } else { 2 }].0
    }

    /// Write what there is room for; whether there is anybody to read it. A pipe that can be written has room for 4096
    /// bytes, pipe(7): more might wait, and signals with it.
    fn write(&mut self) -> bool {
        const SURE: usize = 4096;
        let end = self.output.len().min(SURE);
        match ready::write_some(self.destination(), &self.output[..end]) {
            Ok(count) => {
                self.output.drain(..count);
                true
            }
            Err(_) => false,
        }
    }

    /// Take one message of the supervisor's; the outcome, if it is the last.
    fn listen(&mut self) -> Result<Option<Outcome>> {
        let count = match seqpacket::receive(self.socket.as_fd(), &mut self.room)? {
            Received::Message(count) => count,
            Received::Nothing => return Ok(None),
            Received::End => return Ok(Some(Outcome::Gone)),
        };
        match Message::read(&self.room[..count]) {
            Some(Message::Output(stream, bytes)) => {
                self.output.extend_from_slice(bytes);
                self.stream = stream;
            }
            Some(Message::Started(_)) => self.begin()?,
            Some(Message::More) => self.credit = true,
            Some(Message::Exited) => {
                self.exited = true;
                termios::restore()?;
            }
            Some(Message::Ended(json)) => return Ok(Some(Outcome::Ended(json.to_vec()))),
            _ => {}
        }
        Ok(None)
    }

    /// The container runs: from now on keys and the window's size are its.
    fn begin(&mut self) -> Result<()> {
        (self.started, self.exited) = (true, false);
        if !self.manner.terminal {
            return Ok(());
        }
        if self.manner.redraw {
            if let Some(Size { rows, columns }) = terminal_size() {
                self.tell(&Message::Resize(Size { rows: rows.saturating_add(1), columns }))?;
            }
        }
        self.tell_size()?;
        self.make_raw()
    }

    fn make_raw(&self) -> Result<()> {
        if self.manner.wish.input { termios::make_raw(file::standard()[0].0) } else { Ok(()) }
    }

    fn tell_size(&self) -> Result<()> {
        terminal_size().map_or(Ok(()), |size| self.tell(&Message::Resize(size)))
    }

    /// Tell the supervisor, who always listens. One that has gone is noticed by what it says last.
    fn tell(&self, message: &Message<'_>) -> Result<()> {
        while let Ok(false) = message.send(self.socket.as_fd()) {
            ready::wait(&[Watch::of(self.socket.as_fd(), false, true)])?;
        }
        Ok(())
    }

    /// Read input, and send it on; whether the person has typed the keys to leave.
    fn read(&mut self) -> Result<bool> {
        // A sequence of keys that was kept back may come on top.
        let mut room = [0; LARGEST / 2];
        let count = match ready::read_some(file::standard()[0].0, &mut room) {
            Ok(Taken::Bytes(count)) => count,
            Ok(Taken::Nothing) => return Ok(false),
            // What cannot be read, such as a directory, is at its end.
            Ok(Taken::End) | Err(_) => {
                self.credit = false;
                self.manner.wish.input = false;
                self.tell(&Message::InputEnd)?;
                return Ok(false);
            }
        };
        if !self.manner.terminal {
            self.send_input(&room[..count])?;
            return Ok(false);
        }
        let (passed, leaves) = self.manner.keys.filter(&room[..count]);
        if !passed.is_empty() {
            self.send_input(&passed)?;
        }
        if leaves {
            self.tell(&Message::Detach)?;
        }
        Ok(leaves)
    }

    fn send_input(&mut self, bytes: &[u8]) -> Result<()> {
        self.credit = false;
        self.tell(&Message::Input(bytes))
    }

    /// A signal came.
    fn obey(&mut self, signal: i32, whom: Option<&Child>) -> Result<Option<Outcome>> {
        let Manner { terminal, proxy, .. } = self.manner;
        // As long as the container is being started a signal gives that up, terminal or not.
        let ours = !proxy || terminal && (self.started || self.late);
        match signal {
            SIGCHLD | SIGPIPE => {}
            SIGWINCH if terminal => self.tell_size()?,
            // Whoever stopped and continued this process, a shell perhaps, has set the terminal to its own liking.
            SIGCONT if terminal && self.started && !self.exited => {
                self.make_raw()?;
                self.tell_size()?;
            }
            SIGHUP | SIGINT | SIGQUIT | SIGTERM if ours => {
                self.tell(&Message::Detach)?;
                return Ok(Some(Outcome::Signaled(signal)));
            }
            _ if ours => {}
            _ => match whom.map(|whom| process::send_signal(whom, signal)) {
                Some(Err(error)) if !error.is(ESRCH) => return Err(error),
                Some(_) => {}
                None => self.tell(&Message::Signal(signal))?,
            },
        }
        Ok(None)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // There is nobody to be told that the terminal has gone meanwhile.
        let _ = termios::restore();
    }
}
