//! The client's half: make a supervisor, and be there for the person until the container ends or is detached.
//!
//! Which process: the `minidocker run` or `start` that the person typed, on the person's terminal. Signals that reach it
//! are passed on to the supervisor, which passes them on to the container. It may be killed: the container goes on.

use super::Parts;
use super::plan::{self, Request, Wishes};
use super::report::{Outcome, Reporter, Word};
use super::supervisor::{Task, supervise};
use crate::error::{Error, LifeProblem, Problem, Result};
use crate::process::signals::SIGKILL;
use crate::process::supervise::Signals;
use crate::process::words::Listener;
use crate::process::{self, Child, Ended, Forked, Role, become_role, command};
use crate::state::Root;
use crate::step::{Step, take};
use std::os::fd::AsFd;

/// What became of a container, as far as the client was there.
#[derive(Debug)]
pub enum End {
    /// It ended.
    Ended(Outcome),
    /// It goes on without us; its id.
    Detached(String),
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
    let wishes = Wishes::of(request)?;
    let image = take(Step::Image, || plan::image(root, request))?;
    let task = Task::New { request, wishes: &wishes, image: &image };
    attend(root, &task, parts, request.detach, host)
}

/// Start the container `id`, which was created or has ended; with `attach`, be there until its end.
pub fn start(root: &Root, id: &str, parts: &Parts, attach: bool, host: &dyn Host) -> Result<End> {
    attend(root, &Task::Old { id: id.to_owned() }, parts, !attach, host)
}

/// Two processes come out of the clone: the supervisor never leaves this function.
fn attend(root: &Root, task: &Task<'_>, parts: &Parts, detach: bool, host: &dyn Host) -> Result<End> {
    let (reading, writing) = command::pipe()?;
    let signals = Signals::hold()?;
    match command::split()? {
        Forked::Child => {
            drop(reading);
            become_role(Role::Runtime);
            let mut reporter = Reporter::new(writing, detach);
            let result = supervise(root, task, parts, &signals, &mut reporter);
            process::exit_now(reporter.end(result).into())
        }
        Forked::Parent(supervisor) => {
            drop(writing);
            let end = listen(Listener::new(reading), &supervisor, &signals, detach, host);
            signals.unblock()?;
            end
        }
    }
}

fn listen(
    mut words: Listener,
    supervisor: &Child,
    signals: &Signals,
    detach: bool,
    host: &dyn Host,
) -> Result<End> {
    loop {
        signals.forward_until_ready(supervisor, words.descriptor().as_fd())?;
        let Some(heard) = words.hear()? else { return vanished(supervisor) };
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
                Word::Ended(outcome) => {
                    command::wait(supervisor)?;
                    return Ok(End::Ended(outcome));
                }
                Word::Failed(error) => {
                    command::wait(supervisor)?;
                    return Err(error);
                }
            }
        }
    }
}

/// The supervisor has ended without a last word. A signal by which a person gives up ends it as long as there is nothing
/// of the container to be cleared up.
fn vanished(supervisor: &Child) -> Result<End> {
    match command::wait(supervisor)? {
        Ended::Signaled(signal) if signal != SIGKILL => {
            Ok(End::Ended(Outcome { status: Ended::Signaled(signal).status(), out_of_memory: None }))
        }
        _ => Err(Error::new(Problem::Life(LifeProblem::SupervisorVanished))),
    }
}
