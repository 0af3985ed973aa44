//! End whatever runs in a group, and take the group away.

use super::group::{Group, Place};
use super::hierarchy::Version;
use crate::error::Result;
use crate::sys::errno::{EBUSY, ENODEV, ENOENT, ESRCH};
use crate::sys::file::{self, Kind};
use crate::sys::process::{self, Child};
use crate::sys::signal::{SIGKILL, wait_ended};
use std::path::{Path, PathBuf};

/// Freeze or thaw every process of the group: v1 `freezer.state`, v2 `cgroup.freeze`.
pub fn freeze(group: &Group, frozen: bool) -> Result<()> {
    group.places.iter().try_for_each(|place| freeze_at(place, frozen))
}

/// Freeze every process of the group, and wait until all are: from then on nothing changes there. Or let them go on.
///
/// They are frozen in one hierarchy, since v2 does not count as frozen who is frozen by v1, and thawed in all.
pub fn hold_still(group: &Group, still: bool) -> Result<()> {
    if !still {
        return freeze(group, false);
    }
    let Some(place) = freezer(group) else { return Ok(()) };
    freeze_at(place, true)?;
    wait_frozen(place)
}

/// Whether the group is frozen, or about to be.
pub fn is_frozen(group: &Group) -> Result<bool> {
    let Some(place) = freezer(group) else { return Ok(false) };
    let (name, thawed) = match place.hierarchy.version {
        Version::V1 => ("freezer.state", "THAWED"),
        Version::V2 => ("cgroup.freeze", "0"),
    };
    let said = unless_gone(file::read_text(&place.directory.join(name)))?;
    Ok(said.is_some_and(|said| said.trim() != thawed))
}

/// Where the group can be frozen: by the v1 controller `freezer` if there is one, else by v2.
fn freezer(group: &Group) -> Option<&Place> {
    let v1 = |place: &&Place| place.hierarchy.version == Version::V1 && place.hierarchy.has("freezer");
    let v2 = |place: &&Place| place.hierarchy.version == Version::V2;
    group.places.iter().find(v1).or_else(|| group.places.iter().find(v2))
}

impl Group {
    /// Whether its processes can be frozen.
    pub fn can_freeze(&self) -> bool {
        freezer(self).is_some()
    }

    /// The directory in which they can be, and its version: of the v1 controller `freezer` if there is one, else of v2,
    /// which freezes without a controller.
    pub fn freezer(&self) -> Option<(&Path, Version)> {
        freezer(self).map(|place| (place.directory.as_path(), place.hierarchy.version))
    }
}

fn freeze_at(place: &Place, frozen: bool) -> Result<()> {
    let (file, state) = match place.hierarchy.version {
        Version::V1 if place.hierarchy.has("freezer") => {
            ("freezer.state", if frozen { "FROZEN" } else { "THAWED" })
        }
        Version::V1 => return Ok(()),
        Version::V2 => ("cgroup.freeze", if frozen { "1" } else { "0" }),
    };
    unless_gone(file::write(&place.directory.join(file), state)).map(drop)
}

/// What was asked of a directory that may be gone already, in the middle of its removal; if so, `None`.
pub(super) fn unless_gone<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(error) if error.is(ENOENT) || error.is(ENODEV) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Kill every process of the group, and of groups made below it, and wait until the last has ended.
///
/// A frozen v1 task does not even take SIGKILL, so the groups are thawed first. Each process is held by a pidfd
/// before it is shot at: a pid that was reused in between is somebody else's. New ones may be forked
/// meanwhile, hence the loop.
pub fn kill_all(group: &Group) -> Result<()> {
    for place in &group.places {
        while is_populated(place)? {
            thaw(group)?;
            kill_below(&place.directory)?;
        }
    }
    Ok(())
}

/// Kill every process of the group and of groups below it by one signal each: frozen meanwhile, none of them can fork,
/// and so one list of them is enough. On return all have ended.
///
/// It is frozen in one hierarchy, since v2 does not count as frozen who is frozen by v1. Without the v1 controller
/// `freezer` and without v2 nobody can be frozen, and the list is read as often as it needs.
pub fn kill_frozen(group: &Group) -> Result<()> {
    let Some(place) = freezer(group) else { return kill_all(group) };
    freeze_at(place, true)?;
    let mut killed = Vec::new();
    let answer = wait_frozen(place).and_then(|()| signal_below(&place.directory, &mut killed));
    // Whatever happened, nobody stays frozen.
    freeze_at(place, false)?;
    answer?;
    killed.iter().try_for_each(wait_ended)
}

/// Wait until all are frozen. (On v1 no event tells of that, so this asks again.)
fn wait_frozen(place: &Place) -> Result<()> {
    const TRIES: u32 = 5000;
    let (name, wanted) = match place.hierarchy.version {
        Version::V1 => ("freezer.state", "FROZEN"),
        Version::V2 => ("cgroup.events", "frozen 1"),
    };
    for _ in 0..TRIES {
        let said = unless_gone(file::read_text(&place.directory.join(name)))?;
        if said.is_none_or(|said| said.lines().any(|line| line == wanted)) {
            return Ok(());
        }
        process::pause_millisecond();
    }
    Ok(())
}

