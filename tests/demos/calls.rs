//! `ns-demo`: the three calls that make and join namespaces.

use super::told::{play, snapshots};
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], clone_is_told),
        as_both(&[], unshare_is_told),
        as_both(&[], setns_is_told),
        as_both(&[], clone_moves_the_child_alone),
        as_both(&[], unshare_moves_the_caller_but_not_its_pid),
        as_both(&[], setns_makes_two_inodes_equal),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Paths of processes, whose pids differ on a real host.
const FILTERS: [(&str, &str); 1] = [(r"/proc/\d+/ns", "/proc/PID/ns")];

fn clone_is_told(who: Who) {
    snapshots(who, "ns-demo", &["clone"], &FILTERS);
}

fn unshare_is_told(who: Who) {
    snapshots(who, "ns-demo", &["unshare"], &FILTERS);
}

fn setns_is_told(who: Who) {
    snapshots(who, "ns-demo", &["setns"], &FILTERS);
}

/// The words of the line that begins with `head`, without it.
fn words<'a>(told: &'a str, head: &str) -> Vec<&'a str> {
    let line = told.lines().find_map(|line| line.trim_start().strip_prefix(head));
    line.unwrap_or_else(|| panic!("no line {head:?} in {told}")).split_whitespace().collect()
}

/// The inodes told are compared here again, by their numbers.
fn clone_moves_the_child_alone(who: Who) {
    let told = play(&Space::new(who), "ns-demo", &["clone"]);
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        let words = words(&told, &format!("{kind} "));
        let new = ["pid", "uts"].contains(&kind);
        assert_eq!(words[0] != words[2], new, "{kind}: {told}");
        assert!(words[0].starts_with(&format!("{kind}:[")), "{told}");
    }
    // The reader of this test was neither of them.
    let own = std::fs::read_link("/proc/self/ns/uts").unwrap();
    assert!(!told.contains(own.to_str().unwrap()), "{told}");
}

fn unshare_moves_the_caller_but_not_its_pid(who: Who) {
    let told = play(&Space::new(who), "ns-demo", &["unshare"]);
    let uts = words(&told, "/proc/self/ns/uts ");
    assert_ne!(uts[0], uts[2], "{told}");
    let pid = words(&told, "/proc/self/ns/pid ");
    assert_eq!(pid[0], pid[2], "{told}");
    let (caller, first) = (words(&told, "the caller "), words(&told, "first child "));
    assert_eq!((caller[1], first[0]), (pid[0], "1"), "{told}");
    assert_ne!(first[1], pid[0], "{told}");
    assert!(told.contains("clone3(2)  ENOMEM"), "{told}");
}

fn setns_makes_two_inodes_equal(who: Who) {
    let told = play(&Space::new(who), "ns-demo", &["setns"]);
    let owner = words(&told, "owner ")[0];
    assert_ne!(words(&told, "visitor, before ")[0], owner, "{told}");
    assert_eq!(words(&told, "visitor, after ")[0], owner, "{told}");
    assert!(told.contains("CLONE_NEWNET  EINVAL"), "{told}");
    let user = words(&told, "/proc/self/ns/user ");
    assert_ne!(user[0], user[2], "{told}");
}
