//! How much memory a group may use, how many processes it may have, and what it means that the OOM killer came.
//!
//! The controllers are `memory` and `pids`. Documentation/admin-guide/cgroup-v1/memory.rst, and cgroup-v2.rst.

use super::group::Group;
use super::hierarchy::Version;
use super::limits::{Limits, set};
use crate::error::{Error, Result};
use crate::sys::errno::{EACCES, ENOENT, EPERM};
use crate::sys::file;

/// Limit the memory of `group`, with as much swap again, and the number of its processes, as far as `limits` says.
///
/// On entry the group is empty. A limit that the kernel refuses is an error; but a kernel without accounting of swap
/// lacks that file, and then there is nothing to limit. Nobody is told on v2 that v1 counts swap *and* memory.
pub fn limit(limits: &Limits, group: &Group) -> Result<()> {
    if let (Some(bytes), Some((directory, version))) = (limits.memory, group.directory_of("memory")) {
        match version {
            Version::V1 => {
                set(directory, "memory.limit_in_bytes", &bytes.to_string())?;
                let both = bytes.saturating_mul(2);
                unless_uncounted(set(directory, "memory.memsw.limit_in_bytes", &both.to_string()))?;
            }
            Version::V2 => {
                set(directory, "memory.max", &bytes.to_string())?;
                unless_uncounted(set(directory, "memory.swap.max", &bytes.to_string()))?;
            }
        }
    }
    if let (Some(number), Some((directory, _))) = (limits.pids, group.directory_of("pids")) {
        set(directory, "pids.max", &number.to_string())?;
    }
    Ok(())
}

/// A kernel without accounting of swap has no file for it.
fn unless_uncounted(answer: Result<()>) -> Result<()> {
    let lacks = |error: &Error| [ENOENT, EACCES, EPERM].iter().any(|errno| error.is(*errno));
    answer.or_else(|error| if lacks(&error) { Ok(()) } else { Err(error) })
}

/// How many processes of `group` the OOM killer has killed; 0 without the controller `memory`.
///
/// v1 counts them in the line `oom_kill` of `memory.oom_control`, v2 in that of `memory.events`. To have been at the
/// limit is something else (`memory.failcnt`; `max` of `memory.events`): mostly the kernel finds pages to take back.
pub fn oom_kills(group: &Group) -> Result<u64> {
    let Some((directory, version)) = group.directory_of("memory") else { return Ok(0) };
    let file = match version {
        Version::V1 => "memory.oom_control",
        Version::V2 => "memory.events",
    };
    // A v2 group whose parent has not switched the controller on has no such file, and no limit to report.
    let Ok(text) = file::read_text(&directory.join(file)) else { return Ok(0) };
    let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok());
    Ok(count.unwrap_or(0))
}
