//! End whatever runs in a group, and take the group away.

use super::group::Group;
use super::hierarchy::Version;
use crate::error::Result;
use crate::sys::errno::{EBUSY, ENODEV, ENOENT, ESRCH};
use crate::sys::file;
use crate::sys::process::{self, Child};
use crate::sys::signal::{SIGKILL, wait_ended};
use std::path::Path;

/// Freeze or thaw every process of the group: v1 `freezer.state`, v2 `cgroup.freeze`.
pub fn freeze(group: &Group, frozen: bool) -> Result<()> {
    for place in &group.places {
        match place.hierarchy.version {
            Version::V1 if place.hierarchy.has("freezer") => {
                let state = if frozen { "FROZEN" } else { "THAWED" };
                accept_missing(file::write(&place.directory.join("freezer.state"), state))?;
            }
            Version::V2 => {
                let state = if frozen { "1" } else { "0" };
                accept_missing(file::write(&place.directory.join("cgroup.freeze"), state))?;
            }
            Version::V1 => {}
        }
    }
    Ok(())
}

/// A group of which one directory is gone already, in the middle of its removal.
fn accept_missing(answer: Result<()>) -> Result<()> {
    match answer {
        Err(error) if error.is(ENOENT) || error.is(ENODEV) => Ok(()),
        answer => answer,
    }
}

/// Kill every process of the group and wait until the last has ended.
///
/// A frozen v1 task does not even take SIGKILL, so the group is thawed first. Each process is held by a pidfd
/// before it is shot at: a pid that was reused in between is somebody else's. New ones may be forked
/// meanwhile, hence the loop.
pub fn kill_all(group: &Group) -> Result<()> {
    freeze(group, false)?;
    for place in &group.places {
        let members = place.directory.join("cgroup.procs");
        loop {
            let pids = match file::read_text(&members) {
                Err(error) if error.is(ENOENT) || error.is(ENODEV) => break,
                answer => answer?,
            };
            let mut pids = pids.split_whitespace().filter_map(|pid| pid.parse().ok()).peekable();
            if pids.peek().is_none() {
                break;
            }
            for pid in pids {
                kill_and_wait(pid)?;
            }
        }
    }
    Ok(())
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

/// Remove a group's directory, and whoever is still in it; one that is already gone is fine.
///
/// Normally nobody is: the kernel kills a pid namespace with its first process. And still `EBUSY` may come, since
/// a task leaves its group a moment after it has been waited for, when it is switched off its processor for the
/// last time (Linux 6.18). No event tells of that on v1, so this asks again.
pub fn remove_directory(group: &Group, directory: &Path) -> Result<()> {
    const TRIES: u32 = 200;
    for _ in 0..TRIES {
        match file::rmdir(directory) {
            Err(error) if error.is(EBUSY) => {
                kill_all(group)?;
                process::pause_millisecond();
            }
            Err(error) if error.is(ENOENT) => return Ok(()),
            answer => return answer,
        }
    }
    file::rmdir(directory)
}
