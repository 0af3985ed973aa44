//! The supervisor's loop: between the container's ends, its clients, its log, the signals and its end.
//!
//! Which process: the container's supervisor, parent of its first process, with all signals blocked. One poll(2) waits
//! for everything at once. What the container says is written to the log, then given to every client, and only then is
//! more of it read: a client that reads slowly slows the container down, and loses nothing. One that has died is left.
//! So memory is one message's worth while the container runs, and what was left in pipes or terminal when it ended.

mod audience;
mod input;

use super::ends::Ends;
use super::listener::Listener;
use super::log::Log;
use super::message::{LARGEST, Stream, Wish};
use crate::error::{Error, Result};
use crate::sys::errno::ESRCH;
use crate::sys::process::{self, Child, Ended};
use crate::sys::pty;
use crate::sys::ready::{self, Taken, Watch};
use crate::sys::signal::{Blocked, SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGQUIT, SIGTERM};
use audience::{Audience, Heard};
use input::Input;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// What passes between one container and everybody else, over all its runs.
#[derive(Debug)]
pub struct Relay {
    log: Option<Log>,
    listener: Option<Listener>,
    audience: Audience,
    once: bool,
    unlogged: Option<Error>,
    buffer: Vec<u8>,
}

/// Signals that concern the supervisor itself and are never passed on.
const OUR_OWN: [i32; 2] = [SIGCHLD, SIGPIPE];

/// One run of the container.
struct Run<'a> {
    ends: Ends,
    input: Input,
    /// Whether more may come on standard output and error.
    open: [bool; 2],
    child: &'a Child,
    impatience: u32,
}

impl Relay {
    /// A relay for the container `id` without clients, log and listener.
    ///
    /// With `once` its input ends when the first client that sent input says that it has no more, or dies
    /// (`run -i`); else it stays open for the next who attaches (`run -d -i`).
    pub fn new(id: &str, once: bool) -> Self {
        let (audience, buffer) = (Audience::new(id), vec![0; LARGEST]);
        Self { log: None, listener: None, audience, once, unlogged: None, buffer }
    }

    /// Write down in the container's `directory`, whose lock this process holds, what it says; and let others attach there.
    /// Twice does no harm.
    pub fn open(&mut self, directory: &Path) -> Result<()> {
        if self.log.is_none() {
            self.log = Some(Log::open(directory)?);
        }
        if self.listener.is_none() {
            self.listener = Some(Listener::open(directory)?);
        }
        Ok(())
    }

    /// Take `socket`, this process's end of a [`pair`](super::pair), for a client that wants `wish`.
    pub fn add(&mut self, socket: OwnedFd, wish: Wish) {
        self.audience.add(socket, Some(wish));
    }

    /// Carry on until the container's first process `child` has ended, and reap it. On entry it has become its command.
    /// When this returns all that the container said is in the log; clients that are slow may still have to be given the
    /// last of it, which [`dismiss`](Self::dismiss) does.
    ///
    /// Every signal is passed on to the child, first those of `kept`, which came earlier. As pid 1 it is deaf to signals
    /// it has no handler for, so the third SIGINT or SIGTERM becomes a SIGKILL, as with `docker run`.
    pub fn until_end(
        &mut self,
        ends: Ends,
        child: &Child,
        signals: &Blocked,
        kept: Vec<i32>,
    ) -> Result<Ended> {
        let open = [true, ends.err().is_some()];
        let mut run = Run { ends, input: Input::default(), open, child, impatience: 0 };
        self.audience.begin();
        kept.into_iter().try_for_each(|signal| run.pass_on(signal))?;
        while !self.turn(&mut run, signals)? {}
        let ended = process::wait(child)?;
        self.drain(&run)?;
        self.audience.exited();
        Ok(ended)
    }

    /// Wait, and do what can be done; whether the child has ended.
    fn turn(&mut self, run: &mut Run<'_>, signals: &Blocked) -> Result<bool> {
        // What one client has not been given yet keeps everybody from more.
        let reading = !self.audience.is_behind();
        let listener = self.listener.as_ref().map(Listener::descriptor);
        // A write to the terminal and a read from it are two watches, since each can be waited for alone.
        let mut watches = vec![
            Watch::of(signals.descriptor(), true, false),
            Watch::of(run.child.pidfd.as_fd(), true, false),
            when(self.audience.has_room(), listener, false),
            when(reading && run.open[0], Some(run.ends.out()), false),
            when(reading && run.open[1], run.ends.err(), false),
            when(run.input.is_waiting(), run.ends.input(), true),
        ];
        let fixed = watches.len();
        watches.extend(self.audience.watches());
        let ready = ready::wait(&watches)?;
        if ready[0].read {
            while let Some(signal) = signals.take() {
                run.pass_on(signal)?;
            }
        }
        self.hear(run, &ready[fixed..])?;
        if ready[2].read {
            self.welcome();
        }
        for (index, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
            if ready[3 + index].read && !self.audience.is_behind() {
                run.open[index] = self.pass(run, stream)? != Taken::End;
            }
        }
        run.feed(&mut self.audience);
        self.audience.deliver();
        Ok(ready[1].read)
    }

