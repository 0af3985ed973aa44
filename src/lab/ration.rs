//! THE RATION: cgroups of its own for the throw-away host, and a limit on all that happens there.
//!
//! A cgroup is no namespace. Whoever makes a container's group makes it inside the group that they are in, and for a
//! student's program on the throw-away host that would be the group of whoever runs the grader. So, before that host is
//! made, the grader makes a group of its own in each hierarchy, and goes there: the host is born in it, with a cgroup
//! namespace whose root it is, and mounts the hierarchies anew. From there nobody sees any other group, and what is
//! limited is limited within the ration.
//!
//! ```text
//! on the machine                                 on the throw-away host
//! /sys/fs/cgroup/memory/minidocker-lab-1a2b3c4d  /sys/fs/cgroup/memory
//!     …/minidocker-84dbb158d9d6                      …/minidocker-84dbb158d9d6   a student's container
//! ```
//!
//! The directories are [`Held`]: named so that everybody knows whose they are, and locked while the grader lives.
//! A parent attends and clears them away however the grader ends; what even that parent could not, since it was
//! killed, the next command does.

use super::lesson::Lesson;
use crate::cgroup::hierarchy::{self, Hierarchy, Version};
use crate::cgroup::limits::set;
use crate::cgroup::stop::groups_below;
use crate::cgroup::{Group, Held, group};
use crate::container::parts::cgroup_trees;
use crate::demo::attend;
use crate::error::Result;
use crate::rootfs::virtualfs;
use crate::security::capabilities;
use crate::sys::{file, process};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What all that happens on one throw-away host may use together: more than any lesson needs, and less than a machine
/// has. A program that takes memory or forks without end meets these.
const MEMORY: u64 = 1 << 30;
const TASKS: u64 = 1024;

/// Where the hierarchies are seen.
const TOP: &str = "/sys/fs/cgroup";
/// Where on v2 the processes of the throw-away host are, since a group that has processes limits none below; and where
/// its maker is, out of the way.
const BENCH: &str = "bench";
const KEEPER: &str = "keeper";

/// The groups of one throw-away host.
#[derive(Debug)]
pub struct Ration {
    held: Held,
    scope: Scope,
}

/// How much is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A group in every hierarchy in which a container would have one, and that is all that is seen of cgroups.
    Groups,
    /// Only what limits the host as a whole, where that is simply to be had: for root.
    Net,
}

impl Scope {
    /// What a lesson needs: groups, if it or one of its checks is about them.
    pub fn of(lesson: &Lesson) -> Self {
        let mut needs = lesson.checks.iter().flat_map(|check| check.needs).chain(lesson.needs);
        if needs.any(|need| need.is_cgroup()) { Scope::Groups } else { Scope::Net }
    }
}

/// Play `host`, which makes a throw-away host, with a ration of this scope: `None` where there is none to be had. It is to
/// call [`Ration::step_aside`] and, there, [`Ration::furnish`].
///
/// On entry this process has one thread. On return nothing is left of the ration, however the host ended.
pub fn play<T: Serialize + DeserializeOwned>(
    scope: Scope,
    host: impl FnOnce(Option<&Ration>) -> Result<T>,
) -> Result<T> {
    if scope == Scope::Net && !capabilities::is_privileged() {
        return host(None);
    }
    attend::play(|| {
        let ration = Ration::make(scope)?;
        if ration.group().places.is_empty() {
            return host(None);
        }
        ration.enter()?;
        host(Some(&ration))
    })
}

impl Ration {
    /// Make the groups, as far as this user may. To be called in a process that is attended, and that has one thread.
    fn make(scope: Scope) -> Result<Self> {
        let mut hierarchies = worth_it()?;
        if scope == Scope::Net {
            hierarchies.retain(|one| one.has("memory") || one.has("pids"));
        }
        let privileged = capabilities::is_privileged();
        let held = Held::make_where_allowed(hierarchies, privileged, Some(process::parent()))?;
        // This process goes there, and removing it would end this process.
        held.leave();
        let ration = Self { held, scope };
        let group = ration.group();
        if let Some((directory, version)) = group.directory_of("memory") {
            let name = if version == Version::V1 { "memory.limit_in_bytes" } else { "memory.max" };
            set(directory, name, &MEMORY.to_string())?;
        }
        if let Some((directory, _)) = group.directory_of("pids") {
            set(directory, "pids.max", &TASKS.to_string())?;
        }
        Ok(ration)
    }

