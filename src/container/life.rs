//! What a person does to a container from outside: stop, kill, pause, unpause, wait, rename, remove.
//!
//! Which process: any `minidocker`, beside the container's supervisor. It signals the first process itself, by a
//! descriptor; what it wants to become of the container it has written down before (`wish`), so that the supervisor,
//! which sees the end, knows whether that was somebody's will.

use super::alive::{self, Alive, State};
use super::parts::Parts;
use super::record::{self, Config, Phase, Status, Wish};
use super::report::Outcome;
use super::tell::tell;
use super::{plan, reclaim};
use crate::cgroup::stop;
use crate::console;
use crate::error::{Error, LifeProblem, Problem, Result};
use crate::process::Child;
use crate::process::signals::{self, SIGKILL, SIGTERM};
use crate::process::supervise;
use crate::state::Root;
use crate::step::{Step, take};
use std::time::Duration;

/// How a container is to be stopped: what was not said is the container's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stop {
    /// The signal by which it is asked to end.
    pub signal: Option<i32>,
    /// Seconds until it is killed; -1 for never.
    pub timeout: Option<i64>,
}

/// Stop the container that `word` means: ask it to end, kill it if it does not in time, and wait until its supervisor
/// has cleared up. One that does not run is stopped already.
pub fn stop(root: &Root, word: &str, how: Stop) -> Result<()> {
    take(Step::Stop, || end(root, word, how, Wish::Stop))
}

/// The same for a container that will be started again by the caller; its id.
pub fn stop_to_restart(root: &Root, word: &str, how: Stop) -> Result<String> {
    take(Step::Stop, || end(root, word, how, Wish::Restart))?;
    root.find(word)
}

/// Note that the container `id`, which was stopped to be started again, has been.
pub fn restarted(root: &Root, id: &str) -> Result<()> {
    if let Some(config) = Config::load(&root.container(id))? {
        tell(root, &config.spec, "restart", &[]);
    }
    Ok(())
}

fn end(root: &Root, word: &str, how: Stop, wish: Wish) -> Result<()> {
    let id = root.find(word)?;
    match alive::state(root, &id)? {
        State::Idle(_) => Ok(()),
        State::Waiting(waiting) => {
            wish.save(&root.container(&id))?;
            supervise::send(&waiting.2, SIGTERM)?;
            supervise::wait_ended(&waiting.2, None).map(drop)
        }
        State::Running(running) => {
            wish.save(&root.container(&id))?;
            ask_to_end(root, &running, how)?;
            supervise::wait_ended(&running.supervisor, None)?;
            tell(root, &running.config.spec, "stop", &[]);
            Ok(())
        }
    }
}

/// Send the first signal, wait, send the second, and wait until the first process has ended. A paused container is
/// thawed, since a frozen process acts on no signal.
fn ask_to_end(root: &Root, running: &Alive, how: Stop) -> Result<()> {
    let spec = &running.config.spec;
    let seconds = how.timeout.unwrap_or(spec.stop_timeout);
    send(root, running, how.signal.unwrap_or(spec.stop_signal))?;
    thaw(running)?;
    let grace = u64::try_from(seconds).ok().map(Duration::from_secs);
    if supervise::wait_ended(&running.first, grace)? {
        return Ok(());
    }
    send(root, running, SIGKILL)?;
    supervise::wait_ended(&running.first, None).map(drop)
}

/// A frozen process acts on no signal before it is thawed; on v1 not even on SIGKILL.
fn thaw(running: &Alive) -> Result<()> {
    let group = running.group()?;
    if stop::is_frozen(&group)? { stop::freeze(&group, false) } else { Ok(()) }
}

fn send(root: &Root, running: &Alive, signal: i32) -> Result<()> {
    supervise::send(&running.first, signal)?;
    tell(root, &running.config.spec, "kill", &[("signal", &signal.to_string())]);
    Ok(())
}

/// Send a signal, by its name or number, to the first process of a running container.
pub fn kill(root: &Root, word: &str, signal: &str) -> Result<()> {
    let signal = signals::parse(signal)?;
    take(Step::Kill, || {
        let running = alive::find(root, word)?;
        let deadly = signal == SIGKILL || signal == running.config.spec.stop_signal;
        if deadly {
            Wish::Stop.save(&running.config.spec.directory)?;
        }
        send(root, &running, signal)?;
        if signal == SIGKILL {
            thaw(&running)?;
        }
        Ok(())
    })
}

