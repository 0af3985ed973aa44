//! What this machine shows of itself: the facts by which a refusal is explained. Read, never asked for.
//!
//! No sign decides alone whether something works, since that is found out by trying ([`need`](crate::lab::need)). A
//! sign only tells why something did not.

use crate::network::iptables;
use crate::observe::{self, Who};
use crate::process::apart;
use crate::sys::{command, identity};
use std::collections::BTreeMap;
use std::path::Path;

/// The settings that forbid namespaces, or that something else is known by; the values as they are, if they are there.
const SETTINGS: [&str; 10] = [
    "kernel/apparmor_restrict_unprivileged_userns",
    "kernel/unprivileged_userns_clone",
    "user/max_user_namespaces",
    "user/max_mnt_namespaces",
    "user/max_pid_namespaces",
    "user/max_net_namespaces",
    "user/max_uts_namespaces",
    "user/max_ipc_namespaces",
    "user/max_cgroup_namespaces",
    "kernel/osrelease",
];

/// How the cgroups of this machine are laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cgroups {
    /// None is mounted.
    #[default]
    None,
    /// Version 1 alone.
    V1,
    /// Controllers of version 1, and a version 2 beside them.
    Hybrid,
    /// Version 2 alone.
    V2,
}

impl Cgroups {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Cgroups::None => "none",
            Cgroups::V1 => "v1",
            Cgroups::Hybrid => "hybrid",
            Cgroups::V2 => "v2",
        }
    }
}

/// What this machine shows of itself.
#[derive(Debug, Clone, Default)]
pub struct Signs {
    /// The settings below `/proc/sys`, by their names with dots.
    pub settings: BTreeMap<String, String>,
    /// Whether this process has CAP_SYS_ADMIN where it is.
    pub privileged: bool,
    /// Its user id.
    pub uid: u32,
    /// `Seccomp` of `/proc/self/status`: 2 under a filter.
    pub seccomp: String,
    /// Which container this is inside of, if it is.
    pub container: Option<&'static str>,
    /// What is mounted on parts of `/proc`.
    pub covered: Vec<String>,
    /// Whether `/` is a mount: in a chroot it is none.
    pub root_is_mount: bool,
    /// The layout of the cgroups.
    pub cgroups: Cgroups,
    /// The controllers that this kernel was told to leave out, by `/proc/cgroups`.
    pub disabled: Vec<String>,
    /// The policy of FORWARD on this machine, if it may be read.
    pub forward: Option<String>,
    /// Whether user namespaces are compiled in.
    pub has_user_namespaces: bool,
    /// The package manager that is here.
    pub packages: Packages,
}

/// A package manager.
#[derive(Debug, Clone, Copy)]
pub struct Packages {
    /// Its program.
    program: &'static str,
    /// By which packages, named after it, are installed.
    pub install: &'static str,
    /// By which all of the system is brought up to date, the kernel too.
    pub upgrade: &'static str,
    /// The package with a linker and a C library to link with.
    pub linker: &'static str,
}

impl Packages {
    const KNOWN: [Packages; 5] = [
        Packages {
            program: "/usr/bin/apt-get",
            install: "sudo apt-get install -y",
            upgrade: "sudo apt-get update && sudo apt-get full-upgrade -y",
            linker: "build-essential",
        },
        Packages {
            program: "/usr/bin/dnf",
            install: "sudo dnf install -y",
            upgrade: "sudo dnf upgrade -y",
            linker: "gcc",
        },
        Packages {
            program: "/usr/bin/pacman",
            install: "sudo pacman -S --noconfirm",
            upgrade: "sudo pacman -Syu --noconfirm",
            linker: "gcc",
        },
        Packages {
            program: "/usr/bin/zypper",
            install: "sudo zypper install -y",
            upgrade: "sudo zypper dist-upgrade -y",
            linker: "gcc",
        },
        Packages {
            program: "/sbin/apk",
            install: "sudo apk add",
            upgrade: "sudo apk upgrade",
            linker: "build-base",
        },
    ];

    /// The one that is here.
    fn here() -> Self {
        let found = Self::KNOWN.into_iter().find(|one| there(one.program));
        found.unwrap_or_default()
    }
}

impl Default for Packages {
    fn default() -> Self {
        Self::KNOWN[0]
    }
}

impl Signs {
    /// Look around.
    pub fn read() -> Self {
        let mountinfo = text("/proc/self/mountinfo");
        Self {
            settings: settings(),
            privileged: apart::is_privileged(),
            uid: identity::uid(),
            seccomp: observe::status(Who::Myself, "Seccomp").unwrap_or_default(),
            container: container(),
            covered: covered(&mountinfo),
            root_is_mount: mountinfo.is_empty() || points(&mountinfo).any(|point| point == "/"),
            cgroups: cgroups(&mountinfo),
            disabled: disabled(&text("/proc/cgroups")),
            forward: forward(),
            has_user_namespaces: observe::inode("user").is_some(),
            packages: Packages::here(),
        }
    }

    /// The setting by its name with dots, if it is there.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// The kernel's release, `uname -r`.
    pub fn release(&self) -> &str {
        self.setting("kernel.osrelease").unwrap_or_default()
    }

