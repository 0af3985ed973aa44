//! The exit status is the command's own, or says why there was no command: as Docker's.

use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], the_commands_own),
        as_both(&[], killed_by_a_signal_is_128_and_its_number),
        as_both(&[], what_does_not_exist_is_127),
        as_both(&[], what_cannot_be_executed_is_126),
        as_both(&[], a_wrong_option_is_125),
        as_both(&[], without_a_command_it_is_the_images),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn the_commands_own(who: Who) {
    let space = Space::new(who);
    for status in [0, 1, 42, 255] {
        let outcome = space.base(&[], &["sh", "-c", &format!("exit {status}")]);
        assert_eq!((outcome.status, outcome.err.as_str()), (status, ""));
    }
}

fn killed_by_a_signal_is_128_and_its_number(who: Who) {
    let space = Space::new(who);
    // Pid 1 is deaf to signals from inside its namespace, so this one comes from outside.
    let running = space.hold(&[]);
    kill(Pid::from_raw(running.pid() as i32), Signal::SIGKILL).unwrap();
    assert_eq!(running.end().status, 137);
    // With --init the command is not pid 1.
    assert_eq!(space.base(&["--init"], &["sh", "-c", "kill -TERM $$"]).status, 143);
}

fn what_does_not_exist_is_127(who: Who) {
    let space = Space::new(who);
    for name in ["no-such-program", "/no/such/program", "/etc/passwd/x"] {
        let outcome = space.base(&[], &[name]);
        assert_eq!((outcome.status, outcome.out.as_str()), (127, ""), "{}", outcome.err);
        assert!(outcome.err.contains(name), "{}", outcome.err);
    }
}

fn what_cannot_be_executed_is_126(who: Who) {
    let space = Space::new(who);
    let plain = space.file("plain", "no program");
    let volume = format!("{}:/usr/local/bin/plain", plain.display());
    for name in ["/etc/passwd", "/etc", "plain"] {
        let outcome = space.base(&["-v", &volume], &[name]);
        assert_eq!((outcome.status, outcome.out.as_str()), (126, ""), "{name}: {}", outcome.err);
        assert!(outcome.err.contains(name), "{}", outcome.err);
    }
}

fn a_wrong_option_is_125(who: Who) {
    let space = Space::bare(who);
    for words in [&["run", "--no-such-option", "base"][..], &["run"], &["run", "--cpu-shares", "1", "base"]] {
        let outcome = space.minidocker(words);
        assert_eq!((outcome.status, outcome.out.as_str()), (125, ""), "{words:?}: {}", outcome.err);
    }
    assert!(!space.root().exists(), "nothing was to be done");
}

fn without_a_command_it_is_the_images(who: Who) {
    let space = Space::new(who);
    let mut running = space.start(&[], &[]);
    running.say("echo I am $0; exit 3");
    let outcome = running.end();
    assert_eq!((outcome.status, outcome.out.as_str()), (3, "I am sh\n"), "{}", outcome.err);
}
