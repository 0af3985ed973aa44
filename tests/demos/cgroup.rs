//! `cgroup-demo`: the house that its walks play in, and those of memory, processor time and hierarchy.

use super::told::{play, snapshots};
use crate::common::container::Running;
use crate::common::need::Need;
use crate::common::space::{Space, Who, cgroup_mount, names_in};
use crate::common::{Test, as_root, as_user};
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal::{SIGINT, SIGKILL};
use std::path::PathBuf;
use std::time::Duration;

const MEMORY: &[Need] = &[Need::Controller("memory")];

pub fn tests() -> Vec<Test> {
    [
        as_root(&[Need::Controller("memory"), Need::CgroupV1], hierarchy_is_told),
        as_root(MEMORY, a_killed_demo_is_cleared_away_by_the_next_demo),
        as_root(MEMORY, a_killed_demo_is_cleared_away_by_prune),
        as_root(MEMORY, a_killed_demo_is_cleared_away_by_run),
        as_root(MEMORY, killed_at_any_instant_a_demo_leaves_nothing_for_long),
        as_root(MEMORY, a_living_demo_is_left_alone),
        as_root(MEMORY, an_interrupted_demo_clears_up_after_itself),
        as_user(&[], without_the_right_one_sentence_says_how_to_get_it),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What differs from run to run in the demos of cgroups.
const VOLATILE: &[(&str, &str)] = &[
    (r"minidocker-demo-[0-9a-f]{8}", "minidocker-demo-ID"),
    (r"(echo )\d+( > \S+(?:tasks|cgroup.procs))", "${1}PID$2"),
    (r#"((?:tasks|cgroup.procs)",)\s+"\d+"\)\s+= "#, r#"$1 "PID") = "#),
];

fn hierarchy_is_told() {
    let peaks = [VOLATILE, &[(r"(max_usage_in_bytes +memory.peak +)\d+ +\d+", "${1}PEAK PEAK")]].concat();
    snapshots(Who::Root, "cgroup-demo", &["hierarchy"], &peaks);
}

/// The groups of demos in the hierarchy of the memory controller.
fn groups() -> Vec<PathBuf> {
    let (mount, _) = cgroup_mount("memory").unwrap();
    let names = names_in(&mount).into_iter().filter(|name| name.starts_with("minidocker-demo-"));
    names.map(|name| mount.join(name)).collect()
}

/// A demo that has made its group, which is returned with it, and now waits for Enter.
fn demo(space: &Space) -> (Running, PathBuf) {
    let before = groups();
    let mut running = Running::start(space.demo_by_steps("cgroup-demo").args(["hierarchy", "--step"]));
    // Past the steps reclaim and attend and the first scene; the second waits.
    (0..3).for_each(|_| running.say(""));
    while !running.line().starts_with("── 48 MiB") {}
    let group = groups().into_iter().find(|group| !before.contains(group)).unwrap();
    (running, group)
}

/// The same, killed; what it has left is returned.
fn killed_demo(space: &Space) -> PathBuf {
    let (running, group) = demo(space);
    running.signal(SIGKILL);
    // Standard output ends with the last process that had it.
    assert_eq!(running.wait().status, 137);
    assert!(group.join("parent/child").is_dir());
    group
}

fn a_killed_demo_is_cleared_away_by_the_next_demo() {
    let space = Space::new(Who::Root);
    let group = killed_demo(&space);
    play(&space, "cgroup-demo", &["hierarchy"]);
    assert!(!group.exists());
}

fn a_killed_demo_is_cleared_away_by_prune() {
    let space = Space::new(Who::Root);
    let group = killed_demo(&space);
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    assert!(!group.exists());
}

fn a_killed_demo_is_cleared_away_by_run() {
    let space = Space::new(Who::Root);
    let group = killed_demo(&space);
    assert_eq!(space.base(&[], &["true"]).status, 0);
    assert!(!group.exists());
}

/// At whatever instant it is killed, the next command clears away what it left.
fn killed_at_any_instant_a_demo_leaves_nothing_for_long() {
    let space = Space::new(Who::Root);
    let mut left = Vec::new();
    for instant in 0..40 {
        let running = Running::start(space.demo("cgroup-demo").arg("hierarchy"));
        std::thread::sleep(Duration::from_millis(instant));
        running.signal(SIGKILL);
        running.wait();
        left.extend(groups());
        assert_eq!(space.minidocker(&["prune"]).status, 0);
        // Those of other tests are alive, and have processes in them or a maker that holds them.
        left.retain(|group| group.exists());
    }
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    let held_by_nobody = |group: &PathBuf| {
        let directory = std::fs::File::open(group).ok()?;
        Flock::lock(directory, FlockArg::LockExclusiveNonblock).ok()
    };
    left.retain(|group| held_by_nobody(group).is_some());
    assert_eq!(left, Vec::<PathBuf>::new());
}

fn a_living_demo_is_left_alone() {
    let space = Space::new(Who::Root);
    let (running, group) = demo(&space);
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    play(&space, "cgroup-demo", &["hierarchy"]);
    assert!(group.join("parent/child").is_dir());
    let outcome = running.end();
    assert_eq!(outcome.status, 0, "{}", outcome.out);
    assert!(!group.exists());
}

fn an_interrupted_demo_clears_up_after_itself() {
    let space = Space::new(Who::Root);
    let (running, group) = demo(&space);
    running.signal(SIGINT);
    assert_eq!(running.wait().status, 130);
    assert!(!group.exists());
}

fn without_the_right_one_sentence_says_how_to_get_it() {
    let space = Space::new(Who::User);
    let outcome = Running::start(space.demo_apart("cgroup-demo").arg("hierarchy")).end();
    assert_eq!(outcome.status, 125, "{}", outcome.err);
    assert_eq!(outcome.err.trim_end().lines().count(), 1, "{}", outcome.err);
    assert!(
        outcome.err.contains("systemd-run --user --scope -p Delegate=yes cgroup-demo"),
        "{}",
        outcome.err
    );
}
