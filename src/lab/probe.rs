//! The probe: our own process inside the container, and the talk with it.
//!
//! Two processes use this file. *The probe* is the container's command: it connects to the grader's socket, which it
//! finds in its volume `/lab`, says which nonce it was given, and then does what it is told. *The grader* takes the
//! connection; the kernel says who is at the other end (SCM_CREDENTIALS, unix(7)), and only a process that executes
//! our own file is believed. So a program that prints the right words is nobody's probe.

use super::host::{DOOR, PROBE};
use super::lesson::{Act, Lesson};
use super::stuck;
use super::verdict::{Outcome, Stop};
use super::witness;
use crate::error::{Error, LabProblem, Meaning, Problem, Result};
use crate::said;
use crate::sys::flags::{O_DIRECTORY, O_PATH};
use crate::sys::ready::{self, Watch};
use crate::sys::seqpacket::{self, Received};
use crate::sys::{file, process, senders};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// The name of the probe's program, by which it knows what it is.
pub const NAME: &str = "probe";
/// Where the container sees the probe's program.
pub const INSIDE: &str = "/lab/probe";
/// The grader's socket in the volume.
const SOCKET: &str = "socket";
/// The longest message.
const ROOM: usize = 1 << 16;

/// What the grader tells a probe.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// Do the act of a lesson.
    Do { act: String, with: Value },
    /// The same, and do not answer.
    Start { act: String, with: Value },
    /// Exit with this status.
    End { status: i32 },
}

/// The exit status of a probe that cannot talk with the grader.
pub const UNHEARD: u8 = 3;

/// The probe's whole life; its exit status.
pub fn main(lessons: &[&Lesson], nonce: &str) -> u8 {
    live(lessons, nonce).unwrap_or(UNHEARD)
}

fn live(lessons: &[&Lesson], nonce: &str) -> Result<u8> {
    let above = Path::new("/lab");
    let directory = file::open_file(above, O_PATH | O_DIRECTORY, 0)?;
    let grader = seqpacket::connect(directory.as_fd(), above, SOCKET)?;
    send(grader.as_fd(), &nonce)?;
    loop {
        ready::wait(&[Watch::of(grader.as_fd(), true, false)])?;
        let mut room = vec![0; ROOM];
        let Received::Message(length) = seqpacket::receive(grader.as_fd(), &mut room)? else { return Ok(0) };
        match understood(serde_json::from_slice(&room[..length]), "an order")? {
            Order::Do { act, with } => {
                let answer = find(lessons, &act)?(with);
                send(grader.as_fd(), &answer)?;
            }
            Order::Start { act, with } => drop(find(lessons, &act)?(with)?),
            Order::End { status } => process::exit_now(status),
        }
    }
}

/// The act `LESSON/NAME`.
fn find(lessons: &[&Lesson], name: &str) -> Result<fn(Value) -> Result<Value>> {
    let found = lessons.iter().find_map(|lesson| {
        let (of, act) = name.split_once('/')?;
        lesson.acts.iter().find(|one: &&Act| lesson.name == of && one.name == act)
    });
    found.map(|act| act.act).ok_or_else(|| lab_problem(LabProblem::NoSuchAct { name: name.to_owned() }))
}

fn lab_problem(problem: LabProblem) -> Error {
    Error::new(Problem::Lab(problem))
}

/// What was said, if it was JSON of the right shape.
fn understood<T>(said: serde_json::Result<T>, what: &str) -> Result<T> {
    said.map_err(|_| lab_problem(LabProblem::Unreadable { what: what.to_owned() }))
}

fn send(socket: BorrowedFd<'_>, message: &impl Serialize) -> Result<()> {
    let bytes = serde_json::to_vec(message).unwrap_or_default();
    seqpacket::send(socket, &[IoSlice::new(&bytes)]).map(drop)
}

/// Where the grader waits for its probes.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    /// What a probe executes: device and inode.
    own: (u64, u64),
}

