//! The relay with real pipes and processes, and with clients that are slow, die, or come late.

use super::*;
use crate::console::ends::{Console, Shape};
use crate::console::inside::Inside;
use crate::console::log::{Selection, follow};
use crate::console::message::{Message, ROOM};
use crate::console::{listener, pair};
use crate::sys::seqpacket::{Received, receive};
use crate::sys::signal;
use std::path::Path;
use std::process::{Command, Stdio};

/// A process of the machine's in place of a container.
struct Scene {
    ends: Ends,
    child: Child,
    /// Its parent, which reaps nothing.
    _parent: std::process::Child,
}

fn scene(script: &str, input: bool) -> Scene {
    // A descriptor that another thread's child inherits keeps a pipe open: all are close-on-exec.
    let console = Console::open(Shape { terminal: false, input }, None).unwrap();
    let (outside, inside) = split(console);
    let Inside::Pipes { stdin, stdout, stderr } = inside else { panic!() };
    let parent = Command::new("sh")
        .args(["-c", script])
        .stdin(stdin.map_or_else(Stdio::null, Stdio::from))
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .unwrap();
    let pid = parent.id() as i32;
    let child = Child { pid, pidfd: process::pidfd_open(pid).unwrap() };
    Scene { ends: outside, child, _parent: parent }
}

/// Both sides in one process, where a fork would make two.
fn split(console: Console) -> (Ends, Inside) {
    let Console::Pipes { stdin, stdout, stderr } = console else { panic!() };
    let (stdin, into) = stdin.unzip();
    let outside = Console::Pipes {
        stdin: into.map(|into| (crate::sys::pipe::pipe().unwrap().0, into)),
        stdout: (stdout.0, crate::sys::pipe::pipe().unwrap().1),
        stderr: (stderr.0, crate::sys::pipe::pipe().unwrap().1),
    };
    (outside.outside().ends().unwrap(), Inside::Pipes { stdin, stdout: stdout.1, stderr: stderr.1 })
}

/// What a client was sent until the last word, waiting `pause` before each message.
#[derive(Debug, Default, PartialEq)]
struct Sent {
    out: Vec<u8>,
    err: Vec<u8>,
    words: Vec<String>,
}

fn listen(socket: &OwnedFd, pause: std::time::Duration) -> Sent {
    let mut sent = Sent::default();
    let mut room = vec![0; ROOM];
    loop {
        std::thread::sleep(pause);
        ready::wait(&[Watch::of(socket.as_fd(), true, false)]).unwrap();
        let Received::Message(count) = receive(socket.as_fd(), &mut room).unwrap() else { return sent };
        match Message::read(&room[..count]).unwrap() {
            Message::Output(Stream::Stdout, bytes) => sent.out.extend_from_slice(bytes),
            Message::Output(Stream::Stderr, bytes) => sent.err.extend_from_slice(bytes),
            Message::Ended(json) => sent.words.push(String::from_utf8(json.to_vec()).unwrap()),
            message => sent.words.push(format!("{message:?}")),
        }
    }
}

impl Relay {
    /// As [`dismiss`](Relay::dismiss), in a process that has other threads, and so must not be copied.
    fn dismiss_all(&mut self, outcome: &[u8], signals: &Blocked) -> Result<()> {
        self.audience.say_last(outcome);
        self.audience.deliver();
        self.stay_for_the_slow(signals)
    }
}

const ALL: Wish = Wish { output: true, input: true };
const NO_TIME: std::time::Duration = std::time::Duration::ZERO;

/// Run `scene` to its end and dismiss everybody; the status.
fn carry(mut relay: Relay, scene: Scene) -> u8 {
    let signals = signal::block_all().unwrap();
    let ended = relay.until_end(scene.ends, &scene.child, &signals, Vec::new()).unwrap();
    relay.dismiss_all(b"end", &signals).unwrap();
    assert!(relay.unlogged().is_none());
    ended.status()
}

fn logged(directory: &Path) -> (Vec<u8>, Vec<u8>) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    follow(directory, &Selection::default(), false, &mut |stream, bytes| {
        if stream == Stream::Stdout { &mut out } else { &mut err }.extend_from_slice(bytes);
        Ok(true)
    })
    .unwrap();
    (out, err)
}

