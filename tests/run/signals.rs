//! Signals: passed on, and what happens when minidocker itself is killed.

use crate::common::container::{Running, children_of, status_of};
use crate::common::space::{Space, Who, is_root, names_in};
use crate::common::{Test, as_both};
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::time::{Duration, Instant};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], a_signal_reaches_the_command),
        as_both(&[], a_signal_passes_through_init),
        as_both(&[], a_signal_that_comes_early_waits_for_the_command),
        as_both(&[], the_third_interrupt_kills),
        as_both(&[], init_reaps_orphans),
        as_both(&[], init_ends_with_the_commands_status),
        as_both(&[], init_keeps_nothing_of_the_hosts_open),
        as_both(&[], real_time_signals_end_like_others),
        as_both(&[], a_killed_minidocker_takes_the_container_along),
        as_both(&[], the_commands_signals_are_as_they_were),
        as_both(&[], a_signal_ends_the_wait_for_a_lock),
        as_both(&[], a_signal_ends_the_making_of_base),
        as_both(&[], a_signal_at_any_moment_ends_it_and_leaves_nothing),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A shell that says which signal it got and ends with 7. `wait` is what a trap interrupts.
const TRAPS: &str =
    "for s in TERM INT HUP USR1; do trap \"echo $s; exit 7\" $s; done; sleep 60 & echo ready; wait";

/// Look until `done`, for what no file descriptor announces.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn assert_passes_on(space: &Space, options: &[&str]) {
    for (signal, name) in [
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGINT, "INT"),
        (Signal::SIGHUP, "HUP"),
        (Signal::SIGUSR1, "USR1"),
    ] {
        let mut running = space.start(options, &["sh", "-c", TRAPS]);
        running.expect("ready");
        running.signal(signal);
        running.expect(name);
        assert_eq!(running.end().status, 7, "{name}");
    }
}

fn a_signal_reaches_the_command(who: Who) {
    assert_passes_on(&Space::new(who), &[]);
}

fn a_signal_passes_through_init(who: Who) {
    assert_passes_on(&Space::new(who), &["--init"]);
}

/// Start a container whose first process has been stopped before it forked, or `None` when it was faster.
fn stopped_early(space: &Space) -> Option<(Running, Pid)> {
    let running = space.start(&["--init"], &["sh", "-c", "read x; exit 0"]);
    wait_until("the first process is born", || !children_of(running.runtime()).is_empty());
    let init = Pid::from_raw(running.pid() as i32);
    kill(init, Signal::SIGSTOP).unwrap();
    let pid = init.as_raw() as u32;
    wait_until("it has stopped", || status_of(pid, "State").starts_with('T'));
    let early = children_of(pid).is_empty();
    if !early {
        kill(init, Signal::SIGCONT).unwrap();
    }
    early.then_some((running, init))
}

fn a_signal_that_comes_early_waits_for_the_command(who: Who) {
    let space = Space::new(who);
    space.sh(&[], "exit 0");
    let (running, init) = (0..20).find_map(|_| stopped_early(&space)).expect("one that was caught in time");
    for signal in [Signal::SIGWINCH, Signal::SIGUSR1] {
        running.signal(signal);
        wait_until("minidocker takes the signal", || pending(&running) == 0);
    }
    kill(init, Signal::SIGCONT).unwrap();
    // Nobody has written a line that the command could read: it is the signal that ends it.
    assert_eq!(running.wait().status, 128 + Signal::SIGUSR1 as i32);
}

/// The signals that `minidocker` has been sent and has not taken yet.
fn pending(running: &Running) -> u64 {
    u64::from_str_radix(&status_of(running.runtime(), "ShdPnd"), 16).unwrap()
}

fn the_third_interrupt_kills(who: Who) {
    let space = Space::new(who);
    // Pid 1 without a handler is deaf to SIGINT. A shell has one.
    let mut running = space.start(&[], &["sh", "-c", "echo ready; exec sleep 60"]);
    running.expect("ready");
    wait_until("the shell has become sleep", || running.read("comm") == "sleep\n");
    for _ in 0..2 {
        running.signal(Signal::SIGINT);
        // Two of a kind that are pending at once are one.
        wait_until("minidocker takes the signal", || pending(&running) == 0);
        assert!(running.proc("ns").exists());
    }
    running.signal(Signal::SIGINT);
    assert_eq!(running.wait().status, 137);
}

fn init_reaps_orphans(who: Who) {
    let space = Space::new(who);
    let mut running =
        space.start(&["--init"], &["sh", "-c", "for i in 1 2 3; do (true &); done; echo ready; read x"]);
    running.expect("ready");
    let init = running.pid();
    wait_until("one child is left", || children_of(init).len() == 1);
    let command = children_of(init)[0];
    wait_until("the command waits to read", || status_of(command, "State").starts_with('S'));
    // Nobody is left that ended and was not waited for.
    let said =
        space.sh(&["--init"], "(sleep 0 &); sleep 0.2; grep -l '^State:.Z' /proc/[0-9]*/status || echo none");
    assert_eq!(said, "none\n");
}

fn init_ends_with_the_commands_status(who: Who) {
    let space = Space::new(who);
    assert_eq!(space.base(&["--init"], &["sh", "-c", "exit 9"]).status, 9);
    assert_eq!(space.base(&["--init"], &["sh", "-c", "kill -KILL $$"]).status, 137);
    assert_eq!(space.base(&["--init"], &["no-such-program"]).status, 127);
    // What the command leaves running ends with it.
    assert_eq!(space.base(&["--init"], &["sh", "-c", "sleep 60 & exit 0"]).status, 0);
}

