//! An ordinary user with ids of `/etc/subuid` and `/etc/subgid`, and one without.

use crate::common::container::status_of;
use crate::common::need::Need;
use crate::common::space::{Space, Who, uid_of};
use crate::common::{Test, as_root, as_user};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

const UIDMAP: Need = Need::Program("newuidmap", "uidmap");

pub fn tests() -> Vec<Test> {
    let needs = &[Need::Rootless, UIDMAP];
    let bridged = &[Need::Rootless, UIDMAP, Need::Iptables];
    [
        as_root(needs, all_ids_given_are_mapped),
        as_root(needs, they_are_found_by_name_and_by_number),
        as_root(needs, whoever_has_none_is_mapped_alone),
        as_root(needs, a_user_inside_is_one_of_them_outside),
        as_root(needs, what_belongs_to_them_is_removed_with_the_container),
        as_root(needs, what_a_killed_runtime_left_of_them_is_reclaimed),
        as_root(needs, a_layer_of_their_files_is_removed_by_prune_all),
        as_root(needs, without_the_program_the_own_id_is_mapped_and_a_note_says_why),
        as_root(needs, a_program_without_rights_refuses_and_a_note_says_why),
        as_root(needs, every_verb_reaches_what_belongs_to_them),
        as_root(bridged, every_verb_reaches_them_on_a_bridge_too),
        as_user(&[], root_inside_has_no_other_groups),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The first id that tests give.
const FIRST: u32 = 300_000;

/// A space of an ordinary user, for whom these lines stand in both files: on her throw-away host, newuidmap(1) reads
/// them too.
fn given(lines: &str) -> Space {
    give(Space::new(Who::User), lines)
}

fn give(space: Space, lines: &str) -> Space {
    let file = space.path("subids");
    std::fs::write(&file, lines).unwrap();
    let file = file.display();
    space.host().sh(&format!(
        "touch /etc/subuid /etc/subgid; mount --bind {file} /etc/subuid && mount --bind {file} /etc/subgid"
    ));
    space
}

fn user() -> u32 {
    uid_of(Who::User)
}

/// A space of an ordinary user who has been given as many ids as is usual.
fn usual() -> Space {
    given(&format!("{}:{FIRST}:65536\n", user()))
}

/// The map of a process, as numbers.
fn map(text: &str) -> Vec<[u32; 3]> {
    let row = |line: &str| {
        let numbers: Vec<u32> = line.split_whitespace().map(|number| number.parse().unwrap()).collect();
        numbers.try_into().unwrap()
    };
    text.lines().map(row).collect()
}

fn all_ids_given_are_mapped() {
    let space = usual();
    let running = space.hold(&[]);
    let expected = [[0, user(), 1], [1, FIRST, 65_536]];
    assert_eq!(map(&running.read("uid_map")), expected);
    assert_eq!(map(&running.read("gid_map")), expected);
    assert_eq!(running.read("setgroups"), "allow\n");
    assert_eq!(running.end().err, "");
}

fn they_are_found_by_name_and_by_number() {
    let name = space_name();
    let lines = format!("{name}:{FIRST}:10\nnobody-here:1:5\n{}:{}:20\n{name}:oops:3\n", user(), FIRST + 100);
    let space = given(&lines);
    let expected = [[0, user(), 1], [1, FIRST, 10], [11, FIRST + 100, 20]];
    assert_eq!(map(&space.hold(&[]).read("uid_map")), expected);
}

fn space_name() -> String {
    nix::unistd::User::from_uid(user().into()).unwrap().unwrap().name
}

fn whoever_has_none_is_mapped_alone() {
    let space = given("nobody-here:100000:65536\n");
    let running = space.hold(&[]);
    assert_eq!(map(&running.read("uid_map")), [[0, user(), 1]]);
    assert_eq!(running.read("setgroups"), "deny\n");
    assert_eq!(running.end().err, "");
    space.base(&["--user", "7"], &["true"]).assert_refused(&["7", "subuid"]);
}

fn a_user_inside_is_one_of_them_outside() {
    let space = usual();
    let running = space.start(
        &["--user", "1000:50"],
        &["sh", "-c", "echo mine > /tmp/mine; echo ready; read line; stat -c '%u:%g' /tmp/mine"],
    );
    let mut running = running;
    running.expect("ready");
    assert_eq!(running.status("Uid").split_whitespace().next(), Some(&*(FIRST + 999).to_string()));
    assert_eq!(running.status("Gid").split_whitespace().next(), Some(&*(FIRST + 49).to_string()));
    assert_eq!(status_of(running.pid(), "Groups"), "");
    let id = space.containers().pop().unwrap();
    let file = space.root().join("containers").join(id).join("upper/tmp/mine");
    let found = std::fs::metadata(file).unwrap();
    assert_eq!((found.uid(), found.gid()), (FIRST + 999, FIRST + 49));
    running.say("go on");
    assert_eq!(running.end().out, "1000:50\n");
    assert_eq!(space.containers(), [""; 0]);
}

/// A tree that nobody but its owner may look into.
const FOREIGN: &str =
    "mkdir -p /d/e && echo x > /d/e/f && chown -R 5:6 /d && chmod 700 /d /d/e && chmod 0 /d/e/f";

fn what_belongs_to_them_is_removed_with_the_container() {
    let space = usual();
    space.sh(&[], FOREIGN);
    assert_eq!(space.containers(), [""; 0], "run --rm");
    let kept = space.minidocker(&["run", "--network", "none", "--name", "kept", "base", "sh", "-c", FOREIGN]);
    assert_eq!(kept.status, 0, "{}", kept.err);
    let id = space.containers().pop().unwrap();
    let found = std::fs::metadata(space.root().join("containers").join(id).join("upper/d/e")).unwrap();
    assert_eq!((found.uid(), found.gid()), (FIRST + 4, FIRST + 5));
    let removed = space.minidocker(&["rm", "kept"]);
    assert_eq!((removed.status, removed.err.as_str()), (0, ""));
    assert_eq!(space.containers(), [""; 0]);
}

fn what_a_killed_runtime_left_of_them_is_reclaimed() {
    let space = usual();
    let mut running = space.start(&[], &["sh", "-c", &format!("{FOREIGN}; echo ready; read line")]);
    running.expect("ready");
    drop(running);
    let next = space.base(&[], &["true"]);
    assert_eq!((next.status, next.err.as_str()), (0, ""));
    assert_eq!(space.containers(), [""; 0]);
}

fn a_layer_of_their_files_is_removed_by_prune_all() {
    let space = give(Space::bare(Who::User), &format!("{}:{FIRST}:65536\n", user()));
    assert_eq!(space.base(&[], &["true"]).status, 0);
    let layers = std::fs::read_dir(space.root().join("layers")).unwrap();
    let layer = layers.map(|layer| layer.unwrap().path()).find(|layer| layer.is_dir()).unwrap();
    let foreign = layer.join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("file"), "").unwrap();
    for path in [foreign.join("file"), foreign.clone()] {
        std::os::unix::fs::chown(&path, Some(FIRST + 7), Some(FIRST + 7)).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
    }
    let pruned = space.minidocker(&["prune", "--all"]);
    assert_eq!((pruned.status, pruned.err.as_str()), (0, ""));
    assert!(!space.root().exists());
}

/// The program stands elsewhere on the space's host, with this mode and without root's rights.
fn replace(space: &Space, program: &str, mode: u32) {
    let copy = space.path("program");
    let own = Path::new("/usr/bin").join(program);
    std::fs::copy(&own, &copy).unwrap();
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(mode)).unwrap();
    space.host().sh(&format!("mount --bind {} {}", copy.display(), own.display()));
}

