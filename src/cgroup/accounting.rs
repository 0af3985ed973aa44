//! What the kernel counted for a group: time on processors, memory, processes.

use super::group::Group;
use super::hierarchy::Version;
use crate::error::Result;
use crate::sys::file;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a group uses; `None` is what nobody counts for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on processors until now, in nanoseconds.
    pub processor: Option<u64>,
    /// Bytes of memory now, without those of the page cache that can be had back at once.
    pub memory: Option<u64>,
    /// Processes and threads now.
    pub tasks: Option<u64>,
}

/// What `group` uses, and those in groups below it.
///
/// v1 counts time in the file of a controller of its own (`cpuacct.usage`), in nanoseconds; v2 in a line of `cpu.stat`,
/// in microseconds. A file that cannot be read counts nothing.
pub fn usage(group: &Group) -> Result<Usage> {
    let processor = match (group.directory_of("cpuacct"), group.directory_of("cpu")) {
        (Some((v1, _)), _) => number(&v1.join("cpuacct.usage")),
        (None, Some((v2, _))) => field(&v2.join("cpu.stat"), "usage_usec").map(|micro| micro * 1000),
        (None, None) => None,
    };
    let memory = group.directory_of("memory").and_then(|(directory, version)| {
        let (all, cached) = match version {
            Version::V1 => ("memory.usage_in_bytes", "total_inactive_file"),
            Version::V2 => ("memory.current", "inactive_file"),
        };
        let cached = field(&directory.join("memory.stat"), cached).unwrap_or(0);
        Some(number(&directory.join(all))?.saturating_sub(cached))
    });
    let pids = group.directory_of("pids");
    let tasks = pids.and_then(|(directory, _)| number(&directory.join("pids.current")));
    Ok(Usage { processor, memory, tasks })
}

/// The memory of a group in which the OOM killer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// How many processes of the group the OOM killer has killed.
    pub oom_kills: u64,
    /// The most that was in use at once, in bytes. v2 has the file since Linux 5.19; 0 before.
    pub peak: u64,
    /// The limit in bytes; `None` when there is none.
    pub limit: Option<u64>,
}

/// The memory of `group`, in which the OOM killer came `oom_kills` times.
pub fn memory(group: &Group, oom_kills: u64) -> Memory {
    let Some((directory, version)) = group.directory_of("memory") else { return Memory::default() };
    let (peak, limit) = match version {
        Version::V1 => ("memory.max_usage_in_bytes", "memory.limit_in_bytes"),
        Version::V2 => ("memory.peak", "memory.max"),
    };
    let peak = number(&directory.join(peak)).unwrap_or(0);
    Memory { oom_kills, peak, limit: number(&directory.join(limit)) }
}

/// The number that stands alone in a file.
fn number(path: &Path) -> Option<u64> {
    file::read_text(path).ok()?.trim().parse().ok()
}

/// The number after `key` in a file of lines `KEY NUMBER`.
fn field(path: &Path, key: &str) -> Option<u64> {
    let text = file::read_text(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::group::Place;
    use super::super::hierarchy::Hierarchy;
    use super::*;

    fn group(version: Version, files: &[(&str, &str)]) -> (tempfile::TempDir, Group) {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let names: &[&str] = match version {
            Version::V1 => &["memory", "cpu", "cpuacct", "pids"],
            Version::V2 => &["memory", "cpu", "pids"],
        };
        let controllers = names.iter().map(|name| (*name).to_owned()).collect();
        let path = directory.path().to_owned();
        let hierarchy = Hierarchy { mount: path.clone(), version, controllers, own: path.clone() };
        (directory, Group { places: vec![Place { hierarchy, directory: path }], ..Group::default() })
    }

    #[test]
    fn both_versions_are_counted() {
        let files = [
            ("cpuacct.usage", "1234\n"),
            ("memory.usage_in_bytes", "8192\n"),
            ("memory.stat", "cache 1\ninactive_file 1\ntotal_inactive_file 4096\n"),
            ("pids.current", "3\n"),
        ];
        let (_v1, v1) = group(Version::V1, &files);
        let counted = Usage { processor: Some(1234), memory: Some(4096), tasks: Some(3) };
        assert_eq!(usage(&v1).unwrap(), counted);
        let files = [
            ("cpu.stat", "usage_usec 7\nuser_usec 5\n"),
            ("memory.current", "8192\n"),
            ("memory.stat", "anon 1\ninactive_file 192\n"),
            ("pids.current", "1\n"),
        ];
        let (_v2, v2) = group(Version::V2, &files);
        let counted = Usage { processor: Some(7000), memory: Some(8000), tasks: Some(1) };
        assert_eq!(usage(&v2).unwrap(), counted);
        assert_eq!(usage(&Group::default()).unwrap(), Usage::default());
    }

    #[test]
    fn who_was_at_the_limit_was_not_killed() {
        let text = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        let (_v1, v1) = group(Version::V1, &[("memory.oom_control", text)]);
        let text = "low 0\nhigh 0\nmax 51\noom 4\noom_kill 2\noom_group_kill 0\n";
        let (_v2, v2) = group(Version::V2, &[("memory.events", text)]);
        let kills = super::super::memory::oom_kills;
        assert_eq!((kills(&v1).unwrap(), kills(&v2).unwrap()), (3, 2));
    }
}
