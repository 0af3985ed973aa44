//! `/proc/self/cgroup`: which cgroup this process is in, in each hierarchy. See cgroups(7).

use super::Who;
use std::path::{Path, PathBuf};

const ROOT: &str = "/sys/fs/cgroup";

/// The directory of a hierarchy in which `path` lies: `memory` of `/sys/fs/cgroup/memory/x/tasks`.
/// `None` for paths elsewhere. On a machine with cgroup v2 alone this is just the first directory.
pub(super) fn hierarchy(path: &Path) -> Option<&str> {
    let first = path.strip_prefix(ROOT).ok()?.components().next()?;
    let name = first.as_os_str().to_str()?;
    is_v1(name).then_some(name)
}

/// Whether a directory just below the root is named after v1 controllers.
fn is_v1(name: &str) -> bool {
    const CONTROLLERS: [&str; 15] = [
        "blkio",
        "cpu",
        "cpuacct",
        "cpuset",
        "debug",
        "devices",
        "freezer",
        "hugetlb",
        "memory",
        "misc",
        "net_cls",
        "net_prio",
        "perf_event",
        "pids",
        "rdma",
    ];
    name.split(',').all(|controller| CONTROLLERS.contains(&controller))
}

/// The line for the hierarchy that `path` lies in.
pub(super) fn membership(path: &Path) -> Option<String> {
    find(&std::fs::read_to_string("/proc/self/cgroup").ok()?, hierarchy(path))
}

/// The cgroup of a process in each hierarchy, named ones too: the controllers or the name (nothing for v2), and the path,
/// as seen from the reader's cgroup namespace.
pub fn cgroup_paths(who: Who) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(format!("{}/cgroup", who.directory())).unwrap_or_default();
    let line = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// `/docker/1` of `4:memory:/docker/1` for the hierarchy `memory`; the line `0::` is that of v2.
fn find(cgroup: &str, hierarchy: Option<&str>) -> Option<String> {
    let wanted = hierarchy.unwrap_or_default();
    let mut lines = cgroup.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let same = |controllers: &str| {
        controllers == wanted || (!wanted.is_empty() && controllers.split(',').any(|one| one == wanted))
    };
    lines.find(|(controllers, _)| same(controllers)).map(|(_, path)| path.to_owned())
}

/// Whether a directory is a cgroup.
pub fn is_group(directory: &Path) -> bool {
    directory.join("cgroup.procs").is_file()
}

/// The groups right below the one at `directory`, sorted.
pub fn groups_below(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut groups: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    groups.sort();
    groups
}

/// The processes in the group at `directory` itself, of those that the reader's pid namespace shows.
pub fn members(directory: &Path) -> Vec<i32> {
    let text = std::fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// The same as one line of at most eight pids; `None` when there is none.
pub fn member_line(directory: &Path) -> Option<String> {
    const SHOWN: usize = 8;
    let pids = members(directory);
    let shown: Vec<String> = pids.iter().take(SHOWN).map(i32::to_string).collect();
    let rest = if pids.len() > SHOWN { " …" } else { "" };
    (!pids.is_empty()).then(|| format!("{}{rest}", shown.join(" ")))
}

/// What `/proc/cgroups` lists: each name, with the number of its v1 hierarchy (0: on none, so v2 has it).
pub fn subsystems() -> Vec<(String, u32)> {
    let text = std::fs::read_to_string("/proc/cgroups").unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let mut fields = line.split_whitespace();
        Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
    };
    lines.filter_map(parse).collect()
}

/// Which of `names` the running kernel's own description of its types, `/sys/kernel/btf/vmlinux`, contains; `None`
/// without that file. The subsystem `memory` was built in if `memory_cgrp_id` is among them: enum cgroup_subsys_id.
pub fn built_in(names: &[String]) -> Option<Vec<bool>> {
    let types = std::fs::read("/sys/kernel/btf/vmlinux").ok()?;
    // All names stand one after the other, each ended by a zero byte.
    let known: std::collections::BTreeSet<&[u8]> = types.split(|byte| *byte == 0).collect();
    Some(names.iter().map(|name| known.contains(name.as_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CGROUP: &str = "9:name=systemd:/\n4:memory:/process/1\n2:cpu,cpuacct:/both\n0::/user.slice\n";

    #[test]
    fn the_hierarchy_is_found_by_the_path_of_its_mount() {
        assert_eq!(hierarchy(Path::new("/sys/fs/cgroup/memory/x/tasks")), Some("memory"));
        assert_eq!(hierarchy(Path::new("/sys/fs/cgroup/cpu,cpuacct/x")), Some("cpu,cpuacct"));
        assert_eq!(hierarchy(Path::new("/sys/fs/cgroup/minidocker-1/cgroup.procs")), None);
        assert_eq!(hierarchy(Path::new("/tmp/memory")), None);
    }

    #[test]
    fn each_hierarchy_has_its_line() {
        assert_eq!(find(CGROUP, Some("memory")).as_deref(), Some("/process/1"));
        assert_eq!(find(CGROUP, Some("cpu")).as_deref(), Some("/both"));
        assert_eq!(find(CGROUP, Some("cpu,cpuacct")).as_deref(), Some("/both"));
        assert_eq!(find(CGROUP, None).as_deref(), Some("/user.slice"));
        assert_eq!(find(CGROUP, Some("pids")), None);
    }
}
