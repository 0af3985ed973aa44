//! Mounts as mount(8) makes them.
//!
//! Where mount(8) would leave a note of its own in `/run/mount`, which in the container is in the writable layer,
//! `-n` tells it not to.

use super::quote::{path, word};
use crate::sys::flags::{self, Flags};
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};

/// `mount …` for one mount(2).
pub fn mount(source: &str, target: &Path, fstype: Option<&str>, flags: Flags, data: Option<&str>) -> String {
    let target = path(target);
    let recursive = if flags.has(flags::MS_REC) { "r" } else { "" };
    if flags.has(flags::MS_PRIVATE) {
        return format!("mount --make-{recursive}private {target}");
    }
    if flags.has(flags::MS_SLAVE) {
        return format!("mount --make-{recursive}slave {target}");
    }
    let mut options: Vec<&str> = option_names(flags).collect();
    options.extend(data);
    let option = |options: &[&str]| match options {
        [] => String::new(),
        options => format!("-o {} ", word(&options.join(","))),
    };
    if flags.has(flags::MS_REMOUNT) {
        options.insert(0, if flags.has(flags::MS_BIND) { "remount,bind" } else { "remount" });
        return format!("mount {}{target}", option(&options));
    }
    let source = word(source);
    if flags.has(flags::MS_BIND) {
        return format!("mount --{recursive}bind {source} {target}");
    }
    format!("mount -t {} {}{source} {target}", word(fstype.unwrap_or("auto")), option(&options))
}

/// The flags that mount(8) knows as options.
fn option_names(flags: Flags) -> impl Iterator<Item = &'static str> {
    const OPTIONS: [(u64, &str); 5] = [
        (flags::MS_RDONLY, "ro"),
        (flags::MS_NOSUID, "nosuid"),
        (flags::MS_NODEV, "nodev"),
        (flags::MS_NOEXEC, "noexec"),
        (flags::MS_STRICTATIME, "strictatime"),
    ];
    OPTIONS.into_iter().filter(move |(bit, _)| flags.has(*bit)).map(|(_, name)| name)
}

/// The attributes of mount_setattr(2) as options of mount(8).
fn attribute_names(set: Flags) -> String {
    const OPTIONS: [(u64, &str); 4] = [
        (flags::MOUNT_ATTR_RDONLY, "ro"),
        (flags::MOUNT_ATTR_NOSUID, "nosuid"),
        (flags::MOUNT_ATTR_NODEV, "nodev"),
        (flags::MOUNT_ATTR_NOEXEC, "noexec"),
    ];
    let names: Vec<&str> =
        OPTIONS.into_iter().filter(|(bit, _)| set.has(*bit)).map(|(_, name)| name).collect();
    names.join(",")
}

/// A detached tree between open_tree(2) and move_mount(2).
#[derive(Debug)]
struct Tree {
    /// Where the script has parked it; `None` when it was opened after the root was changed: then both halves
    /// are said at once, as a bind mount.
    parked: Option<PathBuf>,
    options: String,
}

/// The trees that are open, and where the container's root is.
///
/// A descriptor keeps a detached tree while the root changes under it; a shell has no such thing. The script
/// parks the tree on a small tmpfs inside the new root, which comes along, and moves it from there.
#[derive(Debug, Default)]
pub struct Trees {
    /// By the path it was taken at. Of one path there may be several; they are moved in the order of their taking.
    open: HashMap<PathBuf, VecDeque<Tree>>,
    /// What will be `/`: the last overlay mounted, then the root itself.
    root: PathBuf,
    pivoted: bool,
    parked: usize,
    used: bool,
}

/// The directory below the root that trees are parked in.
const PARK: &str = ".park";

impl Trees {
    /// An overlay was mounted: it will become the root.
    pub fn mounted(&mut self, target: &Path) {
        if !self.pivoted {
            self.root = target.into();
        }
    }

    /// The root was changed.
    pub fn pivoted(&mut self) {
        self.pivoted = true;
        self.root = "/".into();
    }

    /// open_tree: park the tree, or remember it.
    pub fn open(&mut self, source: &Path) -> Option<String> {
        if self.pivoted {
            self.add(source, None);
            return None;
        }
        let park = self.root.join(PARK);
        let mut commands = String::new();
        if !std::mem::replace(&mut self.used, true) {
            let park = path(&park);
            commands = format!("mkdir {park}\nmount -t tmpfs park {park}\n");
        }
        self.parked += 1;
        let place = self.parked.to_string();
        let (from, to) = (path(source), path(&park.join(&place)));
        commands +=
            &format!("if [ -d {from} ]; then mkdir {to}; else : > {to}; fi\nmount --rbind {from} {to}");
        let parked = Some(Path::new("/").join(PARK).join(place));
        self.add(source, parked);
        Some(commands)
    }