#[test]
fn what_is_said_reaches_client_and_log() {
    let directory = tempfile::tempdir().unwrap();
    let mut relay = Relay::new("0123456789ab", true);
    relay.open(directory.path()).unwrap();
    let (client, supervisor) = pair().unwrap();
    relay.add(supervisor, ALL);
    assert_eq!(carry(relay, scene("printf out; printf 'err\\n' >&2; exit 7", false)), 7);
    let sent = listen(&client, NO_TIME);
    assert_eq!((sent.out.as_slice(), sent.err.as_slice()), (&b"out"[..], &b"err\n"[..]));
    assert_eq!(sent.words, [r#"Started("0123456789ab")"#, "Exited", "end"]);
    assert_eq!(logged(directory.path()), (b"out".to_vec(), b"err\n".to_vec()));
}

#[test]
fn a_client_of_what_never_ran_is_told_the_end_at_once() {
    let mut relay = Relay::new("id", true);
    let (client, supervisor) = pair().unwrap();
    relay.add(supervisor, ALL);
    relay.dismiss_all(b"end", &signal::block_all().unwrap()).unwrap();
    assert_eq!(listen(&client, NO_TIME).words, ["end"]);
}

#[test]
fn a_slow_client_loses_nothing_and_a_dead_one_keeps_nobody() {
    let mut relay = Relay::new("id", true);
    let (slow, supervisor) = pair().unwrap();
    relay.add(supervisor, ALL);
    let (dead, supervisor) = pair().unwrap();
    relay.add(supervisor, ALL);
    drop(dead);
    let reader = std::thread::spawn(move || listen(&slow, std::time::Duration::from_micros(500)));
    assert_eq!(carry(relay, scene("seq 300000; seq 1000 >&2", false)), 0);
    let sent = reader.join().unwrap();
    let seq = |last: u32| (1..=last).map(|number| format!("{number}\n")).collect::<String>();
    assert!(sent.out == seq(300_000).as_bytes(), "{} bytes", sent.out.len());
    assert!(sent.err == seq(1000).as_bytes());
}

#[test]
fn input_is_given_on_and_ends() {
    let mut relay = Relay::new("id", true);
    let (client, supervisor) = pair().unwrap();
    relay.add(supervisor, ALL);
    Message::Input(b"one\n").send(client.as_fd()).unwrap();
    Message::InputEnd.send(client.as_fd()).unwrap();
    assert_eq!(carry(relay, scene("cat; exit 3", true)), 3);
    let sent = listen(&client, NO_TIME);
    assert_eq!(sent.out, b"one\n");
    assert!(sent.words.contains(&"More".to_owned()));
}

#[test]
fn more_input_than_a_pipe_holds_comes_through() {
    let mut relay = Relay::new("id", true);
    let (client, supervisor) = pair().unwrap();
    relay.add(supervisor, ALL);
    let writer = std::thread::spawn(move || {
        let (mut left, mut room) = (40, vec![0; ROOM]);
        loop {
            ready::wait(&[Watch::of(client.as_fd(), true, false)]).unwrap();
            let Received::Message(count) = receive(client.as_fd(), &mut room).unwrap() else { return };
            match Message::read(&room[..count]).unwrap() {
                Message::Started(_) | Message::More if left > 0 => {
                    Message::Input(&[b'x'; LARGEST]).send(client.as_fd()).unwrap();
                    left -= 1;
                }
                Message::More => drop(Message::InputEnd.send(client.as_fd()).unwrap()),
                Message::Output(_, bytes) => assert_eq!(bytes, format!("{}\n", 40 * LARGEST).as_bytes()),
                _ => {}
            }
        }
    });
    assert_eq!(carry(relay, scene("sleep 0.1; wc -c", true)), 0);
    writer.join().unwrap();
}

#[test]
fn a_client_that_dies_ends_the_input_and_one_that_detaches_does_not() {
    let mut relay = Relay::new("id", true);
    let (client, supervisor) = pair().unwrap();
    relay.add(supervisor, ALL);
    drop(client);
    assert_eq!(carry(relay, scene("cat; exit 4", true)), 4);

    let mut relay = Relay::new("id", true);
    let (client, supervisor) = pair().unwrap();
    relay.add(supervisor, ALL);
    Message::Detach.send(client.as_fd()).unwrap();
    drop(client);
    // The one that stays ends it by a signal.
    let (other, supervisor) = pair().unwrap();
    relay.add(supervisor, Wish { output: true, input: false });
    let killer = std::thread::spawn(move || {
        let mut room = [0; 64];
        ready::wait(&[Watch::of(other.as_fd(), true, false)]).unwrap();
        receive(other.as_fd(), &mut room).unwrap();
        ready::wait(&[Watch::of(other.as_fd(), true, false)]).unwrap();
        Message::Signal(SIGKILL).send(other.as_fd()).unwrap();
        listen(&other, NO_TIME)
    });
    assert_eq!(carry(relay, scene("echo ready; exec cat", true)), 128 + SIGKILL as u8);
    killer.join().unwrap();
}

#[test]
fn who_attaches_hears_what_is_said_from_then_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut relay = Relay::new("id", false);
    relay.open(directory.path()).unwrap();
    let path = directory.path().to_owned();
    let late = std::thread::spawn(move || {
        let socket = listener::connect(&path).unwrap().unwrap();
        Message::Hello(ALL).send(socket.as_fd()).unwrap();
        Message::Input(b"now\n").send(socket.as_fd()).unwrap();
        listen(&socket, NO_TIME)
    });
    let signals = signal::block_all().unwrap();
    let scene = scene("read line; echo \"$line\"", true);
    relay.until_end(scene.ends, &scene.child, &signals, Vec::new()).unwrap();
    relay.close().unwrap();
    assert!(listener::connect(directory.path()).unwrap().is_none());
    relay.dismiss_all(b"end", &signals).unwrap();
    let sent = late.join().unwrap();
    assert_eq!(sent.out, b"now\n");
    assert_eq!(sent.words.last().unwrap(), "end");
}

#[test]
fn who_says_late_what_it_wants_hears_what_is_said_from_then_on() {
    let mut audience = Audience::new("id");
    let (quick, supervisor) = pair().unwrap();
    audience.add(supervisor, Some(Wish { output: true, input: false }));
    let (late, supervisor) = pair().unwrap();
    audience.add(supervisor, None);
    audience.begin();
    audience.offer(Stream::Stdout, b"before");
    Message::Hello(Wish { output: true, input: false }).send(late.as_fd()).unwrap();
    audience.hear(&[ready::Ready { read: false, write: false }, ready::Ready { read: true, write: false }]);
    audience.offer(Stream::Stdout, b"after");
    audience.exited();
    audience.say_last(b"end");
    audience.deliver();
    assert!(audience.is_empty());
    assert_eq!(listen(&quick, NO_TIME).out, b"beforeafter");
    assert_eq!(listen(&late, NO_TIME).out, b"after");
}