/// Send SIGKILL to each process that `cgroup.procs` of the group at `directory` names now; those that got it.
pub fn signal_each(directory: &Path) -> Result<Vec<Child>> {
    let pids = unless_gone(file::read_text(&directory.join("cgroup.procs")))?.unwrap_or_default();
    let pids = pids.split_whitespace().filter_map(|pid| pid.parse().ok());
    pids.filter_map(|pid| shoot(pid).transpose()).collect()
}

/// The pids of all in the group at `directory` and in those below it, sorted.
pub fn pids_below(directory: &Path) -> Result<Vec<i32>> {
    let members = unless_gone(file::read_text(&directory.join("cgroup.procs")))?.unwrap_or_default();
    let mut pids: Vec<i32> = members.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    for group in groups_below(directory)? {
        pids.extend(pids_below(&group)?);
    }
    pids.sort_unstable();
    Ok(pids)
}

fn signal_below(directory: &Path, killed: &mut Vec<Child>) -> Result<()> {
    killed.extend(signal_each(directory)?);
    groups_below(directory)?.iter().try_for_each(|group| signal_below(group, killed))
}

/// Thaw the group and those below it. On v2 that is not needed: there a frozen process can be killed.
fn thaw(group: &Group) -> Result<()> {
    freeze(group, false)?;
    let v1 = |place: &&Place| place.hierarchy.version == Version::V1 && place.hierarchy.has("freezer");
    group.places.iter().filter(v1).try_for_each(|place| thaw_below(&place.directory))
}

fn thaw_below(directory: &Path) -> Result<()> {
    for group in groups_below(directory)? {
        unless_gone(file::write(&group.join("freezer.state"), "THAWED"))?;
        thaw_below(&group)?;
    }
    Ok(())
}

/// Whether any process lives at `place` or in a group below. v2 counts those itself.
fn is_populated(place: &Place) -> Result<bool> {
    match place.hierarchy.version {
        Version::V1 => has_members(&place.directory),
        Version::V2 => {
            let events = unless_gone(file::read_text(&place.directory.join("cgroup.events")))?;
            Ok(events.is_some_and(|events| !events.lines().any(|line| line == "populated 0")))
        }
    }
}

fn has_members(directory: &Path) -> Result<bool> {
    let members = unless_gone(file::read_text(&directory.join("cgroup.procs")))?;
    if members.is_some_and(|members| !members.is_empty()) {
        return Ok(true);
    }
    for group in groups_below(directory)? {
        if has_members(&group)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn kill_below(directory: &Path) -> Result<()> {
    let pids = unless_gone(file::read_text(&directory.join("cgroup.procs")))?.unwrap_or_default();
    for pid in pids.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        kill_and_wait(pid)?;
    }
    groups_below(directory)?.iter().try_for_each(|group| kill_below(group))
}

/// The groups right below the one at `directory`.
pub fn groups_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let names = unless_gone(file::list(directory))?.unwrap_or_default();
    let groups = names.into_iter().filter(|(_, kind)| *kind == Kind::Directory);
    Ok(groups.map(|(name, _)| directory.join(name)).collect())
}

fn kill_and_wait(pid: i32) -> Result<()> {
    shoot(pid)?.map_or(Ok(()), |process| wait_ended(&process))
}

/// Send SIGKILL to the process that has `pid` now, which is returned; `None` when there is none.
fn shoot(pid: i32) -> Result<Option<Child>> {
    let pidfd = match process::pidfd_open(pid) {
        Err(error) if error.is(ESRCH) => return Ok(None),
        answer => answer?,
    };
    let process = Child { pid, pidfd };
    match process::send_signal(&process, SIGKILL) {
        Err(error) if error.is(ESRCH) => Ok(None),
        answer => answer.map(|()| Some(process)),
    }
}

/// Remove the groups made below `directory`, the innermost first, and whoever is still in one.
pub(super) fn remove_below(group: &Group, directory: &Path) -> Result<()> {
    for below in groups_below(directory)? {
        remove_below(group, &below)?;
        remove_directory(group, &below)?;
    }
    Ok(())
}

/// Remove a group's directory, those made below it, and whoever is still in one; what is already gone is fine.
pub fn remove_directory(group: &Group, directory: &Path) -> Result<()> {
    remove_by(group, directory, kill_all)
}

/// The same, with `kill` to end whoever is still in one.
///
/// Normally nobody is: the kernel kills a pid namespace with its first process. And still `EBUSY` may come, since
/// a task leaves its group a moment after it has been waited for, when it is switched off its processor for the
/// last time (Linux 6.18). No event tells of that on v1, so this asks again.
pub(super) fn remove_by(group: &Group, directory: &Path, kill: fn(&Group) -> Result<()>) -> Result<()> {
    const TRIES: u32 = 200;
    for _ in 0..TRIES {
        match file::rmdir(directory) {
            Err(error) if error.is(EBUSY) => {
                if has_members(directory)? {
                    kill(group)?;
                }
                for below in groups_below(directory)? {
                    remove_by(group, &below, kill)?;
                }
                process::pause_millisecond();
            }
            Err(error) if error.is(ENOENT) => return Ok(()),
            answer => return answer,
        }
    }
    file::rmdir(directory)
}
