//! Clear up after runtimes that were killed: every `minidocker` command that changes something begins so.
//!
//! Most of a container dies with its last process. What is left for us is its cgroup, its directory, its lease
//! of an address and, if it was the last on the bridge, the bridge. A killed `cgroup-demo` leaves cgroups too, which
//! are cleared away by the way.

use super::run::{Record, Status};
use super::volumes;
use crate::cgroup::{Group, held};
use crate::error::{Error, Problem, Result};
use crate::image;
use crate::network;
use crate::process::{apart, supervise};
use crate::state::{self, Claim, Root, RootLock};

/// The exit status of a container whose runtime was killed, and which so was killed too: 128 + SIGKILL.
const KILLED: u8 = 137;

/// Clear up after every container that nobody holds and that did not end properly.
///
/// What cannot be cleared away does not stop the rest, nor whoever came to do something else: the errors are
/// returned to be told, and the next minidocker command tries again.
pub fn all(root: &Root, held: &RootLock) -> Result<Vec<Error>> {
    let ids = root.unfinished()?;
    let mut left: Vec<Error> = ids.iter().filter_map(|id| one(root, held, id).err()).collect();
    let alive = |id: &str| ids.iter().any(|one| one == id) && root.is_held(held, id);
    left.extend(network::bridge::reclaim(root.path(), &alive).err());
    left.extend(held::reclaim(false).err());
    Ok(left)
}

fn one(root: &Root, held: &RootLock, id: &str) -> Result<()> {
    let claim = match root.adopt(held, id) {
        // Only the mark is left.
        Err(error) if error.is_absence() => return root.finish(id),
        claim => claim?,
    };
    let Some(claim) = claim else { return Ok(()) };
    let record: Option<Record> = match state::load(&claim.directory) {
        // A damaged record is that container's trouble; it is shown when that container is asked for.
        Err(Error { problem: Problem::StateDamaged { .. }, .. }) => return clear_cgroup(id),
        answer => answer?,
    };
    match record {
        Some(record) if !record.spec.remove => {
            if let Status::Running { pid, started } = record.status {
                supervise::kill_same(pid, started)?;
                clear_cgroup(id)?;
                state::save(
                    &claim.directory,
                    &Record { status: Status::Exited { status: KILLED }, ..record },
                )?;
            }
            root.finish(id)
        }
        record => {
            if let Some(record) = &record {
                volumes::remove_anonymous_under(root, held, &record.spec)?;
            }
            remove_claimed(root, &claim, record)
        }
    }
}

/// Remove a container that nobody holds, with whatever of it still runs.
fn remove_claimed(root: &Root, claim: &Claim, record: Option<Record>) -> Result<()> {
    if let Some(Record { status: Status::Running { pid, started }, .. }) = record {
        supervise::kill_same(pid, started)?;
    }
    clear_cgroup(&claim.id)?;
    let name = root.name_of(&claim.id)?;
    root.forget(claim, name.as_deref())
}

fn clear_cgroup(id: &str) -> Result<()> {
    Group::find(id)?.remove(id)
}

/// Remove one container that has ended; `StillRunning` if it has not.
pub fn remove(root: &Root, held: &RootLock, word: &str) -> Result<()> {
    let id = root.find(word)?;
    match root.adopt(held, &id)? {
        Some(claim) => remove_claimed(root, &claim, None),
        None => Err(Error::new(Problem::StillRunning { name: word.to_owned() })),
    }
}

/// Remove every container that has ended; with `everything`, and no container running, images and all the rest
/// too. One that cannot be removed does not keep the others; the first error is returned.
pub fn prune(root: &Root, lock: &RootLock, everything: bool) -> Result<()> {
    let mut running = false;
    let mut outcome = Ok(());
    for id in root.ids()? {
        let removed = match root.adopt(lock, &id) {
            Ok(None) => {
                running = true;
                Ok(())
            }
            Ok(Some(claim)) => remove_claimed(root, &claim, None),
            Err(error) => Err(error),
        };
        outcome = outcome.and(removed);
    }
    outcome = outcome.and(network::bridge::reclaim(root.path(), &|id| root.is_held(lock, id)));
    outcome = outcome.and(held::reclaim(true));
    match (everything, running) {
        (false, _) => outcome,
        (true, true) => outcome.and(Err(Error::new(Problem::ContainersRunning))),
        (true, false) => outcome
            .and_then(|()| apart::when_refused("remover", || image::remove_all(root.path())))
            .and_then(|()| root.erase(lock)),
    }
}
