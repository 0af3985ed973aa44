//! Clear up after runtimes that were killed: every `minidocker` command that changes something begins so.
//!
//! Most of a container dies with its last process. What is left for us is its cgroup, its directory, its lease
//! of an address and, if it was the last on the bridge, the bridge.

use super::run::{Record, Status};
use crate::cgroup::Group;
use crate::error::{Error, Problem, Result};
use crate::network;
use crate::state::{self, Claim, Root, RootLock};

/// The exit status of a container whose runtime was killed, and which so was killed too: 128 + SIGKILL.
const KILLED: u8 = 137;

/// Clear up after every container that nobody holds and that did not end properly.
pub fn all(root: &Root, held: &RootLock) -> Result<()> {
    let ids = root.ids()?;
    for id in &ids {
        if let Some(claim) = root.adopt(held, id)? {
            one(root, &claim)?;
        }
    }
    network::bridge::reclaim(root.path(), &|id| ids.iter().any(|one| one == id) && root.is_held(held, id))
}

/// On entry the container of `claim` has no runtime.
fn one(root: &Root, claim: &Claim) -> Result<()> {
    let record: Option<Record> = match state::load(&claim.directory) {
        // A damaged record is that container's trouble; it is shown when that container is asked for.
        Err(Error { problem: Problem::StateDamaged { .. }, .. }) => return clear_cgroup(&claim.id),
        answer => answer?,
    };
    match record {
        Some(Record { status: Status::Exited { .. }, spec, .. }) if !spec.remove => Ok(()),
        Some(mut record) => {
            clear_cgroup(&claim.id)?;
            if record.spec.remove {
                return root.forget(claim, record.spec.given_name());
            }
            record.status = Status::Exited { status: KILLED };
            state::save(&claim.directory, &record)
        }
        // Killed before it started.
        None => {
            clear_cgroup(&claim.id)?;
            let name = root.name_of(&claim.id)?;
            root.forget(claim, name.as_deref())
        }
    }
}

fn clear_cgroup(id: &str) -> Result<()> {
    Group::find(id)?.remove(id)
}

/// Remove one container that has ended; `StillRunning` if it has not.
pub fn remove(root: &Root, held: &RootLock, word: &str) -> Result<()> {
    let id = root.find(word)?;
    let Some(claim) = root.adopt(held, &id)? else {
        return Err(Error::new(Problem::StillRunning { name: word.to_owned() }));
    };
    clear_cgroup(&id)?;
    let name = root.name_of(&id)?;
    root.forget(&claim, name.as_deref())
}

/// Remove every container that has ended; with `everything`, and no container running, images and all the rest
/// too. Returns the ids removed.
pub fn prune(root: &Root, held: &RootLock, everything: bool) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    let mut running = false;
    for id in root.ids()? {
        match root.adopt(held, &id)? {
            None => running = true,
            Some(claim) => {
                clear_cgroup(&id)?;
                let name = root.name_of(&id)?;
                root.forget(&claim, name.as_deref())?;
                removed.push(id);
            }
        }
    }
    network::bridge::reclaim(root.path(), &|id| root.is_held(held, id))?;
    if everything && running {
        return Err(Error::new(Problem::ContainersRunning));
    }
    if everything {
        root.erase()?;
    }
    Ok(removed)
}
