//! What the kernel counted for a group: memory now and at most, and how often the OOM killer came.

use super::group::Group;
use super::hierarchy::Version;
use crate::error::Result;
use crate::sys::file;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The memory of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// How many processes of the group the OOM killer has killed.
    pub oom_kills: u64,
    /// The most that was in use at once, in bytes. v2 has the file since Linux 5.19; 0 before.
    pub peak: u64,
    /// The limit in bytes; `None` when there is none.
    pub limit: Option<u64>,
}

/// Read the counters if the OOM killer came; all zero if it did not, or without a memory controller.
pub fn memory(group: &Group) -> Result<Memory> {
    let Some((directory, version)) = group.directory_of("memory") else { return Ok(Memory::default()) };
    let (events, peak, limit) = match version {
        Version::V1 => ("memory.oom_control", "memory.max_usage_in_bytes", "memory.limit_in_bytes"),
        Version::V2 => ("memory.events", "memory.peak", "memory.max"),
    };
    let number =
        |name: &str| -> Option<u64> { file::read_text(&directory.join(name)).ok()?.trim().parse().ok() };
    match field(&directory.join(events), "oom_kill")? {
        0 => Ok(Memory::default()),
        oom_kills => Ok(Memory { oom_kills, peak: number(peak).unwrap_or(0), limit: number(limit) }),
    }
}

/// The number after `key` in a file of lines `KEY NUMBER`; 0 when it is not there.
fn field(path: &Path, key: &str) -> Result<u64> {
    // A v2 group whose parent has not switched the controller on has no such file, and no limit to report.
    let Ok(text) = file::read_text(path) else { return Ok(0) };
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    Ok(line.and_then(|number| number.trim().parse().ok()).unwrap_or(0))
}
