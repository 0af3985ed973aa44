//! Attaching to a container that runs, leaving it, and coming back.

use super::terminal::{Background, Terminal, wait_until};
use crate::common::container::Running;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};
use nix::sys::signal::Signal;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], who_attaches_hears_and_is_heard),
        as_both(&[], a_signal_is_passed_on),
        as_both(&[], one_leaves_by_the_keys_and_comes_back),
        as_both(&[], a_container_that_does_not_run_is_refused),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn attached(space: &Space, options: &[&str]) -> Running {
    Running::start(space.command().args(["attach"]).args(options).arg("box"))
}

fn who_attaches_hears_and_is_heard(who: Who) {
    let space = Space::new(who);
    let script = "while read line; do echo got $line; [ $line = end ] && exit 9; done; echo unreached";
    let _background = Background::start(&space, "box", &["-i"], script);
    let mut first = attached(&space, &[]);
    first.say("one");
    first.expect("got one");
    let mut second = attached(&space, &["--no-stdin"]);
    first.say("two");
    first.expect("got two");
    // The second hears what is said once it is there.
    let heard = std::thread::spawn(move || {
        while second.line() != "got two" {}
        second
    });
    wait_until("the second has heard it", || {
        first.say("two");
        heard.is_finished()
    });
    let second = heard.join().unwrap();
    // In the background input stays open when the one who gave some leaves.
    let mut third = attached(&space, &[]);
    third.say("three");
    while third.line() != "got three" {}
    drop(third);
    first.say("end");
    let mut last = first.end();
    last.out = last.out.lines().last().unwrap_or_default().to_owned();
    assert_eq!((last.status, last.out.as_str()), (9, "got end"));
    assert_eq!(second.wait().status, 9);
}

fn a_signal_is_passed_on(who: Who) {
    let space = Space::new(who);
    let script = "trap 'echo term; exit 7' TERM; while echo tick; do sleep 0.05; done";
    let _background = Background::start(&space, "box", &[], script);
    let mut deaf = attached(&space, &["--sig-proxy=false"]);
    let mut running = attached(&space, &[]);
    // Both are attached: what is said now is said to them.
    deaf.expect("tick");
    running.expect("tick");
    deaf.signal(Signal::SIGTERM);
    assert_eq!(deaf.wait().status, 143);
    running.signal(Signal::SIGTERM);
    let said = std::iter::repeat_with(|| running.line()).find(|line| line != "tick");
    assert_eq!(said.as_deref(), Some("term"));
    assert_eq!(running.end().status, 7);
}

fn one_leaves_by_the_keys_and_comes_back(who: Who) {
    let space = Space::new(who);
    let _background = Background::start(&space, "box", &["-it"], "while read line; do echo got $line; done");
    for (options, keys) in [(&[][..], "\x10\x11"), (&["--detach-keys", "a,ctrl-x"], "a\x18")] {
        let mut terminal = Terminal::start(&space, &[&["attach"], options, &["box"]].concat());
        wait_until("the terminal is raw", || terminal.is_raw());
        terminal.press("hello\r");
        terminal.expect("got hello");
        terminal.press(keys);
        assert_eq!(terminal.end(), 0);
        assert!(!terminal.is_raw());
    }
    assert!(space.minidocker(&["logs", "box"]).out.contains("got hello\r\n"));
    space.minidocker(&["attach", "box"]).assert_failed(&["the input device is not a TTY"]);
}

fn a_container_that_does_not_run_is_refused(who: Who) {
    let space = Space::new(who);
    space.minidocker(&["attach", "nobody"]).assert_failed(&["nobody"]);
    let _background = Background::start(&space, "box", &[], "exit 0");
    assert_eq!(space.minidocker(&["wait", "box"]).out, "0\n");
    space.minidocker(&["attach", "box"]).assert_failed(&["box"]);
}
