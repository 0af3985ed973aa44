//! Processes that act a part of a demo somewhere else, and tell what they see from there.
//!
//! [`apart`] plays one part and returns what it found. An [`Actor`] stays, and answers one question after the other:
//! so both sides of a wall can be asked about the same thing. Either is a child of the demo, in new namespaces of the
//! kinds asked for, and dies with it.

use crate::error::{Error, Problem, Result};
use crate::namespace::pid;
use crate::process::supervise;
use crate::step::{Role, become_role};
use crate::sys::process::{self, Child, Ended, Forked};
use crate::sys::{pipe, signal};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Play `part` in a child process in new namespaces of the kinds in `flags` (0: in the same), and return its result.
///
/// On entry the caller has one thread. The child speaks as `role`; it ends when `part` returns. Its error becomes
/// this function's, and `ChildVanished` is one that died before it could say anything.
pub fn apart<T, F>(role: Role, flags: u64, part: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    apart_born_by(role, || pid::birth(flags, None), part)
}

/// The same, of a child that `birth` makes.
pub(super) fn apart_born_by<T, F>(role: Role, birth: impl FnOnce() -> Result<Forked>, part: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    let (go, parent) = pipe::pipe()?;
    let (result, report) = pipe::pipe()?;
    let child = match birth()? {
        Forked::Parent(child) => child,
        Forked::Child => {
            drop((parent, result));
            become_role(role);
            // The parent's answer to the birth is told first.
            let go = receive::<()>(&go);
            accompany(&report);
            send(&report, &go.and_then(|()| part()));
            process::exit_now(0)
        }
    };
    drop(report);
    send(&parent, &Ok(()));
    let told = receive(&result);
    process::wait(&child)?;
    told
}

/// A process that answers questions `Q` with answers `A` from where it is.
#[derive(Debug)]
pub struct Actor<Q, A> {
    child: Child,
    questions: OwnedFd,
    answers: OwnedFd,
    ended: Cell<bool>,
    speech: PhantomData<(Q, A)>,
}

impl<Q: Serialize + DeserializeOwned, A: Serialize + DeserializeOwned> Actor<Q, A> {
    /// Start a child named `name` in new namespaces of the kinds in `flags`; `part` answers its questions.
    ///
    /// On entry the caller has one thread. The child keeps what `part` has captured, as a copy.
    pub fn start(name: &'static str, flags: u64, part: impl FnMut(Q) -> Result<A>) -> Result<Self> {
        Self::born_by(name, || pid::birth(flags, None), || Ok(()), part)
    }

    /// The same, of a child that `birth` makes and that first of all does `settle`, whose error is this function's.
    pub(super) fn born_by(
        name: &'static str,
        birth: impl FnOnce() -> Result<Forked>,
        settle: impl FnOnce() -> Result<()>,
        mut part: impl FnMut(Q) -> Result<A>,
    ) -> Result<Self> {
        let (asked, questions) = pipe::pipe()?;
        let (answers, answered) = pipe::pipe()?;
        match birth()? {
            Forked::Parent(child) => {
                let actor = Self { child, questions, answers, ended: Cell::new(false), speech: PhantomData };
                // The answer to the birth is told first; then the child may speak, and is ready when it has answered.
                send(&actor.questions, &Ok(()));
                receive::<()>(&actor.answers).map(|()| actor)
            }
            Forked::Child => {
                drop((questions, answers));
                become_role(Role::Actor(name));
                let _ = receive::<()>(&asked);
                accompany(&answered);
                send(&answered, &settle());
                while let Ok(question) = receive(&asked) {
                    send(&answered, &part(question));
                }
                process::exit_now(0)
            }
        }
    }

    /// Ask, and wait for the answer. An error of the part's own is returned as if it had happened here.
    pub fn ask(&self, question: Q) -> Result<A> {
        self.tell(question);
        self.hear()
    }

    /// Ask, and go on: the answer is to be [heard](Self::hear) later, if it ever comes.
    pub fn tell(&self, question: Q) {
        send(&self.questions, &Ok(question));
    }

    /// Wait for the answer to what was told. `ChildVanished` when it has died meanwhile.
    pub fn hear(&self) -> Result<A> {
        receive(&self.answers)
    }

    /// What can be read once an answer has come, or it has died.
    pub fn voice(&self) -> BorrowedFd<'_> {
        self.answers.as_fd()
    }

    /// Its pid, as this process sees it.
    pub fn pid(&self) -> i32 {
        self.child.pid
    }

    /// The process itself, for signals and to wait for.
    pub fn process(&self) -> &Child {
        &self.child
    }

    /// Kill it and reap it. Its namespaces go with it, unless somebody else is in them.
    pub fn end(self) -> Result<Ended> {
        self.ended.set(true);
        supervise::kill(&self.child)
    }

    /// Wait until it has ended by itself, and reap it.
    pub fn wait(self) -> Result<Ended> {
        self.ended.set(true);
        process::wait(&self.child)
    }
}

impl<Q, A> Drop for Actor<Q, A> {
    /// A demo that fails in the middle leaves no process behind.
    fn drop(&mut self) {
        if !self.ended.replace(true) {
            // It may have ended by itself.
            let _ = process::send_signal(&self.child, signal::SIGKILL);
            let _ = process::wait(&self.child);
        }
    }
}

/// In the child, which has closed its copy of the end that the parent reads: die with the parent. The signal does not
/// come when the parent died before it was asked for; then nobody reads.
pub(super) fn accompany(report: &OwnedFd) {
    let accompanied = supervise::die_with_parent().and_then(|()| pipe::has_reader(report.as_fd()));
    if !matches!(accompanied, Ok(true)) {
        process::exit_now(125);
    }
}

/// One line of JSON. If the other side has gone there is nobody to tell.
pub(super) fn send<T: Serialize>(end: &OwnedFd, what: &Result<T>) {
    let mut line = serde_json::to_vec(what).unwrap_or_default();
    line.push(b'\n');
    let _ = pipe::write_all(end.as_fd(), &line);
}

pub(super) fn receive<T: DeserializeOwned>(end: &OwnedFd) -> Result<T> {
    let vanished = || Error::new(Problem::ChildVanished);
    let line = pipe::read_line(end.as_fd())?.ok_or_else(vanished)?;
    serde_json::from_slice::<Result<T>>(&line).map_err(|_| vanished())?
}