    /// Let in who has connected. When that fails there is no descriptor left for it, and nobody more is let in.
    fn welcome(&mut self) {
        match self.listener.as_ref().map(Listener::accept) {
            Some(Ok(Some(socket))) => self.audience.add(socket, None),
            Some(Err(_)) => self.listener = None,
            _ => {}
        }
    }

    /// Read what the container says on `stream`, and pass it on.
    fn pass(&mut self, run: &Run<'_>, stream: Stream) -> Result<Taken> {
        let end = match stream {
            Stream::Stdout => run.ends.out(),
            Stream::Stderr => match run.ends.err() {
                Some(end) => end,
                None => return Ok(Taken::End),
            },
        };
        let taken = ready::read_some(end, &mut self.buffer)?;
        if let Taken::Bytes(count) = taken {
            let bytes = &self.buffer[..count];
            if let Some(Err(error)) = self.log.as_mut().map(|log| log.write(stream, bytes)) {
                // A full disk is no reason to stop the container, nor to keep from its clients what it says.
                self.unlogged.get_or_insert(error);
            }
            self.audience.offer(stream, bytes);
        }
        Ok(taken)
    }

    /// What is left in pipes or terminal now that every process of the container has ended. Somebody outside may have
    /// been given an end and hold it still; nobody waits for that.
    fn drain(&mut self, run: &Run<'_>) -> Result<()> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            while let Taken::Bytes(_) = self.pass(run, stream)? {}
        }
        Ok(())
    }

    /// Do what clients ask for.
    fn hear(&mut self, run: &mut Run<'_>, ready: &[ready::Ready]) -> Result<()> {
        for heard in self.audience.hear(ready) {
            match heard {
                Heard::Input(bytes) => run.input.add(&bytes),
                Heard::InputEnd if self.once => run.input.end(),
                Heard::InputEnd => {}
                // A terminal that has just lost its last process is no error of anybody's.
                Heard::Resize(size) => {
                    drop(run.ends.terminal().map(|terminal| pty::set_size(terminal, size)));
                }
                Heard::Signal(signal) => run.pass_on(signal)?,
            }
        }
        Ok(())
    }

    /// Give every client what it has not been given yet and then, as its last message, `outcome`: JSON. Then they are no
    /// clients any more. The container is cleared up by now, and its lock free.
    ///
    /// Nobody waits for a client that is slow: where one is, a copy of this process stays behind for it, which holds
    /// nothing of the container's. It ends with that client, or by a signal by which a person gives up.
    pub fn dismiss(&mut self, outcome: &[u8], signals: &Blocked) -> Result<()> {
        self.audience.say_last(outcome);
        self.audience.deliver();
        if self.audience.is_empty() || process::fork()?.is_some() {
            return Ok(());
        }
        process::exit_now(self.stay_for_the_slow(signals).map_or(125, |()| 0))
    }

    fn stay_for_the_slow(&mut self, signals: &Blocked) -> Result<()> {
        while !self.audience.is_empty() {
            let mut watches = vec![Watch::of(signals.descriptor(), true, false)];
            watches.extend(self.audience.watches());
            let ready = ready::wait(&watches)?;
            drop(self.audience.hear(&ready[1..]));
            while let Some(signal) = signals.take() {
                if [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(&signal) {
                    return Ok(());
                }
            }
            self.audience.deliver();
        }
        Ok(())
    }

    /// The first failure to write the log, if there was one: some of what was said is not in it.
    pub fn unlogged(&mut self) -> Option<Error> {
        self.unlogged.take()
    }

    /// Take the socket's name away: nobody attaches any more.
    pub fn close(&mut self) -> Result<()> {
        self.listener.take().map_or(Ok(()), Listener::close)
    }
}

/// `end`, if there is one, to be read, or with `write` to be written, if `condition` holds.
fn when(condition: bool, end: Option<BorrowedFd<'_>>, write: bool) -> Watch<'_> {
    end.filter(|_| condition).map_or(Watch::NONE, |end| Watch::of(end, !write, write))
}

impl Run<'_> {
    fn pass_on(&mut self, signal: i32) -> Result<()> {
        if OUR_OWN.contains(&signal) {
            return Ok(());
        }
        self.impatience += u32::from(signal == SIGINT || signal == SIGTERM);
        let signal = if self.impatience >= 3 { SIGKILL } else { signal };
        match process::send_signal(self.child, signal) {
            Err(error) if error.is(ESRCH) => Ok(()),
            answer => answer,
        }
    }

    /// Write input that is waiting, and tell who sent it when all of it is taken.
    fn feed(&mut self, audience: &mut Audience) {
        if self.input.feed(&mut self.ends) {
            audience.wants_more();
        }
    }
}

#[cfg(test)]
mod tests;
