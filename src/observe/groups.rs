//! `/proc/PID/cgroup` joined with the table of mounts: the directories of the cgroups that a process is in.

use super::Who;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// One cgroup of a process: that in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The controllers of the hierarchy, by their v1 names; none for cgroup v2 and for one without controllers.
    pub controllers: Vec<String>,
    /// Whether it is cgroup v2.
    pub unified: bool,
    /// Its path in the hierarchy, as the reader's cgroup namespace shows it.
    pub path: String,
    /// Its directory, where the hierarchy is mounted whole.
    pub directory: Option<PathBuf>,
}

/// The cgroups of a process, one a hierarchy; none when they cannot be read.
pub fn memberships(who: Who) -> Vec<Membership> {
    let cgroup = std::fs::read_to_string(format!("{}/cgroup", who.directory())).unwrap_or_default();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    parse(&cgroup, &mounts)
}

/// The directory of the cgroup that says most about whom a process lives with: v2's, or that of the v1 controllers
/// `pids` or `memory`. `None` for a process that is in no container.
pub fn home(who: Who) -> Option<PathBuf> {
    let all = memberships(who);
    let of_container = |one: &&Membership| one.path.contains("/minidocker-") && one.directory.is_some();
    let is = |one: &&Membership, name: &str| match name {
        "" => one.unified,
        name => one.controllers.iter().any(|own| own == name),
    };
    let of = |name: &str| all.iter().filter(of_container).find(|one| is(one, name));
    ["pids", "memory", ""].into_iter().find_map(of)?.directory.clone()
}

/// The inode number of a file or directory; of a cgroup's it is the `id` of its kernfs_node.
pub fn inode_of(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}

/// The controllers that `/proc/cgroups` names: those that the kernel was built with, or of newer kernels those that can
/// be had on v1.
pub fn controllers() -> Vec<String> {
    let text = std::fs::read_to_string("/proc/cgroups").unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn parse(cgroup: &str, mounts: &str) -> Vec<Membership> {
    let membership = |line: &str| {
        let mut fields = line.splitn(3, ':');
        let (number, names, path) = (fields.next()?, fields.next()?, fields.next()?);
        let unified = number == "0" && names.is_empty();
        let mount = mounts.lines().find_map(|line| mount_point(line, (!unified).then_some(names)));
        let directory = mount.map(|mount| mount.join(path.trim_start_matches('/')));
        let controllers = names.split(',').filter(|name| !name.is_empty() && !name.starts_with("name="));
        Some(Membership {
            controllers: controllers.map(str::to_owned).collect(),
            unified,
            path: path.to_owned(),
            directory,
        })
    };
    cgroup.lines().filter_map(membership).collect()
}

/// Where a line of the table mounts the root of the v1 hierarchy with these controllers, or of v2.
fn mount_point(line: &str, v1: Option<&str>) -> Option<PathBuf> {
    let (mount, system) = line.split_once(" - ")?;
    let mut system = system.split(' ');
    let (kind, options) = (system.next()?, system.nth(1)?);
    let here = match v1 {
        None => kind == "cgroup2",
        Some(names) => {
            kind == "cgroup" && names.split(',').all(|name| options.split(',').any(|one| one == name))
        }
    };
    let mut mount = mount.split(' ').skip(3);
    let (root, point) = (mount.next()?, mount.next()?);
    (here && root == "/").then(|| PathBuf::from(point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hierarchy_has_its_directory_where_it_is_mounted() {
        let mounts = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                      33 31 0:30 /x /mnt rw shared:1 - cgroup cgroup rw,pids\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let found = parse("2:pids:/a\n1:cpu,cpuacct:/b\n9:name=systemd:/\n0::/c/d\n", mounts);
        let shown: Vec<(usize, bool, Option<&str>)> = found
            .iter()
            .map(|one| (one.controllers.len(), one.unified, one.directory.as_deref().and_then(Path::to_str)))
            .collect();
        assert_eq!(
            shown,
            [
                (1, false, None),
                (2, false, Some("/sys/fs/cgroup/cpu,cpuacct/b")),
                (0, false, None),
                (0, true, Some("/sys/fs/cgroup/unified/c/d")),
            ]
        );
    }
}
