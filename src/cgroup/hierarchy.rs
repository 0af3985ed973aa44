//! Which cgroup hierarchies this machine has, where they are mounted, and where in each this process is.
//!
//! Found by looking (`/proc/self/mountinfo`, `/proc/self/cgroup`), never by kernel version.

use crate::error::{Meaning, Problem, Result};
use crate::sys::{contents, file};
use std::path::{Path, PathBuf};

/// One hierarchy: a tree of groups with the controllers that act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// Where the tree is mounted.
    pub mount: PathBuf,
    /// Version 1 or 2.
    pub version: Version,
    /// The controllers: on v1 those it was mounted with, on v2 those its top directory offers.
    pub controllers: Vec<String>,
    /// This process's own group, as a directory.
    pub own: PathBuf,
}

/// The version of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A tree for each controller: `memory.limit_in_bytes`.
    V1,
    /// One tree for all: `memory.max`.
    V2,
}

impl Hierarchy {
    /// The group in which this process makes groups: the top with CAP_SYS_ADMIN (`privileged`), else its own.
    ///
    /// On v2 its own can limit groups below only if nobody else is in it. Whoever gives a tree away, to a container in
    /// which containers run, moves everybody down from the top of what is given; that empty top is the place then.
    pub fn ground(&self, privileged: bool) -> Result<&Path> {
        let at_top = privileged
            || self.version == Version::V2
                && self.own != self.mount
                // The machine's own top has no such file.
                && file::exists(&self.mount.join("cgroup.type"))?
                && file::read_text(&self.mount.join("cgroup.procs"))?.is_empty();
        Ok(if at_top { &self.mount } else { &self.own })
    }

    /// Whether `controller` acts on this tree.
    pub fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|one| one == controller)
    }
}

/// The controllers of version 1 by which a mount is told from a named hierarchy such as `name=systemd`.
const V1_CONTROLLERS: [&str; 13] = [
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "devices",
    "freezer",
    "blkio",
    "pids",
    "net_cls",
    "net_prio",
    "perf_event",
    "hugetlb",
    "rdma",
];

/// The name on v2 of the controller that v1 calls `v1`; `None` where v2 does that without one.
pub fn name_on_v2(v1: &str) -> Option<&str> {
    match v1 {
        "blkio" => Some("io"),
        "cpuacct" => Some("cpu"),
        "freezer" | "devices" | "net_cls" | "net_prio" | "perf_event" | "kill" => None,
        same => Some(same),
    }
}

/// Every hierarchy that is mounted and has at least one controller; v2 comes last.
///
/// Named v1 hierarchies (`name=systemd`) limit nothing and are left out. A v2 mount whose controllers are all
/// taken by v1 (the hybrid layout) offers none and is left out too.
pub fn mounted() -> Result<Vec<Hierarchy>> {
    let mut found = all()?;
    let useful = |one: &Hierarchy| ["cpu", "memory", "pids", "cpuset", "io"].iter().any(|name| one.has(name));
    found.retain(|one| one.version == Version::V1 || useful(one));
    Ok(found)
}

/// The same with a v2 mount that offers no controller: its groups freeze, kill and tell who is in them all the same.
pub fn all() -> Result<Vec<Hierarchy>> {
    // A machine with many containers has many mounts, and the hierarchies may come last.
    let mountinfo =
        contents::read_whole(Path::new("/proc/self/mountinfo"), 64).meaning(|| Problem::NoProc)?;
    let own = file::read_text(Path::new("/proc/self/cgroup"))?;
    let mut found = parse(&mountinfo, &own);
    if let Some(v2) = found.iter_mut().find(|one| one.version == Version::V2) {
        let offered =
            file::if_there(file::read_text(&v2.mount.join("cgroup.controllers")))?.unwrap_or_default();
        v2.controllers = offered.split_whitespace().map(str::to_owned).collect();
    }
    found.sort_by_key(|one| one.version == Version::V2);
    Ok(found)
}

/// The hierarchies in the text of `mountinfo`, with this process's place from the text of `cgroup`.
fn parse(mountinfo: &str, own: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = Vec::new();
    for line in mountinfo.lines() {
        // ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAGS…] - FSTYPE SOURCE SUPEROPTIONS: proc_pid_mountinfo(5)
        let Some((mount, filesystem)) = line.split_once(" - ") else { continue };
        let mount: Vec<&str> = mount.split(' ').collect();
        let filesystem: Vec<&str> = filesystem.split(' ').collect();
        let (Some(root), Some(point), Some(kind)) = (mount.get(3), mount.get(4), filesystem.first()) else {
            continue;
        };
        let options = filesystem.get(2).copied().unwrap_or_default();
        let known = |name: &&str| V1_CONTROLLERS.contains(name);
        let (version, controllers): (Version, Vec<&str>) = match *kind {
            "cgroup" => (Version::V1, options.split(',').filter(known).collect()),
            "cgroup2" => (Version::V2, Vec::new()),
            _ => continue,
        };
        let hidden = found.iter().any(|one| one.version == version && one.controllers == controllers);
        if hidden || (version == Version::V1 && controllers.is_empty()) {
            continue;
        }
        let inside = own_group(own, version, &controllers);
        let below = inside.strip_prefix(root.trim_end_matches('/')).unwrap_or(inside);
        found.push(Hierarchy {
            mount: point.into(),
            version,
            controllers: controllers.into_iter().map(str::to_owned).collect(),
            own: Path::new(point).join(below.trim_start_matches('/')),
        });
    }
    found
}

/// The path of this process's group in one hierarchy, from lines such as `4:memory:/user/1` and `0::/user`.
fn own_group<'a>(own: &'a str, version: Version, controllers: &[&str]) -> &'a str {
    let line = own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, names, path) = (parts.next()?, parts.next()?, parts.next()?);
        let here = match version {
            Version::V1 => names.split(',').any(|name| controllers.contains(&name)),
            Version::V2 => names.is_empty(),
        };
        here.then_some(path)
    });
    line.unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

    #[test]
    fn a_hybrid_machine_has_both_versions() {
        let found = parse(HYBRID, "4:memory:/a/b\n1:cpu,cpuacct:/\n0::/c\n");
        let points: Vec<String> = found.iter().map(|one| one.own.display().to_string()).collect();
        assert_eq!(
            points,
            ["/sys/fs/cgroup/cpu,cpuacct/", "/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/unified/c"]
        );
        assert_eq!(found[0].controllers, ["cpu", "cpuacct"]);
        assert_eq!(found[2].version, Version::V2);
    }

    #[test]
    fn inside_a_container_the_mounts_root_is_taken_off() {
        let line = "35 31 0:32 /docker/1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        assert_eq!(parse(line, "4:memory:/docker/1/x\n")[0].own, Path::new("/sys/fs/cgroup/memory/x"));
    }
}
