//! The volumes of containers: settled before one is made, made, found again by who uses them, removed.
//!
//! A container's plan names its volumes before they are made, and both is done under the lock on the whole. So whoever
//! holds that lock and finds no plan that names a volume may remove it.

use super::record::Config;
use super::spec::Spec;
use crate::error::{Error, Problem, Result, VolumeProblem};
use crate::process::apart;
use crate::rootfs::volume::{self, Kept, Kind, Store, Volume, place};
use crate::state::{Root, RootLock, events};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The volumes of a new container: those that were `asked` for, and one without a name for each place that its image
/// says is a volume, unless something else is there. Each has its name now, and is where it will be.
pub fn settle<'a>(
    root: &Root,
    asked: &[Volume],
    of_image: impl Iterator<Item = &'a String>,
) -> Result<Vec<Volume>> {
    let mut volumes = asked.to_vec();
    for text in of_image {
        let target = volume::target_of(text, text)?;
        if !volumes.iter().any(|volume| volume.target == target) {
            volumes.push(Volume::anonymous(target));
        }
    }
    let store = Store::open(root.path());
    for volume in &mut volumes {
        if let Kind::Volume { name, .. } = &mut volume.kind {
            if name.is_empty() {
                *name = Store::new_name()?;
            }
            volume.source = store.data(name);
        }
    }
    volume::in_order(volumes)
}

/// Make what of the container's volumes is missing. On entry its plan is written down, so that nobody removes them.
pub fn make(root: &Root, _held: &RootLock, spec: &Spec) -> Result<()> {
    spec.volumes.iter().try_for_each(|volume| match &volume.kind {
        Kind::Volume { name, anonymous, .. } => {
            create_under(root, name, *anonymous, BTreeMap::new()).map(drop)
        }
        _ => Ok(()),
    })
}

/// The same for a container that is about to be started; places on the host are made, too.
pub fn prepare(root: &Root, spec: &Spec) -> Result<()> {
    spec.volumes.iter().try_for_each(place::prepare)?;
    let store = Store::open(root.path());
    for name in spec.volumes.iter().filter_map(Volume::name) {
        if store.find(name)?.is_none() {
            return make(root, &root.lock()?, spec);
        }
    }
    Ok(())
}

/// Make a volume by hand; without a name, one is drawn.
pub fn create(root: &Root, name: Option<&str>, labels: BTreeMap<String, String>) -> Result<Kept> {
    let _held = root.lock()?;
    match name {
        Some(name) => create_under(root, name, false, labels),
        None => create_under(root, &Store::new_name()?, true, labels),
    }
}

fn create_under(root: &Root, name: &str, anonymous: bool, labels: BTreeMap<String, String>) -> Result<Kept> {
    let store = Store::open(root.path());
    if let Some(kept) = store.find(name)? {
        return Ok(kept);
    }
    let kept = store.create(name, anonymous, labels, now())?;
    events::record(root, events::Kind::Volume, "create", name, &[("driver", "local")]);
    Ok(kept)
}

/// The directory that containers see of the volume `name`.
pub fn data(root: &Root, name: &str) -> PathBuf {
    Store::open(root.path()).data(name)
}

/// A volume and the ids of the containers that use it, running or not.
#[derive(Debug)]
pub struct Used {
    /// The volume; the error when what is remembered of it cannot be read.
    pub kept: Result<Kept>,
    /// Its name.
    pub name: String,
    /// Who uses it.
    pub by: Vec<String>,
}

/// All volumes, by name.
pub fn all(root: &Root) -> Result<Vec<Used>> {
    let store = Store::open(root.path());
    let users = users(root)?;
    let used = |name: String| Used {
        kept: store.get(&name),
        by: users.get(&name).cloned().unwrap_or_default(),
        name,
    };
    Ok(store.names()?.into_iter().map(used).collect())
}

/// The volume `name`.
pub fn find(root: &Root, name: &str) -> Result<Kept> {
    Store::open(root.path()).get(name)
}

