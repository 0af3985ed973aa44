//! A container that runs, held so that it cannot be mistaken for another: its first process and its supervisor by
//! descriptors, which name one process for ever.

use super::record::{self, Config, Phase, Status};
use crate::cgroup::Group;
use crate::error::{Error, LifeProblem, Problem, Result};
use crate::process::Child;
use crate::process::supervise;
use crate::state::Root;

/// A container whose command runs.
#[derive(Debug)]
pub struct Alive {
    /// What it is.
    pub config: Config,
    /// Where it is in its life.
    pub status: Status,
    /// Its first process.
    pub first: Child,
    /// Its supervisor.
    pub supervisor: Child,
}

/// What a container is doing, seen from outside.
#[derive(Debug)]
pub enum State {
    /// It runs.
    Running(Box<Alive>),
    /// Its supervisor is about to start it, or waits before it does so again.
    Waiting(Box<(Config, Status, Child)>),
    /// Nobody has it: it was created, or has ended.
    Idle(Box<(Config, Status)>),
}

/// The state of the container `id`.
///
/// The supervisor is asked for before the record is read, and the record is believed only while that supervisor lives;
/// the first process counts only if it was started when the record says, since a pid may be somebody else's by now.
pub fn state(root: &Root, id: &str) -> Result<State> {
    let Some(supervisor) = root.supervisor(id)? else {
        return Ok(State::Idle(Box::new(record::load(root, id)?)));
    };
    let (config, status) = record::load(root, id)?;
    let first = match status.phase {
        Phase::Running { pid, started } => supervise::hold_same(pid, started)?,
        _ => None,
    };
    Ok(match first {
        Some(first) => State::Running(Box::new(Alive { config, status, first, supervisor })),
        None => State::Waiting(Box::new((config, status, supervisor))),
    })
}

/// The running container that `word` means; `NotRunning` when it does not run.
pub fn find(root: &Root, word: &str) -> Result<Alive> {
    match state(root, &root.find(word)?)? {
        State::Running(running) => Ok(*running),
        _ => Err(Error::new(Problem::NotRunning { name: word.to_owned() })),
    }
}

impl Alive {
    /// Its cgroup, as far as there is one.
    pub fn group(&self) -> Result<Group> {
        Group::find(&self.config.spec.id)
    }

    /// Its cgroup; `NoGroup` where none could be made for it.
    pub fn group_to_freeze(&self) -> Result<Group> {
        let group = self.group()?;
        match group.can_freeze() {
            true => Ok(group),
            false => {
                let name = self.config.spec.name.clone();
                Err(Error::new(Problem::Life(LifeProblem::CannotFreeze { name })))
            }
        }
    }

    /// Whether it is paused.
    pub fn is_paused(&self) -> Result<bool> {
        crate::cgroup::stop::is_frozen(&self.group()?)
    }
}
