//! `--step`: it waits for Enter before each step, and names commands that show the step from a second terminal.

use super::text::{chapters, explained, words};
use crate::common::container::{Running, namespace_of, status_of};
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], it_waits_before_each_step_on_the_terminal),
        as_both(&[], what_it_says_to_type_shows_the_namespace),
        as_both(&[], the_end_of_input_opens_the_gate),
        as_both(&[], an_interrupt_ends_the_wait_and_leaves_nothing),
        as_both(&[], without_a_terminal_it_reads_standard_input),
        as_both(&[], without_anybody_to_press_enter_it_refuses),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const PROMPT: &str = "Enter goes on: ";

/// A `minidocker --step` on a terminal of its own.
struct Session {
    terminal: File,
    process: Child,
    said: String,
    _watchdog: Sender<()>,
}

/// One wait: what was said before it.
struct Wait {
    text: String,
    word: String,
    pid: u32,
}

impl Session {
    fn start(space: &Space, words: &[&str]) -> Self {
        let pair = nix::pty::openpty(None, None).unwrap();
        let slave = || Stdio::from(pair.slave.try_clone().unwrap());
        let mut command = space.command_through(&["setsid", "--ctty"]);
        command.args(["run", "--rm", "--network", "none", "--step", "--color", "never"]).args(words);
        let process = command.stdin(slave()).stdout(slave()).stderr(slave()).spawn().unwrap();
        let pid = nix::unistd::Pid::from_raw(process.id() as i32);
        let (watchdog, ended) = channel::<()>();
        std::thread::spawn(move || {
            // Who hangs is killed, and the test fails.
            if ended.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
        });
        Self { terminal: pair.master.into(), process, said: String::new(), _watchdog: watchdog }
    }