fn without_the_program_the_own_id_is_mapped_and_a_note_says_why() {
    let space = usual();
    replace(&space, "newuidmap", 0o644);
    let running = space.hold(&[]);
    assert_eq!(map(&running.read("uid_map")), [[0, user(), 1]]);
    let outcome = running.end();
    assert_eq!((outcome.status, outcome.err.trim_end().lines().count()), (0, 1), "{}", outcome.err);
    assert!(outcome.err.contains("newuidmap") && outcome.err.contains("uidmap"), "{}", outcome.err);
}

fn a_program_without_rights_refuses_and_a_note_says_why() {
    let space = usual();
    replace(&space, "newgidmap", 0o755);
    let running = space.hold(&[]);
    assert_eq!(map(&running.read("gid_map")), [[0, user(), 1]]);
    let outcome = running.end();
    assert_eq!((outcome.status, outcome.err.trim_end().lines().count()), (0, 1), "{}", outcome.err);
    assert!(outcome.err.contains("newgidmap") && outcome.err.contains("not permitted"), "{}", outcome.err);
}

fn root_inside_has_no_other_groups() {
    let space = Space::new(Who::User);
    let said = space.sh(&[], "cat /proc/self/setgroups; id -G");
    assert!(said.starts_with("deny") || said == "allow\n0\n", "{said}");
}

