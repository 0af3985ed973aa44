//! What was said, after it was said, and while it is.

use super::terminal::{Background, wait_until};
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], what_was_said_is_shown_where_it_was_said),
        as_both(&[], lines_are_chosen),
        as_both(&[], who_follows_is_told_until_the_end),
        as_both(&[], a_started_container_goes_on_with_its_log),
        as_both(&[], what_cannot_be_shown_is_one_sentence),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A container that has said what `script` says, and ended.
fn said<'a>(space: &'a Space, script: &str) -> Background<'a> {
    let background = Background::start(space, "talker", &[], script);
    assert_eq!(space.minidocker(&["wait", "talker"]).status, 0);
    background
}

fn what_was_said_is_shown_where_it_was_said(who: Who) {
    let space = Space::new(who);
    let _talker = said(&space, "printf 'one\\ntw'; printf 'error\\n' >&2; printf 'o\\377\\nlast'");
    let outcome = space.command().args(["logs", "talker"]).output().unwrap();
    assert_eq!(outcome.stdout, b"one\ntwo\xff\nlast");
    assert_eq!(outcome.stderr, b"error\n");
    assert!(outcome.status.success());
}

fn lines_are_chosen(who: Who) {
    let space = Space::new(who);
    let _talker = said(&space, "for i in 1 2 3 4 5; do echo $i; done");
    let logs = |options: &[&str]| {
        let outcome = space.minidocker(&[&["logs"], options, &["talker"]].concat());
        assert_eq!((outcome.status, outcome.err.as_str()), (0, ""));
        outcome.out
    };
    assert_eq!(logs(&["--tail", "2"]), "4\n5\n");
    assert_eq!(logs(&["-n", "0"]), "");
    assert_eq!(logs(&["-n", "all"]), "1\n2\n3\n4\n5\n");
    assert_eq!(logs(&["--since", "1h"]), "1\n2\n3\n4\n5\n");
    assert_eq!(logs(&["--since", "2100-01-01T00:00:00Z"]), "");
    assert_eq!(logs(&["--until", "1h"]), "");
    let stamped = logs(&["-t", "-n1"]);
    let (stamp, line) = stamped.split_once(' ').unwrap();
    assert_eq!((stamp.len(), line), (30, "5\n"), "{stamped}");
    // What begins at that very time is shown, and what began before is not.
    assert_eq!(logs(&["--since", stamp, "-n1"]), "5\n");
    assert_eq!(logs(&["--until", stamp, "-n1"]), "");
}

fn who_follows_is_told_until_the_end(who: Who) {
    let space = Space::new(who);
    let script = "echo before; while [ ! -e /go ]; do sleep 0.02; done; seq 20000; exit 5";
    let _talker = Background::start(&space, "talker", &[], script);
    let mut command = space.command();
    command.args(["logs", "-f", "talker"]);
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("before"));
    assert_eq!(space.minidocker(&["exec", "talker", "touch", "/go"]).status, 0);
    let followed: Vec<String> = lines.collect();
    assert!(followed.iter().map(String::as_str).eq((1..=20000).map(|n| n.to_string())), "{}", followed.len());
    // It was the end of the container that ended it.
    assert!(process.wait().unwrap().success());
    wait_until("the container has ended", || space.minidocker(&["wait", "talker"]).out == "5\n");
}

fn a_started_container_goes_on_with_its_log(who: Who) {
    let space = Space::new(who);
    let _talker = said(&space, "echo once");
    assert_eq!(space.minidocker(&["start", "-a", "talker"]).out, "once\n");
    assert_eq!(space.minidocker(&["logs", "talker"]).out, "once\nonce\n");
    // Who follows one that does not run is told all, and not kept.
    assert_eq!(space.minidocker(&["logs", "-f", "talker"]).out, "once\nonce\n");
}

fn what_cannot_be_shown_is_one_sentence(who: Who) {
    let space = Space::new(who);
    space.minidocker(&["logs", "nobody"]).assert_failed(&["nobody"]);
    space.minidocker(&["logs", "--tail", "few", "nobody"]).assert_failed(&["few"]);
    space.minidocker(&["logs", "--since", "soon", "nobody"]).assert_failed(&["soon"]);
}
