//! The client's half: make a supervisor, and be there for the person until the container ends or is detached.
//!
//! Which process: the `minidocker run` or `start` that the person typed, on the person's terminal. Signals that reach it
//! are passed on to the supervisor, which passes them on to the container. It may be killed: the container goes on.

use super::Parts;
use super::claim::Task;
use super::plan::{self, Request, Wishes};
use super::report::{self, Reporter, Word};
use super::supervisor::{Guest, supervise};
use crate::console;
use crate::console::client::{Client, Keys, Manner, Outcome};
use crate::console::message::Wish;
use crate::error::{ConsoleProblem, Error, LifeProblem, Problem, Result};
use crate::process::signals::SIGKILL;
use crate::process::supervise::Signals;
use crate::process::words::Listener;
use crate::process::{self, Child, Ended, Forked, command};
use crate::state::Root;
use crate::step::{Step, take};
use std::os::fd::{AsFd, BorrowedFd};

/// What became of a container, as far as the client was there.
#[derive(Debug)]
pub enum End {
    /// It ended.
    Ended(report::Outcome),
    /// It was started to go on without us; its id.
    Detached(String),
    /// It goes on, and the person left; the exit status of that.
    Left(u8),
}

/// What is to be told to the person meanwhile.
pub trait Host {
    /// What of earlier containers could not be cleared away.
    fn left(&self, errors: Vec<Error>);
    /// What is lacking of what an ordinary user could have.
    fn lacking(&self, why: Error);
    /// The container's command runs.
    fn started(&self);
}

/// Run a new container.
pub fn run(root: &Root, request: &Request, parts: &Parts, host: &dyn Host) -> Result<End> {
    let manner = if request.detach { None } else { Some(manner_of(request)?) };
    let wishes = Wishes::of(request)?;
    let image = take(Step::Image, || plan::image(root, request))?;
    let task = Task::New { request, wishes: &wishes, image: &image };
    attend(manner, host, |signals, reporter, guest| supervise(root, &task, parts, signals, reporter, guest))
}

/// What the person's side is to be, by the options of `run`.
fn manner_of(request: &Request) -> Result<Manner> {
    let manner = Manner {
        terminal: request.tty,
        wish: Wish { output: true, input: request.interactive },
        keys: Keys::parse(request.detach_keys.as_deref().unwrap_or_default())?,
        proxy: request.sig_proxy,
        redraw: false,
    };
    manner.check().map(|()| manner)
}

/// Start the container `id`, which was created or has ended; with a `manner`, be there until its end.
pub fn start(root: &Root, id: &str, parts: &Parts, manner: Option<Manner>, host: &dyn Host) -> Result<End> {
    let task = Task::Old { id: id.to_owned() };
    attend(manner, host, |signals, reporter, guest| supervise(root, &task, parts, signals, reporter, guest))
}

/// Make a supervisor, which does `supervise` and ends with the status that this returns; and be there for the person, if
/// there is a `manner`. Two processes come out of the clone: the supervisor never leaves this function.
pub(super) fn attend(
    manner: Option<Manner>,
    host: &dyn Host,
    supervise: impl FnOnce(&Signals, Reporter, Option<Guest>) -> u8,
) -> Result<End> {
    let (reading, writing, go, pair, signals, forked) = take(Step::Supervise, || {
        let (reading, writing) = command::pipe()?;
        let go = command::pipe()?;
        let pair = manner.as_ref().map(|_| console::pair()).transpose()?;
        Ok((reading, writing, go, pair, Signals::hold()?, command::split()?))
    })?;
    let (ours, theirs) = pair.unzip();
    match forked {
        Forked::Child => {
            drop((reading, ours, go.1));
            let reporter = Reporter::new(writing, manner.is_none());
            if let Err(error) = command::wait_for_go(&go.0) {
                process::exit_now(reporter.end(Err(error)).into());
            }
            let guest = manner.zip(theirs).map(|(manner, socket)| Guest {
                socket,
                wish: manner.wish,
                size: manner.terminal.then(console::terminal_size).flatten(),
            });
            process::exit_now(supervise(&signals, reporter, guest).into())
        }
        Forked::Parent(supervisor) => {
            drop((writing, theirs, go.0));
            // Only now, so that each of the two is heard out: what is told of one does not mix with the other's.
            if let Err(error) = command::tell_go(go.1) {
                signals.unblock()?;
                return Err(error);
            }
            let detach = manner.is_none();
            let person = ours.zip(manner).map(|(socket, manner)| Client::new(socket, manner));
            let visit = Visit { supervisor: &supervisor, signals: &signals, person, cut_off: false };
            let end = visit.listen(Listener::new(reading), detach, host);
            signals.unblock()?;
            end
        }
    }
}

