//! From claim to removal: what stays, what goes, and what the next command finds.

use crate::common::need::Need;
use crate::common::space::{Space, Who, names_in};
use crate::common::{Test, as_both, as_root};
use std::path::Path;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], rm_leaves_the_state_root_as_before),
        as_both(&[], a_file_name_need_not_be_text),
        as_both(&[], however_deep_directories_nest_they_are_removed),
        as_both(&[], whatever_the_modes_of_directories_they_are_removed),
        as_both(&[], without_rm_it_stays_until_removed),
        as_both(&[], a_running_container_cannot_be_removed),
        as_both(&[], prune_removes_what_has_ended_and_spares_what_runs),
        as_both(&[], prune_all_removes_everything),
        as_both(&[], the_next_command_reclaims_what_a_killed_one_left),
        as_root(&[Need::Iptables], the_next_command_takes_the_bridge_away),
        as_both(&[], twenty_at_once),
        as_root(&[Need::Iptables], twenty_at_once_on_the_bridge),
        as_both(&[], several_make_base_at_once),
        as_both(&[], of_many_that_want_one_name_one_gets_it),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Every path below the state root but the images'.
fn paths(space: &Space) -> Vec<String> {
    let mut found = Vec::new();
    for name in names_in(&space.root()) {
        let path = space.root().join(&name);
        found.extend(names_in(&path).into_iter().map(|below| format!("{name}/{below}")));
        found.push(name);
    }
    found
}

/// The cgroups that a container has, in any hierarchy.
fn groups_of(id: &str) -> Vec<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let cgroups = mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(|mount| mount[2].starts_with("cgroup"));
    let groups = cgroups.map(|mount| format!("{}/minidocker-{id}", mount[1]));
    groups.filter(|group| Path::new(group).exists()).collect()
}

fn rm_leaves_the_state_root_as_before(who: Who) {
    let space = Space::new(who);
    space.sh(&[], "exit 0");
    let before = paths(&space);
    assert_eq!(space.base(&["--name", "gone"], &["sh", "-c", "echo > /x; exit 3"]).status, 3);
    assert_eq!(paths(&space), before);
    // A file system made inside it is no obstacle, nor is a directory that may not be entered.
    assert_eq!(space.sh(&[], "mkdir -p /a/b/c; chmod 000 /a/b; chmod 000 /a"), "");
    assert_eq!(paths(&space), before);
}

fn a_file_name_need_not_be_text(who: Who) {
    let space = Space::new(who);
    space.sh(&[], "exit 0");
    let before = paths(&space);
    let script = r#"mkdir /a; touch "$(printf '/a/\377x')"; mkdir "$(printf '/\376d')""#;
    assert_eq!(space.sh(&[], script), "");
    assert_eq!(paths(&space), before);
    assert_eq!(space.sh(&[], "echo next"), "next\n");
}

fn however_deep_directories_nest_they_are_removed(who: Who) {
    let space = Space::new(who);
    space.sh(&[], "exit 0");
    let before = paths(&space);
    // Ten at once, moved into the next ten, since no path may be longer than 4096 bytes.
    let script = "set -e; name=$(printf %090d 0); ten=$name
        for i in 2 3 4 5 6 7 8 9 10; do ten=$ten/$name; done
        for i in 1 2 3 4 5 6; do
          mkdir -p /next/$ten; touch /next/$ten/file; test ! -d /deep || mv /deep /next/$ten/deep; mv /next /deep
        done
        cd /deep; for i in 1 2 3 4 5 6; do cd -P $ten; test -f file; test $i = 6 || cd -P deep; done";
    assert_eq!(space.sh(&[], script), "");
    assert_eq!(paths(&space), before);
}

fn whatever_the_modes_of_directories_they_are_removed(who: Who) {
    let space = Space::new(who);
    space.sh(&[], "exit 0");
    let before = paths(&space);
    let script = "for mode in 000 100 200 300 400 500 600; do mkdir -p /d$mode/below/deep; \
                  touch /d$mode/x /d$mode/below/x; chmod $mode /d$mode/below /d$mode; done; chmod 500 /";
    assert_eq!(space.sh(&[], script), "");
    assert_eq!(paths(&space), before);
}