impl Listener {
    /// Listen in the directory that containers see as `/lab`.
    pub fn open() -> Result<Self> {
        let above = Path::new(DOOR);
        let directory = file::open_file(above, O_PATH | O_DIRECTORY, 0)?;
        let socket = seqpacket::listen(directory.as_fd(), above, SOCKET)?;
        senders::want(socket.as_fd())?;
        file::chmod(&above.join(SOCKET), 0o777)?;
        let own = file::status(Path::new(PROBE))?.identity;
        Ok(Self { socket, own })
    }

    /// The socket, which can be read when somebody has come.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Who has come with this nonce, if it is a probe: a process that executes our own program.
    pub fn welcome(&self, lesson: &'static str, nonce: &str, most: Duration) -> Result<Option<Probe>> {
        let Some(socket) = seqpacket::accept(self.socket.as_fd())? else { return Ok(None) };
        ready::wait_at_most(&[Watch::of(socket.as_fd(), true, false)], most)?;
        let mut room = vec![0; ROOM];
        let (Received::Message(length), pid) = senders::receive_from(socket.as_fd(), &mut room)? else {
            return Ok(None);
        };
        let said: Option<String> = serde_json::from_slice(&room[..length]).ok();
        let is_ours = pid > 0 && witness::executable(pid) == Some(self.own);
        Ok((is_ours && said.as_deref() == Some(nonce)).then_some(Probe {
            socket,
            pid,
            lesson,
            patience: most,
        }))
    }
}

/// A live probe, as the grader holds it.
#[derive(Debug)]
pub struct Probe {
    socket: OwnedFd,
    pid: i32,
    lesson: &'static str,
    patience: Duration,
}

impl Probe {
    /// Its pid, as the grader's host knows it: from the kernel, not from the probe.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Let it do the `act` of this lesson inside the container, and return what that returned. The inner error is the
    /// act's own, with the kernel's errno.
    pub fn ask<T: DeserializeOwned>(&self, act: &str, with: Value) -> Outcome<Result<T>> {
        send(self.socket.as_fd(), &Order::Do { act: self.full(act), with })?;
        let end = Instant::now() + self.patience;
        let mut room = vec![0; ROOM];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            ready::wait_at_most(&[Watch::of(self.socket.as_fd(), true, false)], left)?;
            match seqpacket::receive(self.socket.as_fd(), &mut room)? {
                Received::Message(length) => {
                    let answer: Result<Value> =
                        understood(serde_json::from_slice(&room[..length]), "the probe's answer")?;
                    let value = answer.and_then(|value| understood(serde_json::from_value(value), act));
                    return Ok(value);
                }
                Received::End => return Err(self.lost(act)),
                Received::Nothing if end <= Instant::now() => return Err(self.silent(act)),
                Received::Nothing => {}
            }
        }
    }

    /// Let it do the act, without waiting for an answer.
    pub fn tell(&self, act: &str, with: Value) -> Outcome {
        send(self.socket.as_fd(), &Order::Start { act: self.full(act), with }).map_err(Stop::from)
    }

    /// Let it exit with `status`.
    pub fn end(&self, status: i32) -> Outcome {
        send(self.socket.as_fd(), &Order::End { status })
            .meaning(|| Problem::Lab(LabProblem::ProbeVanished))
            .map_err(Stop::from)
    }

    /// Wait until it has gone; whether it has.
    pub fn gone(&self) -> Outcome<bool> {
        ready::wait_at_most(&[Watch::of(self.socket.as_fd(), true, false)], self.patience)?;
        Ok(seqpacket::receive(self.socket.as_fd(), &mut [0; 8])? == Received::End)
    }

    fn full(&self, act: &str) -> String {
        format!("{}/{act}", self.lesson)
    }

    fn lost(&self, act: &str) -> Stop {
        let saw = said!(
            "the process inside the container died while it did `{act}`",
            "容器里的进程在做 `{act}` 时死去"
        );
        super::verdict::wrong(saw, said!("it lives", "它活着"))
    }

    fn silent(&self, act: &str) -> Stop {
        let (seconds, place) = (self.patience.as_secs(), stuck::place(self.pid));
        let saw = said!(
            "no answer to `{act}` within {seconds} s; the process inside: {place}",
            "{seconds} 秒内没有对 `{act}` 的回答；容器里的进程：{place}"
        );
        super::verdict::wrong(saw, said!("an answer", "有回答"))
    }
}
