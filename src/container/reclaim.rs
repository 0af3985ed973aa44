//! Clear up after runtimes that were killed: every `minidocker` command that changes something begins so.
//!
//! Most of a container dies with its last process. What is left for us is its cgroup, its directory, its lease
//! of an address and, if it was the last on the bridge, the bridge. A killed `cgroup-demo` leaves cgroups too, which
//! are cleared away by the way.

use super::record::{Config, Phase, Status};
use super::tell::tell;
use super::{images, plan, shared, volumes};
use crate::cgroup::{Group, held, stop};
use crate::error::{Error, Problem, Result};
use crate::image::Adding;
use crate::network;
use crate::process::{Ended, signals, supervise};
use crate::state::{Claim, Root, RootLock};

/// Clear up after every container that nobody holds and that did not end properly.
///
/// What cannot be cleared away does not stop the rest, nor whoever came to do something else: the errors are
/// returned to be told, and the next minidocker command tries again.
pub fn all(root: &Root, held: &RootLock) -> Result<Vec<Error>> {
    let ids = root.unfinished()?;
    let mut left: Vec<Error> =
        Root::being_renamed(&ids).filter_map(|id| finish_renaming(root, held, id).err()).collect();
    let whole = ids.iter().filter(|mark| !Root::is_renaming(mark));
    left.extend(whole.filter_map(|id| one(root, held, id).err()));
    let alive = |id: &str| ids.iter().any(|one| one == id) && root.is_held(held, id);
    left.extend(reclaim_network(root, &alive).err());
    left.extend(held::reclaim(false).err());
    Ok(left)
}

/// What an ordinary user's containers had of the network is in namespaces of hers.
fn reclaim_network(root: &Root, alive: &dyn Fn(&str) -> bool) -> Result<()> {
    if plan::is_rootless() {
        shared::reclaim(root, alive)
    } else {
        network::bridge::reclaim(root.path(), alive)
    }
}

/// Write into a container's record what it is called by now, and let its neighbours know: whoever renamed it died
/// before he could.
pub fn finish_renaming(root: &Root, held: &RootLock, id: &str) -> Result<()> {
    if let (Some(mut config), Some(name)) = (Config::load(&root.container(id))?, root.name_of(id)?) {
        if config.spec.name != name {
            config.spec.name.clone_from(&name);
            config.save()?;
        }
        network::plug::rename(root.path(), id, &name)?;
    }
    root.renamed(held, id)
}

fn one(root: &Root, held: &RootLock, id: &str) -> Result<()> {
    let claim = match root.adopt(held, id) {
        // Only the mark is left.
        Err(error) if error.is_absence() => return root.finish(id),
        claim => claim?,
    };
    let Some(claim) = claim else { return Ok(()) };
    let records =
        Config::load(&claim.directory).and_then(|config| Ok((config, Status::load(&claim.directory)?)));
    let (config, status) = match records {
        // A damaged record is that container's trouble; it is shown when that container is asked for.
        Err(Error { problem: Problem::StateDamaged { .. }, .. }) => return clear_cgroup(id),
        answer => answer?,
    };
    match (config, status) {
        // One without a name is one that somebody was removing.
        (Some(config), Some(mut status)) if !config.spec.remove && root.name_of(id)?.is_some() => {
            // Whoever was about to start it may have made its cgroup before there was anything to record.
            kill_first(&status)?;
            clear_cgroup(id)?;
            if let Phase::Running { .. } | Phase::Restarting = status.phase {
                status.end(Phase::Exited, &Ok(Ended::Signaled(signals::SIGKILL)), false);
                status.save(&claim.directory)?;
                tell(root, &config.spec, "die", &[("exitCode", &status.exit.to_string())]);
            }
            root.finish(id)
        }
        (config, status) => {
            if let Some(config) = &config {
                volumes::remove_anonymous_under(root, held, &config.spec)?;
            }
            remove_claimed(root, &claim, config.as_ref(), status.as_ref(), stop::kill_all)
        }
    }
}

/// Remove a container that nobody holds, with whatever of it still runs: `kill` ends who is in its group.
fn remove_claimed(
    root: &Root,
    claim: &Claim,
    config: Option<&Config>,
    status: Option<&Status>,
    kill: fn(&Group) -> Result<()>,
) -> Result<()> {
    if let Some(status) = status {
        kill_first(status)?;
    }
    Group::find(&claim.id)?.remove_by(&claim.id, kill)?;
    // A damaged record keeps nobody from removing the container.
    let read = Config::load(&claim.directory).ok().flatten();
    root.forget(claim, config.map(|config| config.spec.name.as_str()))?;
    if let Some(config) = config.or(read.as_ref()) {
        tell(root, &config.spec, "destroy", &[]);
    }
    Ok(())
}

fn kill_first(status: &Status) -> Result<()> {
    match status.phase {
        Phase::Running { pid, started } => supervise::kill_same(pid, started),
        _ => Ok(()),
    }
}

fn clear_cgroup(id: &str) -> Result<()> {
    Group::find(id)?.remove(id)
}

/// Remove the container `id`, called `name` by the person, which has ended; `StillRunning` if it has not. With `volumes`,
/// those that were made for it alone go with it. `kill` ends who is left in its group.
pub fn remove(
    root: &Root,
    held: &RootLock,
    id: &str,
    name: &str,
    volumes: bool,
    kill: fn(&Group) -> Result<()>,
) -> Result<()> {
    match root.adopt(held, id)? {
        Some(claim) => {
            let config = if volumes { Config::load(&claim.directory)? } else { None };
            if let Some(config) = config {
                volumes::remove_anonymous_under(root, held, &config.spec)?;
            }
            remove_claimed(root, &claim, None, None, kill)
        }
        None => Err(Error::new(Problem::StillRunning { name: name.to_owned() })),
    }
}

/// Remove every container that has ended, and of images those without a name; with `everything`, and no container
/// running, all images and the rest too. One that cannot be removed does not keep the others; the first error is
/// returned. `store`, where there is one, was taken before the lock on the whole.
pub fn prune(root: &Root, lock: &RootLock, store: Option<&mut Adding>, everything: bool) -> Result<()> {
    let mut running = false;
    let mut outcome = Ok(());
    for id in root.ids()? {
        let removed = match root.adopt(lock, &id) {
            Ok(None) => {
                running = true;
                Ok(())
            }
            Ok(Some(claim)) => remove_claimed(root, &claim, None, None, stop::kill_all),
            Err(error) => Err(error),
        };
        outcome = outcome.and(removed);
    }
    outcome = outcome.and(reclaim_network(root, &|id| root.is_held(lock, id)));
    outcome = outcome.and(held::reclaim(true));
    outcome = outcome.and(volumes::clear_left(root, lock));
    match (everything, running) {
        (false, _) => outcome.and(store.map_or(Ok(()), |store| prune_images(root, lock, store))),
        (true, true) => outcome.and(Err(Error::new(Problem::ContainersRunning))),
        (true, false) => {
            outcome.and_then(|()| store.map_or(Ok(()), Adding::clear)).and_then(|()| root.erase(lock))
        }
    }
}

/// What belongs to an image that cannot be read is not known: then all stay, and who asks for that image is told.
fn prune_images(root: &Root, lock: &RootLock, store: &mut Adding) -> Result<()> {
    match images::prune(root, lock, store, false) {
        Err(Error { problem: Problem::StateDamaged { .. }, .. }) => Ok(()),
        answer => answer.map(drop),
    }
}
