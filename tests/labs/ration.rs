//! The grader's own cgroups: they are gone with it, however it ends.

use super::program::example;
use crate::common::container::children_of;
use crate::common::need::Need;
use crate::common::space::{Space, Who, cgroup_mount, program_named};
use crate::common::{Test, as_root};
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal::{self, SIGKILL, SIGTERM};
use nix::sys::signal::kill;
use nix::unistd::Pid;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PIDS: Need = Need::Controller("pids");

pub fn tests() -> Vec<Test> {
    [
        as_root(&[PIDS], killed_at_any_instant_it_leaves_nothing_for_long),
        as_root(&[PIDS], interrupted_it_leaves_nothing),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A grader at work on a lesson about cgroups. What it says is not heard: of one that is killed, frozen processes may have
/// its standard output until the next command.
fn grader() -> Child {
    let mut command = Command::new(program_named("lab"));
    command.args(["cgroup-cpu", "--report", "json", "--with"]).arg(example("mutants"));
    command.env("LAB_MUTANT", "cgroup-cpu/reference");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn send(grader: &mut Child, signal: Signal) {
    kill(Pid::from_raw(grader.id() as i32), signal).unwrap();
    grader.wait().unwrap();
}

/// The groups of graders that no living one holds.
fn left() -> Vec<PathBuf> {
    let (mount, _) = cgroup_mount("pids").unwrap();
    let names = std::fs::read_dir(mount).unwrap().flatten().map(|entry| entry.path());
    let graders = names.filter(|path| path.to_string_lossy().contains("minidocker-lab-"));
    let held_by_nobody = |group: &PathBuf| {
        let directory = std::fs::File::open(group).ok()?;
        Flock::lock(directory, FlockArg::LockExclusiveNonblock).ok()
    };
    graders.filter(|group| held_by_nobody(group).is_some()).collect()
}

/// At whatever instant it is killed, the next command clears away what it left, frozen containers too.
fn killed_at_any_instant_it_leaves_nothing_for_long() {
    let space = Space::new(Who::Root);
    let mut seen = Vec::new();
    for instant in 0..12 {
        let mut running = grader();
        std::thread::sleep(Duration::from_millis(instant * 90));
        send(&mut running, SIGKILL);
        seen.extend(left());
        assert_eq!(space.minidocker(&["prune"]).status, 0);
        // Another test's command may be clearing it away at this moment.
        seen.retain(|group| group.exists());
    }
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    let last = left();
    seen.retain(|group| last.contains(group));
    assert_eq!(seen, Vec::<PathBuf>::new());
}

fn interrupted_it_leaves_nothing() {
    let mut running = grader();
    let group = loop {
        std::thread::sleep(Duration::from_millis(5));
        if let Some(group) = group_of(&running) {
            break group;
        }
    };
    assert!(group.join("host").is_dir());
    send(&mut running, SIGTERM);
    assert!(!group.exists(), "{}", group.display());
}

/// The group that the grader has made for its host, once that is there: the one that its player holds.
fn group_of(running: &Child) -> Option<PathBuf> {
    let (mount, _) = cgroup_mount("pids").unwrap();
    let players = children_of(running.id());
    let open = players.iter().filter_map(|pid| std::fs::read_dir(format!("/proc/{pid}/fd")).ok()).flatten();
    let mut open = open.flatten().filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok());
    let ours =
        |path: &PathBuf| path.parent() == Some(&mount) && path.to_string_lossy().contains("minidocker-lab-");
    open.find(ours).filter(|group| group.join("host").is_dir())
}