    fn add(&mut self, source: &Path, parked: Option<PathBuf>) {
        self.open.entry(source.into()).or_default().push_back(Tree { parked, options: String::new() });
    }

    /// mount_setattr: on the tree opened last it waits for its place, on a mount it is a remount.
    pub fn set(&mut self, target: &Path, set: Flags) -> Option<String> {
        let options = attribute_names(set);
        match self.open.get_mut(target).and_then(VecDeque::back_mut) {
            Some(tree) => {
                tree.options = options;
                None
            }
            None => Some(remount(&options, target)),
        }
    }

    /// move_mount: from where it is parked, or, opened just now, as a bind mount. The empty park is removed.
    pub fn moved(&mut self, from: &Path, target: &Path) -> String {
        let tree = self.open.get_mut(from).and_then(VecDeque::pop_front);
        let mut commands = match tree.as_ref().and_then(|tree| tree.parked.as_ref()) {
            Some(parked) => format!("mount -n --move {} {}", path(parked), path(target)),
            None => format!("mount --rbind {} {}", path(from), path(target)),
        };
        if let Some(tree) = tree.as_ref().filter(|tree| !tree.options.is_empty()) {
            commands = format!("{commands}\n{}", remount(&tree.options, target));
        }
        let was_parked = tree.is_some_and(|tree| tree.parked.is_some());
        if was_parked && self.open.values().flatten().all(|tree| tree.parked.is_none()) {
            commands += &format!("\numount -n /{PARK}\nrmdir /{PARK}");
        }
        commands
    }
}

fn remount(options: &str, target: &Path) -> String {
    format!("mount -n -o remount,bind,{options} {}", path(target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::flags::{MS_BIND, MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_REC};

    fn shell(source: &str, target: &str, fstype: Option<&str>, bits: u64, data: Option<&str>) -> String {
        mount(source, Path::new(target), fstype, flags::mount(bits), data)
    }

    #[test]
    fn mounts_are_said_as_mount_8_takes_them() {
        assert_eq!(shell("none", "/", None, MS_REC | MS_PRIVATE, None), "mount --make-rprivate /");
        assert_eq!(
            shell("overlay", "/m y", Some("overlay"), 0, Some("lowerdir=/a:/b,upperdir=/u")),
            "mount -t overlay -o lowerdir=/a:/b,upperdir=/u overlay '/m y'"
        );
        assert_eq!(
            shell("tmpfs", "/dev", Some("tmpfs"), MS_NOSUID | MS_NODEV, Some("mode=755")),
            "mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs /dev"
        );
        assert_eq!(shell("/a", "/b", None, MS_BIND | MS_REC, None), "mount --rbind /a /b");
    }

    #[test]
    fn a_tree_opened_before_the_pivot_is_parked_and_moved() {
        let mut trees = Trees::default();
        trees.mounted(Path::new("/m"));
        let open = trees.open(Path::new("/src")).unwrap();
        assert!(open.starts_with("mkdir /m/.park\nmount -t tmpfs park /m/.park\n"), "{open}");
        assert!(open.ends_with("mount --rbind /src /m/.park/1"), "{open}");
        trees.pivoted();
        assert_eq!(trees.set(Path::new("/src"), flags::mount_attr(flags::MOUNT_ATTR_RDONLY)), None);
        assert_eq!(
            trees.moved(Path::new("/src"), Path::new("/data")),
            "mount -n --move /.park/1 /data\nmount -n -o remount,bind,ro /data\numount -n /.park\nrmdir /.park"
        );
        assert_eq!(trees.open(Path::new("/proc/sys")), None);
        assert_eq!(
            trees.moved(Path::new("/proc/sys"), Path::new("/proc/sys")),
            "mount --rbind /proc/sys /proc/sys"
        );
    }

    #[test]
    fn two_trees_of_one_source_are_told_apart() {
        let mut trees = Trees::default();
        trees.mounted(Path::new("/m"));
        let (source, read_only) = (Path::new("/src"), flags::mount_attr(flags::MOUNT_ATTR_RDONLY));
        trees.open(source);
        assert_eq!(trees.set(source, read_only), None);
        trees.open(source);
        trees.pivoted();
        assert_eq!(
            trees.moved(source, Path::new("/a")),
            "mount -n --move /.park/1 /a\nmount -n -o remount,bind,ro /a"
        );
        assert_eq!(
            trees.moved(source, Path::new("/b")),
            "mount -n --move /.park/2 /b\numount -n /.park\nrmdir /.park"
        );
    }
}
