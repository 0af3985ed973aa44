//! `exec -it`: a terminal in the container's own devpts, with a person at the other end.

use super::terminal::Terminal;
use crate::common::container::Running;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], it_is_a_terminal_of_the_containers),
        as_both(&[], keys_send_their_signals_to_the_command_alone),
        as_both(&[], the_keys_to_leave_let_the_command_go_on),
        as_both(&[], input_that_is_no_terminal_is_refused),
        as_both(&[], without_input_it_is_one_all_the_same),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn hold(space: &Space) -> Running {
    space.hold(&["--name", "box"])
}

fn it_is_a_terminal_of_the_containers(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space);
    let mut terminal = Terminal::start(&space, &["exec", "-it", "box", "sh"]);
    terminal.press("echo at: $(readlink /proc/self/fd/0) $TERM; ls /proc/self/fd | tr '\\n' ' '\n");
    // What is typed is echoed first, and its own words are not those that are waited for.
    terminal.expect("at: /dev/pts/");
    terminal.expect(" xterm");
    terminal.expect("0 1 2 3");
    terminal.press("exit 3\n");
    assert_eq!(terminal.end(), 3);
}

fn keys_send_their_signals_to_the_command_alone(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space);
    let script = "trap 'echo caught; exit 4' INT; echo ready; while :; do sleep 0.05; done";
    let mut terminal = Terminal::start(&space, &["exec", "-it", "box", "sh", "-c", script]);
    terminal.expect("ready");
    terminal.press("\x03");
    terminal.expect("caught");
    assert_eq!(terminal.end(), 4);
    assert_eq!(space.minidocker(&["exec", "box", "true"]).status, 0, "the container goes on");
}

fn the_keys_to_leave_let_the_command_go_on(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space);
    let mut terminal =
        Terminal::start(&space, &["exec", "-it", "box", "sh", "-c", "echo rea''dy; sleep 1000"]);
    terminal.expect("ready");
    terminal.press("\x10\x11");
    assert_eq!(terminal.end(), 0);
    let listed = space.minidocker(&["top", "box"]);
    assert!(listed.out.contains("sleep 1000"), "{}", listed.out);
}

fn input_that_is_no_terminal_is_refused(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space);
    space.minidocker(&["exec", "-it", "box", "true"]).assert_failed(&["TTY"]);
}

fn without_input_it_is_one_all_the_same(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space);
    let outcome = space.minidocker(&["exec", "-t", "box", "sh", "-c", "readlink /proc/self/fd/1; exit 6"]);
    assert_eq!((outcome.status, outcome.out.starts_with("/dev/pts/")), (6, true), "{outcome:?}");
}