    /// Windows Subsystem for Linux: the first version, which imitates Linux.
    pub fn is_wsl1(&self) -> bool {
        self.release().contains("Microsoft") && !self.is_wsl2()
    }

    /// The second, which is a Linux.
    pub fn is_wsl2(&self) -> bool {
        self.release().contains("microsoft") || self.release().contains("WSL2")
    }

    /// The kinds of namespaces of which none may be made: `user.max_net_namespaces`, …
    pub fn exhausted(&self) -> Vec<&str> {
        let zero = |(name, value): &(&String, &String)| name.starts_with("user.max_") && *value == "0";
        self.settings.iter().filter(zero).map(|(name, _)| name.as_str()).collect()
    }
}

fn text(path: &str) -> String {
    observe::text(Path::new(path)).unwrap_or_default()
}

fn settings() -> BTreeMap<String, String> {
    let read = |name: &&str| {
        let text = observe::text(Path::new(&format!("/proc/sys/{name}")))?;
        Some((name.replace('/', "."), text.trim().to_owned()))
    };
    SETTINGS.iter().filter_map(read).collect()
}

/// The mount points in the text of mountinfo.
fn points(mountinfo: &str) -> impl Iterator<Item = &str> {
    mountinfo.lines().filter_map(|line| line.split(' ').nth(4))
}

/// What lies on parts of `/proc`: with it there, a new user namespace gets no `/proc` of its own. An automatic mount of
/// the kernel's own (binfmt_misc) covers an empty directory, and counts for nothing.
fn covered(mountinfo: &str) -> Vec<String> {
    let inside = points(mountinfo).filter(|point| point.starts_with("/proc/"));
    inside.filter(|point| !point.starts_with("/proc/sys/fs/binfmt_misc")).map(str::to_owned).collect()
}

fn cgroups(mountinfo: &str) -> Cgroups {
    let has = |kind: &str| {
        let of_kind = |line: &str| line.split_once(" - ").is_some_and(|(_, rest)| rest.starts_with(kind));
        mountinfo.lines().any(of_kind)
    };
    match (has("cgroup "), has("cgroup2 ")) {
        (false, false) => Cgroups::None,
        (true, false) => Cgroups::V1,
        (true, true) => Cgroups::Hybrid,
        (false, true) => Cgroups::V2,
    }
}

/// The controllers whose last column in the text of `/proc/cgroups` is 0.
fn disabled(cgroups: &str) -> Vec<String> {
    let lines = cgroups.lines().filter(|line| !line.starts_with('#'));
    let off = lines.filter(|line| line.split_whitespace().nth(3) == Some("0"));
    off.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Whose container this is. The kernel knows of none; but whoever is not in the first pid namespace is in one, and the
/// files by which some are known also stand where an image was made a machine's disk of.
fn container() -> Option<&'static str> {
    const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;
    if observe::inode("pid").is_none_or(|inode| inode == FIRST_PID_NAMESPACE) {
        None
    } else if there("/.dockerenv") {
        Some("Docker")
    } else if there("/run/.containerenv") {
        Some("Podman")
    } else {
        Some("a container")
    }
}

/// The policy of FORWARD: only root may read it.
fn forward() -> Option<String> {
    if !apart::is_privileged() {
        return None;
    }
    let listing = iptables::run("iptables-save", &["-t", "filter"], "").ok()?;
    let policy = listing.lines().find_map(|line| line.strip_prefix(":FORWARD "))?;
    policy.split(' ').next().map(str::to_owned)
}

/// Whether there is something at `path`.
fn there(path: &str) -> bool {
    observe::read(&observe::Subject::Path(path.into())).is_some()
}

/// Whether `program` can be run here; its error if not. What it thinks of being run does not matter.
pub fn runs(program: &str) -> crate::error::Result<()> {
    command::run(Path::new(program), &["--version"], "").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:5 / /proc rw - proc proc rw
24 23 0:31 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw
25 23 0:40 / /proc/acpi ro - tmpfs tmpfs ro
35 31 0:32 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
";

    #[test]
    fn mounts_tell_of_cgroups_and_of_what_is_hidden() {
        assert_eq!(cgroups(HYBRID), Cgroups::Hybrid);
        assert_eq!(cgroups("41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"), Cgroups::V2);
        assert_eq!(cgroups(""), Cgroups::None);
        assert_eq!(covered(HYBRID), ["/proc/acpi"]);
        assert!(points(HYBRID).any(|point| point == "/"));
    }

    #[test]
    fn a_controller_may_be_left_out_at_boot() {
        let table = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t1\t1\nmemory\t0\t1\t0\n";
        assert_eq!(disabled(table), ["memory"]);
    }

    #[test]
    fn the_two_subsystems_for_linux_are_told_apart() {
        let of = |release: &str| {
            let settings = [("kernel.osrelease".to_owned(), release.to_owned())].into();
            let signs = Signs { settings, ..Signs::default() };
            (signs.is_wsl1(), signs.is_wsl2())
        };
        assert_eq!(of("4.4.0-19041-Microsoft"), (true, false));
        assert_eq!(of("5.15.153.1-microsoft-standard-WSL2"), (false, true));
        assert_eq!(of("6.8.0-45-generic"), (false, false));
    }
}