    fn group(&self) -> &Group {
        self.held.group()
    }

    /// Move this process there: whoever it makes in a new cgroup namespace sees the groups as roots.
    fn enter(&self) -> Result<()> {
        self.group().join()?;
        match self.v2() {
            Some(directory) => file::write(&directory.join("cgroup.procs"), "0"),
            None => Ok(()),
        }
    }

    /// The throw-away host is born, and waits for a word of this process, its maker: on v2 make room, so that the groups
    /// of containers can be limited.
    pub fn step_aside(&self) -> Result<()> {
        match self.v2() {
            Some(directory) if self.scope == Scope::Groups => step_down(directory, KEEPER),
            _ => Ok(()),
        }
    }

    /// On the throw-away host, as its root, with mounts from which nothing travels back: mount the hierarchies anew, and
    /// say whether groups can be made there. On return the locks are their maker's alone.
    pub fn furnish(&self) -> Result<bool> {
        self.held.let_go();
        if self.scope == Scope::Net {
            return Ok(false);
        }
        let trees = cgroup_trees(self.group());
        virtualfs::mount_cgroups(&trees, false, false)?;
        if let Some(v2) = trees.iter().find(|tree| tree.fstype == "cgroup2") {
            step_down(&Path::new(TOP).join(&v2.name), BENCH)?;
        }
        GIVEN.store(true, Ordering::Relaxed);
        Ok(true)
    }

    fn v2(&self) -> Option<&Path> {
        let v2 = self.group().places.iter().find(|place| place.hierarchy.version == Version::V2);
        v2.map(|place| place.directory.as_path())
    }
}

/// The hierarchies in which a container would have a group.
fn worth_it() -> Result<Vec<Hierarchy>> {
    let mut all = hierarchy::mounted()?;
    // A tree that is mounted, but hidden by another mount, is not to be had.
    let mut there = Vec::new();
    for hierarchy in all.drain(..) {
        if file::exists(&hierarchy.mount.join("cgroup.procs"))? {
            there.push(hierarchy);
        }
    }
    Ok(there)
}

/// Move this process to the group `name` below the v2 group at `directory`.
fn step_down(directory: &Path, name: &str) -> Result<()> {
    let below = directory.join(name);
    file::mkdir(&below, 0o755)?;
    file::write(&below.join("cgroup.procs"), "0")
}

/// Whether the groups that this process sees are of its own ration.
static GIVEN: AtomicBool = AtomicBool::new(false);

/// On a throw-away host: end and remove whatever containers' groups are left, frozen ones too.
pub fn sweep() -> Result<()> {
    // Anywhere else than on its own host the grader would end other people's containers.
    if process::pid() != 1 || !GIVEN.load(Ordering::Relaxed) {
        return Ok(());
    }
    for id in containers()? {
        Group::find(&id)?.remove(&id)?;
    }
    Ok(())
}

/// On a throw-away host that has a ration: the group of the one container there; `None` when there is not just one.
pub fn only_group() -> Result<Option<Group>> {
    let ids: Vec<String> = containers()?.into_iter().collect();
    match ids.as_slice() {
        [id] => Group::find(id).map(Some),
        _ => Ok(None),
    }
}

/// The ids of the containers that have a group here.
fn containers() -> Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for hierarchy in hierarchy::all()? {
        let names = groups_below(&hierarchy.mount)?;
        let names = names.iter().filter_map(|directory| directory.file_name()?.to_str());
        ids.extend(names.filter_map(|own| own.strip_prefix(&group::name(""))).map(str::to_owned));
    }
    Ok(ids)
}
