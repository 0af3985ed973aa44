//! THE RATION: cgroups of its own for the throw-away host, and a limit on all that happens there.
//!
//! A cgroup is no namespace. Whoever makes a container's group makes it inside the group that they are in, and for a
//! student's program on the throw-away host that would be the group of whoever runs the grader. So, before that host is
//! made, the grader makes a group of its own in each hierarchy, and goes there, one level deeper: the host is born in
//! that, with a cgroup namespace whose root it is, and mounts the hierarchies anew. From there nobody sees any other group,
//! and what is limited is limited within the ration.
//!
//! ```text
//! on the machine                                 on the throw-away host
//! /sys/fs/cgroup/memory/minidocker-lab-1a2b3c4d  (out of sight)
//!     host                                       /sys/fs/cgroup/memory
//!         minidocker-84dbb158d9d6                    minidocker-84dbb158d9d6   a student's container
//! ```
//!
//! The upper ones are [`Held`]: named so that everybody knows whose they are, and locked while the grader lives. (The lower
//! ones are not locked, since whoever makes a group in a v2 tree locks the one above.)
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
use crate::process::Forked;
use crate::rootfs::virtualfs;
use crate::security::capabilities;
use crate::sys::flags::{MS_NODEV, MS_NOSUID};
use crate::sys::{file, mount, process};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What all that happens on one throw-away host may use together: more than any lesson needs, and less than a machine
/// has. A program that takes memory or forks without end meets these.
const MEMORY: u64 = 1 << 30;
const TASKS: u64 = 1024;
/// Four times as much as others when they want the processor too: how much of it somebody had is measured there.
const SHARES: (&str, &str) = ("cpu.shares", "4096");
const WEIGHT: (&str, &str) = ("cpu.weight", "400");

/// Where the hierarchies are seen.
const TOP: &str = "/sys/fs/cgroup";
/// The group that is the root for the throw-away host.
const HOST: &str = "host";
/// Where on v2 the processes of that host are, since a group that has processes limits none below; and where its maker
/// is, out of the way.
const BENCH: &str = "bench";
const KEEPER: &str = "keeper";

/// The groups of one throw-away host.
#[derive(Debug)]
pub struct Ration {
    held: Held,
    host: Group,
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
/// call [`Ration::part`] when that is born and, there, [`Ration::furnish`].
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
        let ration = match Ration::make(scope) {
            // Lessons about other things can do without.
            Err(_) if scope == Scope::Net => None,
            answer => answer?,
        };
        host(ration.as_ref())
    })
}

impl Ration {
    /// Make the groups, as far as this user may, and move this process there: whoever it makes in a new cgroup namespace
    /// sees them as roots. `None` where none may be made. The process is attended, and has one thread.
    fn make(scope: Scope) -> Result<Option<Self>> {
        let mut hierarchies = worth_it()?;
        if scope == Scope::Net {
            hierarchies.retain(|one| one.has("memory") || one.has("pids"));
        }
        let privileged = capabilities::is_privileged();
        let held = Held::make_where_allowed(hierarchies, privileged, Some(process::parent()))?;
        // This process goes there, and removing it would end this process.
        held.leave();
        if held.group().places.is_empty() {
            return Ok(None);
        }
        if let Some((directory, version)) = held.group().directory_of("memory") {
            let name = if version == Version::V1 { "memory.limit_in_bytes" } else { "memory.max" };
            set(directory, name, &MEMORY.to_string())?;
        }
        if let Some((directory, _)) = held.group().directory_of("pids") {
            set(directory, "pids.max", &TASKS.to_string())?;
        }
        if let Some((directory, version)) = held.group().directory_of("cpu") {
            let (name, weight) = if version == Version::V1 { SHARES } else { WEIGHT };
            set(directory, name, weight)?;
        }
        let host = held.group().below(HOST)?;
        host.join()?;
        if let Some(directory) = v2(&host) {
            file::write(&directory.join("cgroup.procs"), "0")?;
        }
        Ok(Some(Self { held, host, scope }))
    }

    /// The throw-away host is born, and waits for a word of its maker. On its side: leave the locks to the maker alone,
    /// with whom they end. On the maker's: on v2 make room, so that the groups of containers can be limited.
    pub fn part(&self, side: &Forked) -> Result<()> {
        match (side, v2(self.held.group())) {
            (Forked::Child, _) => self.held.let_go(),
            (_, Some(directory)) if self.scope == Scope::Groups => return step_down(directory, KEEPER),
            _ => {}
        }
        Ok(())
    }

    /// On the throw-away host, as its root, with mounts from which nothing travels back: mount the hierarchies anew, and
    /// say whether groups can be made there.
    pub fn furnish(&self) -> Result<bool> {
        if self.scope == Scope::Net {
            return Ok(false);
        }
        let trees = cgroup_trees(&self.host);
        if trees.iter().all(|tree| tree.name.is_empty()) {
            // The kernel does not mount a tree right on top of the same one.
            mount::mount("tmpfs", Path::new(TOP), "tmpfs", MS_NOSUID | MS_NODEV, Some("mode=755,size=64k"))?;
        }
        virtualfs::mount_cgroups(&trees, false, false)?;
        if let Some(v2) = trees.iter().find(|tree| tree.fstype == "cgroup2") {
            step_down(&Path::new(TOP).join(&v2.name), BENCH)?;
        }
        GIVEN.store(true, Ordering::Relaxed);
        Ok(true)
    }
}

/// The directory of `group` in the v2 tree.
fn v2(group: &Group) -> Option<&Path> {
    let v2 = group.places.iter().find(|place| place.hierarchy.version == Version::V2);
    v2.map(|place| place.directory.as_path())
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
