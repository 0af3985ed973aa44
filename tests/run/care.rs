//! What others must not reach, and what trouble of one container must not become that of another.

use crate::common::container::Running;
use crate::common::need::Need;
use crate::common::space::{Space, Who, as_person, names_in};
use crate::common::{Test, as_both, as_root};
use nix::sys::signal::Signal;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

pub fn tests() -> Vec<Test> {
    [
        as_root(&[Need::Rootless], nobody_else_reaches_an_upper_layer),
        as_both(&[], a_container_that_outlives_its_runtime_is_ended),
        as_both(&[], one_that_cannot_be_cleared_away_stops_no_other),
        as_both(&[], what_has_ended_is_not_looked_at_again),
        as_both(&[], root_of_a_user_namespace_is_served),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A set-user-id program that root made in a container lies in the upper layer, where it would be root's on the host.
fn nobody_else_reaches_an_upper_layer() {
    let space = Space::new(Who::Root);
    let mut running = space.start(&[], &["sh", "-c", "cp /bin/sh /s; chmod 4755 /s; echo ready; read line"]);
    running.expect("ready");
    let containers = space.root().join("containers");
    assert_eq!(std::fs::metadata(&containers).unwrap().permissions().mode() & 0o777, 0o700);
    let program = containers.join(names_in(&containers).pop().unwrap()).join("upper/s");
    assert_eq!(std::fs::metadata(&program).unwrap().permissions().mode() & 0o7777, 0o4755);
    let mut words = as_person(Who::User);
    // setpriv keeps root's capabilities until it has executed something, so a shell comes between.
    words.extend(["sh", "-c", "exec \"$0\" -p -c id"].map(str::to_owned));
    words.push(program.display().to_string());
    let outcome = Command::new(&words[0]).args(&words[1..]).output().unwrap();
    assert!(!outcome.status.success(), "{}", String::from_utf8_lossy(&outcome.stdout));
    running.end();
}

/// A command can clear the death signal that it inherited. Then it lives on without its runtime, until the next
/// command finds it by pid and start time.
fn a_container_that_outlives_its_runtime_is_ended(who: Who) {
    let space = Space::new(who);
    let mut running =
        space.start(&[], &["setpriv", "--pdeathsig", "clear", "sh", "-c", "echo ready; exec sleep 600"]);
    running.expect("ready");
    let process = running.proc("");
    running.kill_supervisor();
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    let outcome = running.wait();
    assert_eq!(outcome.status, 128 + Signal::SIGKILL as i32);
    // Whoever inherited it may not have waited for it yet, or be just doing that.
    let state = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    let ended = [") Z ", ") X "].iter().any(|ended| state.contains(ended));
    assert!(state.is_empty() || ended, "it runs on: {state}");
    assert_eq!(names_in(&space.root().join("containers")), Vec::<String>::new());
}

fn one_that_cannot_be_cleared_away_stops_no_other(who: Who) {
    let space = Space::new(who);
    space.sh(&[], "exit 0");
    // A file where a directory should be: nothing can be claimed in it.
    let obstacle = space.root().join("containers/0123456789ab");
    std::fs::write(&obstacle, "").unwrap();
    std::os::unix::fs::symlink("0123456789ab", space.root().join("unfinished/0123456789ab")).unwrap();
    let outcome = space.base(&[], &["echo", "done"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "done\n"), "{}", outcome.err);
    assert!(outcome.err.contains("0123456789ab") && outcome.err.contains("ENOTDIR"), "{}", outcome.err);
    let pruned = space.minidocker(&["prune"]);
    assert_eq!(pruned.status, 125);
    assert!(pruned.err.contains("ENOTDIR"), "{}", pruned.err);
    std::fs::remove_file(&obstacle).unwrap();
    assert_eq!(space.minidocker(&["prune"]).status, 0);
}

fn what_has_ended_is_not_looked_at_again(who: Who) {
    let space = Space::new(who);
    assert_eq!(space.minidocker(&["run", "--network", "none", "base", "true"]).status, 0);
    assert_eq!(space.containers().len(), 1);
    assert_eq!(names_in(&space.root().join("unfinished")), Vec::<String>::new());
}

/// Root of a user namespace, as in a throw-away host, has CAP_SYS_ADMIN but not the machine.
fn root_of_a_user_namespace_is_served(who: Who) {
    let space = Space::new(who);
    let through = ["unshare", "--user", "--map-root-user", "--mount", "--net"];
    let words =
        ["run", "--rm", "--network", "none", "base", "sh", "-c", "id -u; : > /dev/null && echo written"];
    let outcome = Running::start(space.command_through(&through).args(words)).end();
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "0\nwritten\n"), "{}", outcome.err);
}
