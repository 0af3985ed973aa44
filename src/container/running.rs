//! A container that runs, found by a word of the person's and held: its namespaces open, its cgroup known.
//!
//! A pid may be somebody else's a moment later. So the doors are opened first, and whether the container still runs,
//! with the same first process, is asked when they are open: opened namespaces stay the same whatever comes.

use super::record::{Config, Phase, Status};
use super::spec::Spec;
use crate::cgroup::{Group, stop};
use crate::error::{Error, InsideProblem, LifeProblem, Problem, Result};
use crate::namespace::join::Doors;
use crate::process::supervise;
use crate::rootfs::target::{self, Place};
use crate::state::Root;

/// A running container, and the ways into it.
#[derive(Debug)]
pub struct Running {
    /// What the person called it.
    pub name: String,
    /// Its plan.
    pub spec: Spec,
    /// Its first process, by its pid on the host and when that was started.
    pub first: (i32, u64),
    /// The namespaces whose joining acts on children alone, or comes before all others: user and pid.
    pub outer: Doors,
    /// The others.
    pub inner: Doors,
    /// What is its root directory.
    pub root: Place,
    /// Its cgroup.
    pub group: Group,
}

/// A container's first process, as its record has it: its spec, pid and start time. `NotRunning` if there is none.
pub fn look_up(root: &Root, word: &str) -> Result<(Spec, (i32, u64))> {
    let id = root.find(word)?;
    let not_running = || Error::new(Problem::NotRunning { name: word.to_owned() });
    // One whose record is not whole is about to be made, or removed.
    let directory = root.container(&id);
    let (Some(config), Some(status)) = (Config::load(&directory)?, Status::load(&directory)?) else {
        return Err(not_running());
    };
    let Phase::Running { pid, started } = status.phase else { return Err(not_running()) };
    if !runs(root, &id, (pid, started))? {
        return Err(not_running());
    }
    Ok((config.spec, (pid, started)))
}

/// The first process of the container that `word` means, and all that its cgroup has; none where it has no cgroup.
pub fn processes(root: &Root, word: &str) -> Result<(i32, Vec<i32>)> {
    let (spec, first) = look_up(root, word)?;
    let group = Group::find(&spec.id)?;
    let pids = group.places.first().map(|place| stop::pids_below(&place.directory)).transpose()?;
    Ok((first.0, pids.unwrap_or_default()))
}

/// Whether container `id` runs, with this first process.
pub fn runs(root: &Root, id: &str, first: (i32, u64)) -> Result<bool> {
    Ok(root.is_running(id)? && supervise::lives(first)?)
}

impl Running {
    /// Find the container that `word` means, and open its doors.
    ///
    /// Errors: `NoSuchContainer`; `NotRunning`, also for one that has not yet a root of its own;
    /// `ProcessClosed` when it is another user's.
    pub fn find(root: &Root, word: &str) -> Result<Self> {
        let (spec, first) = look_up(root, word)?;
        let id = spec.id.clone();
        let not_running = || Error::new(Problem::NotRunning { name: word.to_owned() });
        let opened = open(word, spec, first);
        if !runs(root, &id, first)? {
            return Err(not_running());
        }
        let running = opened?;
        // Before it has a mount namespace and a root of its own, whoever goes in would find the host.
        if !running.inner.kinds().any(|kind| kind == "mnt") || running.root == target::own_root()? {
            return Err(not_running());
        }
        Ok(running)
    }

    /// `Paused` if nobody who goes in could do anything.
    pub fn require_not_paused(&self) -> Result<()> {
        match stop::is_frozen(&self.group)? {
            true => Err(Error::new(Problem::Life(LifeProblem::Paused { name: self.name.clone() }))),
            false => Ok(()),
        }
    }

    /// Through all doors, but that into the pid namespace only children go.
    pub fn enter(&self) -> Result<()> {
        self.outer.enter()?;
        self.enter_inner(Doors::enter)
    }

    /// Through the inner doors, as `enter` does that; the mount namespace, the last, brings its root directory along,
    /// which must be the container's.
    pub fn enter_inner(&self, enter: fn(&Doors) -> Result<()>) -> Result<()> {
        enter(&self.inner)?;
        if target::own_root()? == self.root {
            return Ok(());
        }
        Err(Error::new(Problem::Inside(InsideProblem::Ended { name: self.name.clone() })))
    }

    /// What `error` means for somebody on the way in, if the container has ended meanwhile: whatever was refused, that
    /// is why.
    pub fn explain(&self, root: &Root, error: Error) -> Error {
        let interrupted = matches!(error.problem, Problem::Interrupted { .. });
        if interrupted || runs(root, &self.spec.id, self.first).unwrap_or(true) {
            return error;
        }
        Error::new(Problem::Inside(InsideProblem::Ended { name: self.name.clone() }))
    }
}

/// Open the doors of the container's first process. Where that is ours, as with `--init`, it hides from its own user
/// too; the command, its child, is in the same namespaces, or in some that it made in these.
fn open(word: &str, spec: Spec, first: (i32, u64)) -> Result<Running> {
    match open_those_of(first.0, word, &spec, first) {
        Err(Error { problem: Problem::ProcessClosed { .. }, .. }) if spec.init => {}
        answer => return answer,
    }
    let closed = || Error::new(Problem::ProcessClosed { pid: first.0 });
    let child = supervise::first_child(first.0)?.ok_or_else(closed)?;
    let opened = open_those_of(child.0, word, &spec, first);
    // The same process as before, and still of this container, is the one whose doors were opened.
    match supervise::lives(child)? && supervise::parent_of(child.0).is_ok_and(|parent| parent == first.0) {
        true => opened,
        false => Err(closed()),
    }
}

fn open_those_of(pid: i32, word: &str, spec: &Spec, first: (i32, u64)) -> Result<Running> {
    let is_outer = |kind: &str| kind == "user" || kind == "pid";
    Ok(Running {
        name: word.to_owned(),
        outer: Doors::open(pid, is_outer)?,
        inner: Doors::open(pid, |kind| !is_outer(kind))?,
        root: target::root_of(pid)?,
        group: Group::find(&spec.id)?,
        spec: spec.clone(),
        first,
    })
}