    /// Read on until it waits; `None` when it has ended.
    fn wait(&mut self) -> Option<Wait> {
        let mut text = String::new();
        let mut bytes = Vec::new();
        loop {
            let mut byte = [0; 1024];
            // The terminal of a process that has ended answers EIO.
            let count = self.terminal.read(&mut byte).unwrap_or(0);
            bytes.extend_from_slice(&byte[..count]);
            if let Ok(whole) = std::str::from_utf8(&bytes) {
                text = whole.replace('\r', "");
            }
            // What the container says comes by its client, perhaps behind the prompt of its supervisor.
            if text.contains(PROMPT) {
                break;
            }
            if count == 0 {
                self.said += &text;
                return None;
            }
        }
        self.said += &text;
        let heading = text.lines().rfind(|line| line.starts_with("── ")).unwrap().to_owned();
        let word = heading.split(' ').nth(1).unwrap().to_owned();
        let pid = heading.split(", pid ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        Some(Wait { text, word, pid })
    }

    fn press(&mut self, key: &str) {
        self.terminal.write_all(key.as_bytes()).unwrap();
    }

    /// Press Enter until it waits before this step.
    fn go_to(&mut self, word: &str) -> Wait {
        while let Some(wait) = self.wait() {
            if wait.word == word {
                return wait;
            }
            self.press("\n");
        }
        panic!("no step {word}: {}", self.said);
    }

    /// Press Enter at each wait until the end; the exit status, and what was said.
    fn finish(mut self) -> (i32, String) {
        self.press("\n");
        while self.wait().is_some() {
            self.press("\n");
        }
        let status = self.process.wait().unwrap();
        (status.code().unwrap_or(-1), std::mem::take(&mut self.said))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn it_waits_before_each_step_on_the_terminal(who: Who) {
    let space = Space::new(who);
    let explained = chapters(&explained(&space, &["--network", "none"]));
    let mut session = Session::start(&space, &["base", "echo", "the command"]);
    let mut waits = Vec::new();
    while let Some(wait) = session.wait() {
        // It sleeps; one that only pretended to wait would run on to its end, and have no state then.
        while !status_of(wait.pid, "State").starts_with('S') {
            std::thread::yield_now();
        }
        // The title, the reason and the commands stand before the wait; what the step does comes after it.
        assert!(!wait.text.rsplit("\n── ").next().unwrap().contains(") ="), "{}", wait.text);
        waits.push(wait.word);
        session.press("\n");
    }
    assert_eq!(session.process.wait().unwrap().code(), Some(0));
    // After the filter is loaded nothing may be read, so there is no wait before exec; and the child's half of the
    // clone is no step of its own.
    let mut expected = words(&explained);
    let second = expected.iter().rposition(|word| *word == "clone").unwrap();
    expected.remove(second);
    expected.retain(|word| *word != "exec");
    assert_eq!(waits, expected);
    assert!(session.said.contains("the command\n"), "{}", session.said);
}

fn what_it_says_to_type_shows_the_namespace(who: Who) {
    let space = Space::new(who);
    let mut session = Session::start(&space, &["--hostname", "web", "base", "true"]);
    let wait = session.go_to("uts");
    let commands: Vec<String> = commands(&wait);
    assert_eq!(commands[0], format!("readlink /proc/{}/ns/uts", wait.pid));
    assert_eq!(commands[1], format!("sudo nsenter -t {} -u hostname", wait.pid));
    let shown = |command: &str| typed(&space, command.trim_start_matches("sudo "));
    let hosts = namespace_of(std::process::id(), "uts");
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    // Before the step it is the host's, since it waits; behind it a new one.
    assert_eq!(shown(&commands[0]), format!("{hosts}\n"));
    if who == Who::Root {
        assert_eq!(shown(&commands[1]), hostname);
    }
    session.press("\n");
    let next = session.wait().unwrap();
    assert_eq!((next.word.as_str(), next.pid), ("mount", wait.pid));
    let after = shown(&commands[0]);
    assert!(after.starts_with("uts:[") && after.trim_end() != hosts, "{after}");
    assert!(next.text.contains(&format!("{hosts} → {}", after.trim_end())), "{}", next.text);
    if who == Who::Root {
        assert_eq!(shown(&commands[1]), "web\n");
    }
    let (status, said) = session.finish();
    assert_eq!(status, 0, "{said}");
}

/// The commands that were named before a wait.
fn commands(wait: &Wait) -> Vec<String> {
    let after = wait.text.split("Look from a second terminal, before and after:\n").last().unwrap();
    let commands = after.lines().map_while(|line| line.strip_prefix("     "));
    commands.map(str::to_owned).collect()
}

/// What a command writes that is typed in a second terminal.
fn typed(space: &Space, command: &str) -> String {
    let mut words = space.host.as_ref().map(|host| host.entering()).unwrap_or_default();
    words.extend(crate::common::space::as_person(space.who));
    words.extend(["sh", "-c", command].map(str::to_owned));
    let output = Command::new(&words[0]).args(&words[1..]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn the_end_of_input_opens_the_gate(who: Who) {
    let space = Space::new(who);
    let mut session = Session::start(&space, &["base", "echo", "the command"]);
    let wait = session.wait().unwrap();
    session.press("\x04");
    assert!(session.wait().is_none(), "it waits again after {}", wait.word);
    assert_eq!(session.process.wait().unwrap().code(), Some(0), "{}", session.said);
    assert!(session.said.contains("\nthe command\n"), "{}", session.said);
    assert!(session.said.contains("── uts  ") && session.said.contains("── cleanup  "), "{}", session.said);

    // The same in the middle of init's part.
    let mut session = Session::start(&space, &["base", "echo", "the command"]);
    session.go_to("overlay");
    session.press("\x04");
    let last = session.wait();
    assert_eq!(last.map(|wait| wait.word).as_deref(), Some("cleanup"), "the runtime has its own gate");
    let (status, said) = session.finish();
    assert_eq!(status, 0, "{said}");
}

fn an_interrupt_ends_the_wait_and_leaves_nothing(who: Who) {
    for word in ["state", "uts"] {
        let space = Space::new(who);
        let mut session = Session::start(&space, &["base", "echo", "the command"]);
        session.go_to(word);
        session.press("\x03");
        while session.wait().is_some() {
            session.press("\n");
        }
        let status = session.process.wait().unwrap();
        assert!(!status.success(), "{word}: {}", session.said);
        assert!(!session.said.contains("\nthe command\n"), "{}", session.said);
        // Killed, it leaves what the next command clears up.
        assert_eq!(space.minidocker(&["prune"]).status, 0);
        assert_eq!(space.containers(), [] as [&str; 0]);
    }
}

fn without_a_terminal_it_reads_standard_input(who: Who) {
    let space = Space::new(who);
    let mut command = space.command_through(&["setsid"]);
    command.args(["run", "--rm", "--network", "none", "--step", "base", "echo", "the command"]);
    let mut running = Running::start(&mut command);
    running.say("");
    running.say("");
    let outcome = running.end();
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "the command\n"), "{}", outcome.err);
    // Two lines for two waits; at the third the input has ended.
    assert_eq!(outcome.err.matches(PROMPT).count(), 3, "{}", outcome.err);
    assert!(outcome.err.contains("── uts  ") && outcome.err.contains("── cleanup  "), "{}", outcome.err);
}

fn without_anybody_to_press_enter_it_refuses(who: Who) {
    let space = Space::new(who);
    for redirection in ["</dev/null", "<&-"] {
        let script = format!("exec {redirection}; exec \"$@\"");
        let mut command = space.command_through(&["setsid", "sh", "-c", &script, "sh"]);
        command.args(["run", "--rm", "--network", "none", "--step", "base", "true"]);
        Running::start(&mut command).end().assert_refused(&["--step", "terminal"]);
    }
}