fn init_keeps_nothing_of_the_hosts_open(who: Who) {
    let space = Space::new(who);
    let trace = space.file("trace.jsonl", "").display().to_string();
    for options in [&["--init"][..], &["--init", "--explain", "--trace", &trace]] {
        let mut running = space
            .start(options, &["sh", "-c", "ls /proc/self/fd; sleep 0 & wait; echo ready; read x; exit 3"]);
        // The command itself has one more, by which ls(1) reads the directory.
        for line in ["0", "1", "2", "3", "ready"] {
            running.expect(line);
        }
        // This process is hidden from everybody but the host's root.
        if is_root() {
            assert_eq!(names_in(&running.proc("fd")), ["0", "1", "2"]);
        }
        assert_eq!(running.end().status, 3);
    }
}

fn real_time_signals_end_like_others(who: Who) {
    let space = Space::new(who);
    let orphan = "(sh -c 'sleep 0.1; kill -34 $$' &); sleep 0.3; echo alive";
    assert_eq!(space.sh(&["--init"], orphan), "alive\n");
    assert_eq!(space.base(&["--init"], &["sh", "-c", "kill -34 $$"]).status, 162);
    // Pid 1 itself is deaf to it, so here the shell tells of its child.
    for options in [&[][..], &["--init"]] {
        assert_eq!(space.base(options, &["sh", "-c", "sh -c 'kill -34 $$'; exit $?"]).status, 162);
    }
}

fn a_killed_minidocker_takes_the_container_along(who: Who) {
    for options in [&[][..], &["--init"]] {
        let space = Space::new(who);
        let mut running = space.start(options, &["sh", "-c", "sleep 60 & echo ready; wait"]);
        running.expect("ready");
        let pid = running.pid();
        running.kill_supervisor();
        // Standard output ends when the last process that holds it has ended.
        assert_eq!(running.wait().status, 137);
        wait_until("the container's first process is gone", || {
            !std::path::Path::new(&format!("/proc/{pid}")).exists()
                || status_of(pid, "State").starts_with('Z')
        });
    }
}

/// Hold the file `name` of the state root with flock(2).
fn lock(space: &Space, name: &str) -> Flock<File> {
    let path = space.root().join(name);
    Flock::lock(File::options().write(true).open(path).unwrap(), FlockArg::LockExclusive).unwrap()
}

fn waits_for_a_lock(pid: u32) -> bool {
    // `1: -> FLOCK  ADVISORY  WRITE 4242 08:01:1234 0 EOF`
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|line| line.contains("->") && line.split_whitespace().nth(5) == Some(&pid.to_string()))
}

fn a_signal_ends_the_wait_for_a_lock(who: Who) {
    let space = Space::new(who);
    space.sh(&[], "exit 0");
    let held = lock(&space, "lock");
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let running = space.start(&[], &["true"]);
        wait_until("minidocker waits for the lock", || waits_for_a_lock(running.runtime()));
        running.signal(signal);
        let outcome = running.wait();
        assert_eq!((outcome.status, outcome.err.as_str()), (128 + signal as i32, ""));
        assert_eq!(space.containers(), [""; 0]);
    }
    drop(held);
    space.sh(&[], "exit 0");
}

fn a_signal_ends_the_making_of_base(who: Who) {
    let space = Space::bare(who);
    let layers = space.root().join("layers");
    let unfinished = || {
        names_in(&layers).into_iter().filter(|name| name.starts_with(".new-")).map(|name| layers.join(name))
    };
    let running = space.start(&[], &["true"]);
    wait_until("base is being made", || unfinished().any(|making| !names_in(&making).is_empty()));
    running.signal(Signal::SIGTERM);
    assert_eq!((running.wait().status, space.containers()), (143, vec![]));
    let finished: Vec<String> = names_in(&layers).into_iter().filter(|name| !name.starts_with('.')).collect();
    assert_eq!(finished, [""; 0]);
    // What was made so far is the next one's to remove.
    assert_eq!(space.base(&[], &["true"]).status, 0);
    assert_eq!(unfinished().count(), 0);
}

fn a_signal_at_any_moment_ends_it_and_leaves_nothing(who: Who) {
    let space = Space::new(who);
    space.sh(&[], "exit 0");
    for milliseconds in 0..25 {
        let running = space.start(&["--init"], &["sleep", "60"]);
        std::thread::sleep(Duration::from_millis(milliseconds));
        running.signal(Signal::SIGTERM);
        let outcome = running.wait();
        assert_eq!(
            (outcome.status, outcome.out.as_str()),
            (143, ""),
            "after {milliseconds} ms: {}",
            outcome.err
        );
        assert_eq!(space.containers(), [""; 0], "after {milliseconds} ms");
    }
}

fn the_commands_signals_are_as_they_were(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&[]);
    for set in ["SigBlk", "SigPnd", "ShdPnd"] {
        assert_eq!(u64::from_str_radix(&running.status(set), 16).unwrap(), 0, "{set}");
    }
    let ignored = u64::from_str_radix(&running.status("SigIgn"), 16).unwrap();
    let ours = u64::from_str_radix(&status_of(running.runtime(), "SigIgn"), 16).unwrap();
    let pipe = 1 << (libc::SIGPIPE - 1);
    assert_eq!(ignored & !ours & !pipe, 0, "{ignored:#x}");
    assert_eq!(ignored & pipe, 0, "Rust ignores SIGPIPE for itself; a command must not inherit that");
}
