//! What a container reads and writes: `-i`, `-t`, the person's terminal, and clients that go away.

use super::terminal::{Background, Terminal, wait_until};
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};
use nix::sys::signal::Signal;
use std::io::{Read, Write};
use std::process::Stdio;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], a_terminal_is_the_containers_own),
        as_both(&[], keys_are_the_containers),
        as_both(&[], the_size_of_the_window_is_followed),
        as_both(&[], the_terminal_is_put_back_however_it_ends),
        as_both(&[], a_terminal_needs_one),
        as_both(&[], what_goes_in_comes_out_whole),
        as_both(&[], streams_stay_apart),
        as_both(&[], nobody_who_reads_is_no_end_of_the_container),
        as_both(&[], a_killed_client_is_not_missed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const RUN_IT: [&str; 5] = ["run", "--rm", "-it", "--network", "none"];

fn at_terminal(space: &Space, options: &[&str], script: &str) -> Terminal {
    Terminal::start(space, &[&RUN_IT[..], options, &["base", "sh", "-c", script]].concat())
}

fn a_terminal_is_the_containers_own(who: Who) {
    let space = Space::new(who);
    let script = "tty; stty size; echo $TERM; test -t 0 && test -t 1 && test -t 2 && echo three; \
                  echo said > /dev/console; echo more > /dev/tty; exit 6";
    for options in [&[][..], &["--init"]] {
        let mut terminal = at_terminal(&space, options, script);
        for text in ["/dev/pts/0\r\n", "30 100\r\n", "xterm\r\n", "three\r\n", "said\r\n", "more\r\n"] {
            terminal.expect(text);
        }
        assert_eq!(terminal.end(), 6);
    }
}

fn keys_are_the_containers(who: Who) {
    let space = Space::new(who);
    let script = "trap 'echo interrupted; exit 4' INT; echo ready; read line; echo got $line; \
                  while :; do sleep 0.05; done";
    for options in [&[][..], &["--init"]] {
        let mut terminal = at_terminal(&space, options, script);
        terminal.expect("ready");
        terminal.press("a line\r");
        terminal.expect("got a line");
        terminal.press("\x03");
        terminal.expect("interrupted");
        assert_eq!(terminal.end(), 4);
    }
}

fn the_size_of_the_window_is_followed(who: Who) {
    let space = Space::new(who);
    let script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done";
    let mut terminal = at_terminal(&space, &[], script);
    terminal.expect("ready");
    wait_until("the terminal is raw", || terminal.is_raw());
    terminal.resize(41, 123);
    terminal.expect("41 123");
    // The container goes on without a client: it is taken away by the one who runs next.
    let background = Background(&space);
    drop(terminal);
    drop(background);
}

/// What a person does to end it.
type End = fn(&mut Terminal);

fn the_terminal_is_put_back_however_it_ends(who: Who) {
    let space = Space::new(who);
    let script = "echo ready; read line; exit 3";
    let ways: [(&str, End, i32, bool); 4] = [
        ("by its end", |terminal| terminal.press("\r"), 3, false),
        ("by the keys", |terminal| terminal.press("\x10\x11"), 0, true),
        ("by SIGTERM", |terminal| terminal.signal(Signal::SIGTERM), 143, true),
        ("by SIGHUP", |terminal| terminal.signal(Signal::SIGHUP), 129, true),
    ];
    for (how, end, status, goes_on) in ways {
        let mut terminal = at_terminal(&space, &[], script);
        terminal.expect("ready");
        wait_until("the terminal is raw", || terminal.is_raw());
        end(&mut terminal);
        assert_eq!(terminal.end(), status, "{how}");
        assert!(!terminal.is_raw(), "{how}");
        assert_eq!(space.containers().len(), usize::from(goes_on), "{how}");
        drop(Background(&space));
    }
}

fn a_terminal_needs_one(who: Who) {
    let space = Space::new(who);
    space.minidocker(&["run", "-it", "base", "true"]).assert_failed(&["the input device is not a TTY"]);
    assert_eq!(space.containers(), [""; 0]);
    // Without input none is needed.
    let outcome = space.base(&["-t"], &["tty"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "/dev/pts/0\r\n"), "{}", outcome.err);
    space.minidocker(&["run", "--detach-keys", "ctrl-%", "base", "true"]).assert_refused(&["ctrl-%"]);
}

fn what_goes_in_comes_out_whole(who: Who) {
    let space = Space::new(who);
    let text: String = (0..200_000).map(|number| format!("{number}\n")).collect();
    let mut command = space.command();
    command.args(["run", "--rm", "-i", "--network", "none", "base", "cat"]);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, sent) = (process.stdin.take().unwrap(), text.clone());
    let writer = std::thread::spawn(move || stdin.write_all(sent.as_bytes()).unwrap());
    let mut came = String::new();
    process.stdout.take().unwrap().read_to_string(&mut came).unwrap();
    writer.join().unwrap();
    assert!(process.wait().unwrap().success());
    assert!(came == text, "{} of {} bytes", came.len(), text.len());
}

fn streams_stay_apart(who: Who) {
    let space = Space::new(who);
    let outcome = space.base(&[], &["sh", "-c", "seq 50000; seq 7 >&2; exit 2"]);
    let seq = |last: u32| (1..=last).map(|number| format!("{number}\n")).collect::<String>();
    assert_eq!((outcome.status, outcome.err.as_str()), (2, seq(7).as_str()));
    assert!(outcome.out == seq(50000), "{} bytes", outcome.out.len());
}

fn nobody_who_reads_is_no_end_of_the_container(who: Who) {
    let space = Space::new(who);
    let mut command = space.command();
    command.args(["run", "--network", "none", "--name", "talker", "base", "sh", "-c"]);
    command.arg("while echo again; do sleep 0.01; done");
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    process.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
    drop(process.stdout.take());
    let mut err = String::new();
    process.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(1));
    assert!(err.contains("nobody reads"), "{err}");
    assert_eq!(space.minidocker(&["kill", "talker"]).status, 0);
    assert_eq!(space.minidocker(&["wait", "talker"]).out, "137\n");
    drop(Background(&space));
}

fn a_killed_client_is_not_missed(who: Who) {
    let space = Space::new(who);
    let mut running = space
        .start(&["--name", "orphan"], &["sh", "-c", "echo ready; read line; sleep 0.2; echo after; exit 8"]);
    running.expect("ready");
    running.signal(Signal::SIGKILL);
    // Its input ends with the client; the supervisor, and what it relays to the log, does not.
    assert_eq!(space.minidocker(&["wait", "orphan"]).out, "8\n");
    drop(running);
}