fn without_rm_it_stays_until_removed(who: Who) {
    let space = Space::new(who);
    let outcome = space.minidocker(&[
        "run",
        "--network",
        "none",
        "--name",
        "kept",
        "base",
        "sh",
        "-c",
        "echo text > /file; exit 4",
    ]);
    assert_eq!(outcome.status, 4, "{}", outcome.err);
    let id = space.containers().pop().unwrap();
    let directory = space.root().join("containers").join(&id);
    assert_eq!(std::fs::read_to_string(directory.join("upper/file")).unwrap(), "text\n");
    let record = std::fs::read_to_string(directory.join("state.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["exit"], 4);
    assert_eq!(groups_of(&id), [""; 0]);
    // Its name is still taken.
    space.base(&["--name", "kept"], &["true"]).assert_refused(&["kept", &id]);
    assert_eq!(space.minidocker(&["rm", "kept"]).status, 0);
    assert_eq!(space.containers(), [""; 0]);
    assert!(!space.root().join("names/kept").is_symlink());
    space.minidocker(&["rm", "kept"]).assert_failed(&["kept"]);
}

fn a_running_container_cannot_be_removed(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&["--name", "busy"]);
    space.minidocker(&["rm", "busy"]).assert_failed(&["busy"]);
    assert_eq!(running.status("State").chars().next(), Some('S'));
    assert_eq!(running.end().status, 0);
}

fn prune_removes_what_has_ended_and_spares_what_runs(who: Who) {
    let space = Space::new(who);
    for name in ["one", "two"] {
        let words = ["run", "--network", "none", "--name", name, "base", "true"];
        assert_eq!(space.minidocker(&words).status, 0);
    }
    let running = space.hold(&["--name", "three"]);
    assert_eq!(space.containers().len(), 3);
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    assert_eq!(names_in(&space.root().join("names")), ["three"]);
    assert_eq!(space.containers().len(), 1);
    space.minidocker(&["prune", "--all"]).assert_refused(&[]);
    assert_eq!(running.end().status, 0);
}

fn prune_all_removes_everything(who: Who) {
    let space = Space::bare(who);
    let words = ["run", "--network", "none", "--name", "one", "base", "true"];
    assert_eq!(space.minidocker(&words).status, 0);
    assert!(!names_in(&space.root().join("layers")).is_empty());
    assert_eq!(space.minidocker(&["prune", "--all"]).status, 0);
    assert!(!space.root().exists(), "{:?}", paths(&space));
}

fn the_next_command_reclaims_what_a_killed_one_left(who: Who) {
    let space = Space::new(who);
    let (short, kept) = (space.hold(&["--name", "short"]), {
        let words =
            ["run", "-i", "--network", "none", "--name", "kept", "base", "sh", "-c", "echo ready; read x"];
        let mut running = crate::common::container::Running::start(space.command().args(words));
        running.expect("ready");
        running
    });
    let ids = space.containers();
    for running in [short, kept] {
        running.kill_supervisor();
        assert_eq!(running.wait().status, 137);
    }
    if who == Who::Root {
        assert_ne!(
            ids.iter().flat_map(|id| groups_of(id)).count(),
            0,
            "the killed ones could not remove their cgroups"
        );
    }
    assert_eq!(space.sh(&[], "echo next"), "next\n");
    assert_eq!(ids.iter().flat_map(|id| groups_of(id)).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(names_in(&space.root().join("names")), ["kept"], "the one with --rm is gone");
    let record = space.root().join("names/kept");
    let record = space.root().join("containers").join(std::fs::read_link(record).unwrap()).join("state.json");
    let record: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(record).unwrap()).unwrap();
    assert_eq!(record["exit"], 137);
}

fn the_next_command_takes_the_bridge_away() {
    let space = Space::new(Who::Root);
    let running = space.hold(&["--network", "bridge"]);
    running.kill_supervisor();
    assert_eq!(running.wait().status, 137);
    assert!(space.host().links().contains(&"minidocker0".to_owned()));
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    assert_eq!(space.host().links(), ["lo"]);
    assert!(!space.host().sh("iptables-save").contains("minidocker0"));
}

fn at_once(space: &Space, count: usize, options: &[&str]) {
    let mut all: Vec<_> = (0..count)
        .map(|number| space.start(options, &["sh", "-c", &format!("echo {number}; read x; exit {number}")]))
        .collect();
    for (number, running) in all.iter_mut().enumerate() {
        running.expect(&number.to_string());
    }
    assert_eq!(space.containers().len(), count);
    for (number, running) in all.into_iter().enumerate() {
        let outcome = running.end();
        assert_eq!((outcome.status, outcome.err.as_str()), (number as i32, ""));
    }
    assert_eq!(space.containers(), [""; 0]);
}

fn twenty_at_once(who: Who) {
    at_once(&Space::new(who), 20, &[]);
}

fn twenty_at_once_on_the_bridge() {
    let space = Space::new(Who::Root);
    at_once(&space, 20, &["--network", "bridge"]);
    assert_eq!(space.host().links(), ["lo"]);
}

fn of_many_that_want_one_name_one_gets_it(who: Who) {
    let space = Space::new(who);
    let script = ["sh", "-c", "echo mine; read x; exit 0"];
    let mut all: Vec<_> = (0..6).map(|_| space.start(&["--name", "one"], &script)).collect();
    let winners: Vec<bool> = all.iter_mut().map(|running| running.line() == "mine").collect();
    assert_eq!(winners.iter().filter(|won| **won).count(), 1);
    for (running, won) in all.into_iter().zip(winners) {
        let outcome = running.end();
        assert_eq!(outcome.status, if won { 0 } else { 125 }, "{}", outcome.err);
    }
}

fn several_make_base_at_once(who: Who) {
    let space = Space::bare(who);
    let all: Vec<_> = (0..4).map(|_| space.start(&[], &["echo", "made"])).collect();
    for running in all {
        let outcome = running.end();
        assert_eq!((outcome.status, outcome.out.as_str()), (0, "made\n"), "{}", outcome.err);
    }
    assert_eq!(names_in(&space.root().join("images")), ["base:latest.json"]);
}
