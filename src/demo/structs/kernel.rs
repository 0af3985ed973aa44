//! Where structures are looked up: in the running kernel's BTF or, without one, in a copy that was recorded from another
//! kernel.

use super::listing::{Listing, parse};
use crate::error::{Error, Problem, Result};
use crate::observe::btf::{Btf, Kind, Lacking};
use crate::observe::{self, Subject};

/// The structures of namespaces and cgroups as one kernel defined them: made by this crate's own reader, and renewed by
/// the test `renew_the_recorded_copy` below.
const RECORDED: &str = include_str!("recorded.txt");

/// What of the large structures concerns containers.
const CONCERNED: &[(&str, &[&str])] = &[
    (
        "task_struct",
        &[
            "pid",
            "tgid",
            "real_parent",
            "thread_pid",
            "real_cred",
            "cred",
            "comm",
            "fs",
            "files",
            "nsproxy",
            "cgroups",
            "cg_list",
        ],
    ),
    (
        "cred",
        &["usage", "uid", "gid", "euid", "egid", "cap_permitted", "cap_effective", "cap_bset", "user_ns"],
    ),
    (
        "net",
        &["passive", "ifindex", "list", "user_ns", "ucounts", "ns", "dev_base_head", "loopback_dev", "ipv4"],
    ),
    ("ipc_namespace", &["ids", "msg_ctlmax", "shm_ctlmax", "mq_mnt", "mq_queues_count", "user_ns", "ns"]),
    (
        "user_namespace",
        &["uid_map", "gid_map", "parent", "level", "owner", "group", "ns", "flags", "ucount_max"],
    ),
    ("css_set", &["subsys", "refcount", "dom_cset", "dfl_cgrp", "nr_tasks", "tasks", "cgrp_links", "dead"]),
    ("cgroup_subsys_state", &["cgroup", "ss", "refcnt", "sibling", "children", "id", "flags", "parent"]),
    (
        "cgroup",
        &["self", "flags", "level", "nr_descendants", "kn", "subtree_control", "subsys", "root", "bpf"],
    ),
    (
        "cgroup_subsys",
        &["css_alloc", "css_online", "can_attach", "can_fork", "fork", "id", "name", "legacy_name", "root"],
    ),
];

/// Structures of the recorded copy, beside those of the table.
#[cfg(test)]
const ALSO_RECORDED: [&str; 11] = [
    "nsproxy",
    "uts_namespace",
    "mnt_namespace",
    "pid_namespace",
    "cgroup_namespace",
    "time_namespace",
    "ns_common",
    "new_utsname",
    "pid",
    "upid",
    "kernfs_node",
];

/// The enum whose constants number the controllers.
pub const SUBSYSTEMS: &str = "cgroup_subsys_id";

/// A kernel's structures.
#[derive(Debug)]
pub struct Kernel {
    /// Which kernel: `Linux 6.18.44`.
    pub release: String,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    Running(Box<Btf>),
    Recorded(Vec<Listing>, Lacking),
}

impl Kernel {
    /// The running kernel's, or the recorded ones where it does not describe itself.
    pub fn look() -> Self {
        match Btf::of_running_kernel() {
            Ok(btf) => Self { release: release(), origin: Origin::Running(Box::new(btf)) },
            Err(lacking) => Self::recorded(lacking),
        }
    }

    fn recorded(lacking: Lacking) -> Self {
        let release = RECORDED.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
        Self { release, origin: Origin::Recorded(parse(RECORDED), lacking) }
    }

    /// Why this is a recorded copy, if it is one.
    pub fn lacking(&self) -> Option<&Lacking> {
        match &self.origin {
            Origin::Running(_) => None,
            Origin::Recorded(_, lacking) => Some(lacking),
        }
    }

    /// The structure, union, enum or typedef `name`; of a large structure, unless `whole`, what concerns containers.
    pub fn listing(&self, name: &str, whole: bool) -> Option<Listing> {
        let btf = match &self.origin {
            Origin::Running(btf) => btf,
            Origin::Recorded(copies, _) => return copies.iter().find(|copy| copy.name() == name).cloned(),
        };
        let concerned = CONCERNED.iter().find(|(large, _)| *large == name && !whole);
        let structure = btf
            .layout(name)
            .map(|layout| Listing::of(&layout, concerned.map_or(&[], |(_, members)| members)));
        structure
            .or_else(|| btf.constants(name).map(|constants| Listing::of_constants(name, &constants)))
            .or_else(|| {
                let head = format!("typedef {} {name}", btf.typedef(name)?);
                Some(Listing { head, ..Listing::default() })
            })
    }

