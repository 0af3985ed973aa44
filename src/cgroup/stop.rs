//! End whatever runs in a group, and take the group away.

use super::group::{Group, Place};
use super::hierarchy::Version;
use crate::error::Result;
use crate::sys::errno::{EBUSY, ENOENT, ESRCH};
use crate::sys::file::{self, Kind};
use crate::sys::process::{self, Child};
use crate::sys::signal::{SIGKILL, wait_ended};
use std::path::{Path, PathBuf};

/// Freeze or thaw every process of the group: v1 `freezer.state`, v2 `cgroup.freeze`.
pub fn freeze(group: &Group, frozen: bool) -> Result<()> {
    for place in &group.places {
        match place.hierarchy.version {
            Version::V1 if place.hierarchy.has("freezer") => {
                let state = if frozen { "FROZEN" } else { "THAWED" };
                file::write(&place.directory.join("freezer.state"), state)?;
            }
            Version::V2 => {
                file::write(&place.directory.join("cgroup.freeze"), if frozen { "1" } else { "0" })?;
            }
            Version::V1 => {}
        }
    }
    Ok(())
}

/// Kill every process of the group, and of groups made below it, and wait until the last has ended.
///
/// A frozen v1 task does not even take SIGKILL, so the group is thawed first. Each process is held by a pidfd
/// before it is shot at: a pid that was reused in between is somebody else's. New ones may be forked
/// meanwhile, hence the loop.
pub fn kill_all(group: &Group) -> Result<()> {
    for place in &group.places {
        while is_populated(place)? {
            freeze(group, false)?;
            kill_below(&place.directory)?;
        }
    }
    Ok(())
}

/// Whether any process lives at `place`; v2 counts those in groups below.
fn is_populated(place: &Place) -> Result<bool> {
    match place.hierarchy.version {
        Version::V1 => Ok(!file::read_text(&place.directory.join("cgroup.procs"))?.is_empty()),
        Version::V2 => {
            let events = file::read_text(&place.directory.join("cgroup.events"))?;
            Ok(events.lines().any(|line| line == "populated 1"))
        }
    }
}

fn kill_below(directory: &Path) -> Result<()> {
    let pids = file::read_text(&directory.join("cgroup.procs"))?;
    for pid in pids.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        kill_and_wait(pid)?;
    }
    groups_below(directory)?.iter().try_for_each(|group| kill_below(group))
}

fn groups_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let names = file::list(directory)?.into_iter().filter(|(_, kind)| *kind == Kind::Directory);
    Ok(names.map(|(name, _)| directory.join(name)).collect())
}

fn kill_and_wait(pid: i32) -> Result<()> {
    let pidfd = match process::pidfd_open(pid) {
        Err(error) if error.is(ESRCH) => return Ok(()),
        answer => answer?,
    };
    let process = Child { pid, pidfd };
    match process::send_signal(&process, SIGKILL) {
        Err(error) if error.is(ESRCH) => Ok(()),
        Err(error) => Err(error),
        Ok(()) => wait_ended(&process),
    }
}

/// Remove a group's directory, and those that were made below it; one that is already gone is fine.
///
/// A task leaves its group a moment after it has been waited for, when it is switched off its processor for
/// the last time (Linux 6.18). `EBUSY` in that moment is not told by any event on v1, so this asks again.
pub fn remove_directory(directory: &Path) -> Result<()> {
    const TRIES: u32 = 200;
    for _ in 0..TRIES {
        match file::rmdir(directory) {
            Err(error) if error.is(EBUSY) => {
                let below = groups_below(directory)?;
                below.iter().try_for_each(|group| remove_directory(group))?;
                if below.is_empty() {
                    process::pause_millisecond();
                }
            }
            Err(error) if error.is(ENOENT) => return Ok(()),
            answer => return answer,
        }
    }
    file::rmdir(directory)
}