/// Stop all processes of a running container where they are.
pub fn pause(root: &Root, word: &str, parts: &Parts) -> Result<()> {
    take(Step::Pause, || {
        let running = alive::find(root, word)?;
        let group = running.group_to_freeze()?;
        if stop::is_frozen(&group)? {
            return Err(Error::new(Problem::Life(LifeProblem::AlreadyPaused { name: word.to_owned() })));
        }
        (parts.freeze)(&group, true)?;
        tell(root, &running.config.spec, "pause", &[]);
        Ok(())
    })
}

/// Let them go on.
pub fn unpause(root: &Root, word: &str, parts: &Parts) -> Result<()> {
    take(Step::Unpause, || {
        let running = alive::find(root, word)?;
        let group = running.group_to_freeze()?;
        if !stop::is_frozen(&group)? {
            return Err(Error::new(Problem::Life(LifeProblem::NotPaused { name: word.to_owned() })));
        }
        (parts.freeze)(&group, false)?;
        tell(root, &running.config.spec, "unpause", &[]);
        Ok(())
    })
}

/// Wait until a container does not run; its exit status.
///
/// The supervisor tells it to who waits: of a container that is deleted when it ends nothing is left to be read then. Of
/// one that could not be asked, since it had just ended, or was killed, the status is what its record says.
pub fn wait(root: &Root, word: &str) -> Result<u8> {
    let id = root.find(word)?;
    loop {
        match alive::state(root, &id) {
            Ok(State::Idle(idle)) => return Ok(idle.1.exit),
            Ok(State::Running(running)) => {
                let told = console::client::wait_for_end(&root.container(&id))?;
                let outcome: Option<Outcome> = told.and_then(|json| serde_json::from_slice(&json).ok());
                wait_for(&running.supervisor)?;
                if let Some(outcome) = outcome {
                    return Ok(outcome.status);
                }
            }
            Ok(State::Waiting(waiting)) => wait_for(&waiting.2)?,
            Err(_) if root.find(word).is_err() => return Ok(0),
            Err(error) => return Err(error),
        }
    }
}

fn wait_for(supervisor: &Child) -> Result<()> {
    supervise::wait_ended(supervisor, None).map(drop)
}

/// Give a container another name.
pub fn rename(root: &Root, word: &str, name: &str) -> Result<()> {
    plan::check_name(name)?;
    take(Step::Rename, || {
        let held = root.lock()?;
        let id = root.find(word)?;
        let (mut config, _) = record::load(root, &id)?;
        root.change_name(&held, &id, name)?;
        reclaim::finish_renaming(root, &held, &id)?;
        let old = std::mem::replace(&mut config.spec.name, name.to_owned());
        tell(root, &config.spec, "rename", &[("oldName", &old)]);
        Ok(())
    })
}

/// Remove a container; with `volumes`, those that were made for it alone too. One that runs is `StillRunning`, unless
/// `force` kills first whoever is in its group.
pub fn remove(root: &Root, word: &str, force: bool, volumes: bool, parts: &Parts) -> Result<()> {
    let id = root.find(word)?;
    if force {
        take(Step::Kill, || kill_and_wait(root, &id, parts))?;
    }
    take(Step::Cleanup, || {
        let held = root.lock()?;
        match reclaim::remove(root, &held, &id, word, volumes, parts.kill) {
            // Its supervisor was faster: it was to be deleted when it ended.
            Err(error) if force && (error.is_absence() || root.find(&id).is_err()) => Ok(()),
            answer => answer,
        }
    })
}

/// Kill whatever of the container runs, and wait until its supervisor has ended. (One whose record cannot be read is
/// killed with its supervisor.)
///
/// The kernel kills a pid namespace with its first process. In the group may be others, and on v1 a frozen process does
/// not take the signal.
fn kill_and_wait(root: &Root, id: &str, parts: &Parts) -> Result<()> {
    let Some(supervisor) = root.supervisor(id)? else { return Ok(()) };
    Wish::Stop.save(&root.container(id))?;
    match alive::state(root, id) {
        Ok(State::Idle(_)) => return Ok(()),
        Ok(State::Running(running)) => {
            send(root, &running, SIGKILL)?;
            match (parts.kill)(&running.group()?) {
                // Its supervisor was faster: the group has gone with the last of them.
                Err(error) if error.is_absence() => {}
                answer => answer?,
            }
        }
        Ok(State::Waiting(_)) => supervise::send(&supervisor, SIGTERM)?,
        Err(_) => supervise::send(&supervisor, SIGKILL)?,
    }
    wait_for(&supervisor)
}

/// Whether nothing of a container runs.
pub fn is_idle(status: &Status) -> bool {
    !matches!(status.phase, Phase::Running { .. } | Phase::Restarting)
}

/// What `word` means, if its record can be read: for those who only look.
pub fn look(root: &Root, word: &str) -> Result<(Config, Status)> {
    record::load(root, &root.find(word)?)
}
