//! `/proc/self/mountinfo`: what is mounted where, and whether others hear of it. See proc(5).

use std::path::{Path, PathBuf};

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// One line of mountinfo, the fields we show.
#[derive(Debug, PartialEq, Eq)]
struct Mount<'a> {
    /// The directory of the file system that is seen at the mount point; `/` unless it is a bind mount.
    root: &'a str,
    point: String,
    options: &'a str,
    /// `shared:1`, `master:1` or nothing.
    propagation: &'a str,
    fstype: &'a str,
}

/// Take one line apart: `36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/vda rw`.
fn parse(line: &str) -> Option<Mount<'_>> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    let (root, point, options) = (fields.next()?, fields.next()?, fields.next()?);
    let propagation = fields.next().unwrap_or_default();
    Some(Mount { root, point: unescape(point), options, propagation, fstype: filesystem.split(' ').next()? })
}

/// The kernel writes blanks and backslashes of a path as three octal digits: `\040`.
fn unescape(field: &str) -> String {
    let mut parts = field.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                text.push(char::from(byte));
                text.push_str(&part[3..]);
            }
            None => {
                text.push('\\');
                text.push_str(part);
            }
        }
    }
    text
}

impl Mount<'_> {
    /// `overlay rw, private` or `ext4:/srv/data ro,nosuid, shared:1`.
    fn describe(&self) -> String {
        let shown = |option: &&str| matches!(*option, "rw" | "ro" | "nosuid" | "nodev" | "noexec");
        let options: Vec<&str> = self.options.split(',').filter(shown).collect();
        let root = if self.root == "/" { String::new() } else { format!(":{}", self.root) };
        let propagation = if self.propagation.is_empty() { "private" } else { self.propagation };
        format!("{}{root} {}, {propagation}", self.fstype, options.join(","))
    }
}

/// The mount on top at `path`: the last line for it, since later mounts cover earlier ones.
fn topmost(mountinfo: &str, path: &str) -> Option<String> {
    let mut mounts = mountinfo.lines().rev().filter_map(parse);
    mounts.find(|mount| mount.point == path).map(|mount| mount.describe())
}

pub(super) fn at(path: &Path) -> Option<String> {
    let mountinfo = std::fs::read_to_string(MOUNTINFO).ok()?;
    let absolute = std::path::absolute(path).ok()?;
    topmost(&mountinfo, absolute.to_str()?)
}

/// Which directory of a cgroup hierarchy is mounted, as seen from the reader's cgroup namespace: the field `root` of its
/// mount. A hierarchy is named by its controllers or its name, v2 by nothing.
pub fn cgroup_root(hierarchy: &str) -> Option<String> {
    root_of(&std::fs::read_to_string(MOUNTINFO).ok()?, hierarchy)
}

fn root_of(mountinfo: &str, hierarchy: &str) -> Option<String> {
    let one = hierarchy.split(',').next()?;
    let mut mounts =
        mountinfo.lines().rev().filter_map(|line| Some((parse(line)?, line.rsplit(' ').next()?)));
    let wanted = |(mount, options): &(Mount<'_>, &str)| match one {
        "" => mount.fstype == "cgroup2",
        one => mount.fstype == "cgroup" && options.split(',').any(|option| option == one),
    };
    mounts.find(wanted).map(|(mount, _)| mount.root.to_owned())
}

/// Where something is mounted, in the order in which it was.
pub fn points() -> Vec<PathBuf> {
    let mountinfo = std::fs::read_to_string(MOUNTINFO).unwrap_or_default();
    mountinfo.lines().filter_map(parse).map(|mount| mount.point.into()).collect()
}

/// How many mounts there are, or how many of them are shared.
pub(super) fn count(shared: bool) -> Option<String> {
    let mountinfo = std::fs::read_to_string(MOUNTINFO).ok()?;
    let counts = |mount: &Mount<'_>| !shared || mount.propagation.starts_with("shared");
    Some(mountinfo.lines().filter_map(parse).filter(counts).count().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
22 27 0:21 / /proc rw,nosuid,relatime shared:5 - proc proc rw
27 0 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
60 27 0:40 / /merged rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u
61 27 254:0 /srv/my\\040data /data ro,nodev master:1 - ext4 /dev/vda rw
62 60 0:41 / /merged ro - tmpfs tmpfs rw
";

    #[test]
    fn the_last_mount_at_a_point_is_the_one_seen() {
        assert_eq!(topmost(MOUNTINFO, "/merged").as_deref(), Some("tmpfs ro, private"));
        assert_eq!(topmost(MOUNTINFO, "/").as_deref(), Some("ext4 rw, shared:1"));
        assert_eq!(topmost(MOUNTINFO, "/nowhere"), None);
    }

    #[test]
    fn a_bind_mount_names_the_directory_it_shows() {
        assert_eq!(topmost(MOUNTINFO, "/data").as_deref(), Some("ext4:/srv/my\\040data ro,nodev, master:1"));
    }

    #[test]
    fn a_hierarchy_is_found_by_its_options() {
        let mountinfo = "\
37 31 0:33 /../.. /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
41 31 0:38 /.. /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
";
        assert_eq!(root_of(mountinfo, "cpu,cpuacct").as_deref(), Some("/../.."));
        assert_eq!(root_of(mountinfo, "name=systemd").as_deref(), Some("/"));
        assert_eq!(root_of(mountinfo, "").as_deref(), Some("/.."));
        assert_eq!(root_of(mountinfo, "pids"), None);
    }

    #[test]
    fn escaped_blanks_are_read_back() {
        assert_eq!(unescape("/a\\040b\\134c"), "/a b\\c");
        assert_eq!(unescape("/plain"), "/plain");
        assert_eq!(unescape("/x\\9"), "/x\\9");
    }
}