/// A verb of a container that has such a tree; what it says. It must succeed.
fn verb(space: &Space, words: &[&str]) -> String {
    let outcome = space.minidocker(words);
    assert_eq!(outcome.status, 0, "{words:?}: {}", outcome.err);
    outcome.out
}

fn every_verb_reaches(network: &str) {
    // With a store of its own, in which nobody else removes images.
    let space = give(Space::bare(Who::User), &format!("{}:{FIRST}:65536\n", user()));
    let out = space.path("out");
    std::fs::create_dir(&out).unwrap();
    std::os::unix::fs::chown(&out, Some(user()), Some(user())).unwrap();
    let script = format!(
        "exec > /dev/null 2>&1; {FOREIGN}; touch /ready; trap 'exit 4' TERM; while :; do sleep 0.05; done"
    );
    verb(&space, &["run", "-d", "--name", "web", "--network", network, "base", "sh", "-c", &script]);
    let wait = "while ! [ -e /ready ]; do sleep 0.05; done; stat -c %u:%g /d/e/f";
    assert_eq!(verb(&space, &["exec", "web", "sh", "-c", wait]), "5:6\n");
    assert_eq!(verb(&space, &["exec", "--user", "5:6", "web", "id", "-u"]), "5\n");
    for (running, name) in [(true, "one"), (false, "two")] {
        if !running {
            assert_eq!(verb(&space, &["stop", "--time", "5", "web"]), "web\n");
        }
        assert!(verb(&space, &["diff", "web"]).contains("A /d/e/f\n"), "running: {running}");
        let target = out.join(name);
        verb(&space, &["cp", "web:/d", &target.display().to_string()]);
        let copied = std::fs::metadata(target.join("e")).unwrap();
        assert_eq!((copied.uid(), copied.mode() & 0o777), (user(), 0o700), "running: {running}");
        let archive = out.join(format!("{name}.tar")).display().to_string();
        verb(&space, &["export", "-o", &archive, "web"]);
        let words = ["-tvf", &archive, "--numeric-owner", "d/e/f"];
        let listed = std::process::Command::new("tar").args(words).output().unwrap();
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.contains("5/6"), "running: {running}: {listed}");
    }
    verb(&space, &["commit", "web", "snap:1"]);
    let archive = out.join("snap.tar").display().to_string();
    verb(&space, &["save", "-o", &archive, "snap:1"]);
    verb(&space, &["rmi", "snap:1"]);
    verb(&space, &["load", "-i", &archive]);
    let look =
        ["run", "--rm", "--network", network, "snap:1", "sh", "-c", "stat -c '%u:%g %a' /d/e/f 2>/dev/null"];
    assert_eq!(verb(&space, &look), "5:6 0\n");
    verb(&space, &["rmi", "snap:1"]);
    assert_eq!(verb(&space, &["start", "web"]), "web\n");
    assert_eq!(verb(&space, &["restart", "--time", "5", "web"]), "web\n");
    assert_eq!(verb(&space, &["kill", "web"]), "web\n");
    assert_eq!(verb(&space, &["wait", "web"]), "137\n");
    assert_eq!(verb(&space, &["rm", "web"]), "web\n");
    assert_eq!(space.containers(), [""; 0]);
}

fn every_verb_reaches_what_belongs_to_them() {
    every_verb_reaches("none");
}

fn every_verb_reaches_them_on_a_bridge_too() {
    every_verb_reaches("bridge");
}