    /// The structure, or the sentence that there is none, with the names that are nearest.
    pub fn listing_or_near(&self, name: &str, whole: bool) -> Result<Listing> {
        let name =
            ["struct ", "union ", "enum "].iter().find_map(|word| name.strip_prefix(word)).unwrap_or(name);
        self.listing(name, whole).ok_or_else(|| {
            let (name, kernel) = (name.to_owned(), self.release.clone());
            let near = nearest(&name, self.names()).join(", ");
            Error::new(Problem::NoSuchType { name, kernel, near })
        })
    }

    /// The names of the controllers in the order of their numbers: `cpuset` of `cpuset_cgrp_id`; and how many.
    pub fn constants(&self) -> Vec<(String, i64)> {
        match &self.origin {
            Origin::Running(btf) => btf.constants(SUBSYSTEMS).unwrap_or_default(),
            Origin::Recorded(..) => {
                let rows = self.listing(SUBSYSTEMS, true).map(|listing| listing.rows).unwrap_or_default();
                let constant = |text: &str| {
                    let (name, value) = text.strip_suffix(',')?.split_once(" = ")?;
                    Some((name.to_owned(), value.parse().ok()?))
                };
                rows.iter().filter_map(|row| constant(&row.text)).collect()
            }
        }
    }

    fn names(&self) -> Vec<&str> {
        let shown = [Kind::Struct, Kind::Union, Kind::Enum, Kind::Enum64, Kind::Typedef];
        match &self.origin {
            Origin::Running(btf) => {
                btf.named().filter(|(_, kind, _)| shown.contains(kind)).map(|(.., name)| name).collect()
            }
            Origin::Recorded(copies, _) => copies.iter().map(Listing::name).collect(),
        }
    }
}

fn release() -> String {
    let release = observe::read(&Subject::Contents("/proc/sys/kernel/osrelease".into()));
    format!("Linux {}", release.unwrap_or_default())
}

/// The four names that take the fewest changes of letters, and the alphabet decides between equals.
fn nearest<'a>(name: &str, mut names: Vec<&'a str>) -> Vec<&'a str> {
    let rank = |known: &&str| (distance(name, known), (*known).to_owned());
    names.sort_unstable();
    names.dedup();
    // Far longer or shorter names are not near, and measuring is slow.
    let close = |known: &&str| known.len().abs_diff(name.len()) <= 4;
    if names.iter().any(close) {
        names.retain(close);
    }
    names.sort_by_cached_key(rank);
    names.truncate(4);
    names
}

/// How many letters must be added, dropped or replaced to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the running kernel's copy would be.
    fn copy() -> Option<String> {
        let kernel = Kernel::look();
        if kernel.lacking().is_some() {
            return None;
        }
        let large = CONCERNED.iter().map(|(name, _)| *name);
        let names = large.chain(ALSO_RECORDED).chain([SUBSYSTEMS]);
        let listings = names.map(|name| kernel.listing(name, false).unwrap().to_string());
        Some(format!("# {}\n\n{}", kernel.release, listings.collect::<String>()))
    }

    #[test]
    #[ignore = "writes src/demo/structs/recorded.txt: cargo test --lib renew_the_recorded_copy -- --ignored"]
    fn renew_the_recorded_copy() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/demo/structs/recorded.txt");
        std::fs::write(path, copy().unwrap()).unwrap();
    }

    #[test]
    fn the_recorded_copy_is_what_its_kernel_says() {
        let kernel = Kernel::recorded(Lacking::NoFile);
        for name in CONCERNED.iter().map(|(name, _)| *name).chain(ALSO_RECORDED) {
            assert!(!kernel.listing(name, false).unwrap().rows.is_empty(), "{name}");
        }
        assert!(kernel.constants().iter().any(|(name, _)| name == "CGROUP_SUBSYS_COUNT"));
        // Another kernel, or one of another machine, has other offsets.
        if kernel.release == release() && cfg!(target_arch = "x86_64") {
            assert_eq!(
                copy().as_deref().unwrap_or(RECORDED),
                RECORDED,
                "renew it: see renew_the_recorded_copy"
            );
        }
    }

    #[test]
    fn near_names_are_found() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("nsprox", vec!["net", "nsproxy", "cred", "nsset"])[..2], ["nsproxy", "nsset"]);
        let kernel = Kernel::recorded(Lacking::NoFile);
        let refused = kernel.listing_or_near("struct css_sets", false).unwrap_err().problem;
        assert!(
            matches!(refused, Problem::NoSuchType { name, near, .. } if name == "css_sets" && near.starts_with("css_set"))
        );
    }
}