/// What the client has of its supervisor.
struct Visit<'a> {
    supervisor: &'a Child,
    signals: &'a Signals,
    /// What goes between the person and the container; `None` when nothing does any more.
    person: Option<Client>,
    /// The supervisor's end closed before it had said that this was all.
    cut_off: bool,
}

impl Visit<'_> {
    fn listen(mut self, mut words: Listener, detach: bool, host: &dyn Host) -> Result<End> {
        loop {
            if let Some(left) = self.stay(Some(words.descriptor().as_fd()))? {
                return left;
            }
            self.signals.forward_until_ready(self.supervisor, words.descriptor().as_fd())?;
            let Some(heard) = words.hear()? else {
                // What the container said may still be on its way.
                return match self.stay(None)? {
                    Some(left) => left,
                    None => vanished(self.supervisor),
                };
            };
            for word in heard {
                match word {
                    Word::Left(errors) => host.left(errors),
                    Word::Lacking(why) => host.lacking(why),
                    Word::Started { id } => {
                        host.started();
                        if detach {
                            return Ok(End::Detached(id));
                        }
                    }
                    Word::Ended(outcome) => return self.finish(Ok(End::Ended(outcome))),
                    Word::Failed(error) => return self.finish(Err(error)),
                }
            }
        }
    }

    /// Be between person and container until there is something to read from `aside`, or nothing goes between them any
    /// more; how the person left, if that comes first.
    fn stay(&mut self, aside: Option<BorrowedFd<'_>>) -> Result<Option<Result<End>>> {
        while let Some(person) = &mut self.person {
            match person.stay(Some(self.supervisor), self.signals.blocked(), aside)? {
                Outcome::Aside => return Ok(None),
                Outcome::Ended(_) => self.person = None,
                Outcome::Gone => {
                    self.person = None;
                    self.cut_off = true;
                }
                left => {
                    self.person = None;
                    return Ok(Some(leave(&left)));
                }
            }
        }
        Ok(None)
    }

    /// The last word was heard. What the container said before may not be written yet.
    fn finish(mut self, end: Result<End>) -> Result<End> {
        if let Some(left) = self.stay(None)? {
            return left;
        }
        command::wait(self.supervisor)?;
        match end {
            Ok(End::Ended(_)) if self.cut_off => {
                Err(Error::new(Problem::Console(ConsoleProblem::OutputLost)))
            }
            end => end,
        }
    }
}

/// How a client ends whose container goes on.
pub fn leave(outcome: &Outcome) -> Result<End> {
    match outcome {
        Outcome::Signaled(signal) => Ok(End::Left(Ended::Signaled(*signal).status())),
        Outcome::Broken => Err(Error::new(Problem::Console(ConsoleProblem::OutputBroken))),
        _ => Ok(End::Left(0)),
    }
}

/// The supervisor has ended without a last word that arrived: then its exit status says the same. A signal by which a
/// person gives up ends it as long as there is nothing of the container to be cleared up.
fn vanished(supervisor: &Child) -> Result<End> {
    match command::wait(supervisor)? {
        ended if ended != Ended::Signaled(SIGKILL) => Ok(End::Ended(report::Outcome::of(ended.status()))),
        _ => Err(Error::new(Problem::Life(LifeProblem::SupervisorVanished))),
    }
}