/// Which containers use which volume. A container whose plan cannot be read is passed over: it does not start either.
fn users(root: &Root) -> Result<BTreeMap<String, Vec<String>>> {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for id in root.ids()? {
        let Some(spec) = spec_of(root, &id) else { continue };
        for name in spec.volumes.iter().filter_map(Volume::name) {
            users.entry(name.to_owned()).or_default().push(id.clone());
        }
    }
    Ok(users)
}

/// Remove the volume `name`. `InUse` when a container has it; `NoSuchVolume` when there is none, but not if `forced`.
pub fn remove(root: &Root, _held: &RootLock, name: &str, forced: bool) -> Result<()> {
    let store = Store::open(root.path());
    match store.get(name) {
        Err(Error { problem: Problem::Volume(VolumeProblem::NoSuchVolume { .. }), .. }) if forced => {
            return Ok(());
        }
        // One that is damaged can at least be removed.
        Err(Error { problem: Problem::StateDamaged { .. }, .. }) => {}
        answer => drop(answer?),
    }
    match users(root)?.remove(name) {
        Some(by) => Err(Error::new(Problem::Volume(VolumeProblem::InUse { name: name.to_owned(), by }))),
        None => discard(root, &store, name),
    }
}

/// Remove the volumes that were made for the container of `spec` alone. On entry nothing of it runs, and its plan is
/// still there; a volume that another container has by now stays.
pub fn remove_anonymous(root: &Root, spec: &Spec) -> Result<()> {
    if spec.volumes.iter().any(Volume::is_anonymous) {
        let held = root.lock()?;
        remove_anonymous_under(root, &held, spec)?;
    }
    Ok(())
}

/// The same for who holds the lock on the whole.
pub fn remove_anonymous_under(root: &Root, _held: &RootLock, spec: &Spec) -> Result<()> {
    let anonymous = spec.volumes.iter().filter(|volume| volume.is_anonymous());
    let mut names = anonymous.filter_map(Volume::name).peekable();
    if names.peek().is_none() {
        return Ok(());
    }
    let (store, users) = (Store::open(root.path()), users(root)?);
    let only_here = |name: &&str| users.get(*name).is_none_or(|by| by.iter().all(|id| *id == spec.id));
    names.filter(only_here).try_for_each(|name| discard(root, &store, name))
}

/// Remove every volume that no container uses and that `chosen` takes; their names and how many bytes they had.
pub fn prune(root: &Root, chosen: impl Fn(&Kept) -> bool) -> Result<(Vec<String>, u64)> {
    let _held = root.lock()?;
    let store = Store::open(root.path());
    store.clear_left()?;
    let mut removed = (Vec::new(), 0);
    for Used { kept, name, by } in all(root)? {
        let kept = match kept {
            Err(Error { problem: Problem::StateDamaged { .. }, .. }) => continue,
            kept => kept?,
        };
        if by.is_empty() && chosen(&kept) {
            let bytes = store.size(&name);
            discard(root, &store, &name)?;
            removed.0.push(name);
            removed.1 += bytes;
        }
    }
    Ok(removed)
}

/// Remove what somebody left who was killed while making or removing a volume.
pub fn clear_left(root: &Root, _held: &RootLock) -> Result<()> {
    apart::when_refused("volume", || Store::open(root.path()).clear_left())
}

/// Containers may have written files of other owners, which an ordinary user can remove only apart.
fn discard(root: &Root, store: &Store, name: &str) -> Result<()> {
    apart::when_refused("volume", || store.remove(name))?;
    events::record(root, events::Kind::Volume, "destroy", name, &[("driver", "local")]);
    Ok(())
}

/// Seconds since 1970.
fn now() -> u64 {
    events::now() / 1_000_000_000
}

/// The plan of container `id`, if it can be read.
fn spec_of(root: &Root, id: &str) -> Option<Spec> {
    Config::load(&root.container(id)).ok()?.map(|config| config.spec)
}
