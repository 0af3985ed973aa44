//! The supervisor's half of `exec`: give birth to a process in the container, pass on what goes between it and the person,
//! wait for its end.
//!
//! Which process: a child of the `minidocker exec` that the person typed, in a session of its own, in the host's
//! namespaces, as the person. To give birth it takes the container's pid namespace for its children, and, where the
//! container has one, it joins the user namespace, which gives the right to that. As long as it lives the command is in
//! somebody's care, and is reaped: a container cannot end before all in its pid namespace are. When it is killed the
//! kernel kills the command. When the container ends the kernel kills the command, and this process ends too.

use super::exec::exit_status;
use super::exec_init::{self, Inheritance};
use super::parts::Parts;
use super::report::{Outcome, Reporter};
use super::running::Running;
use super::spec::Spec;
use super::supervisor::Guest;
use super::tell::tell;
use crate::console::ends::{Ends, Outside};
use crate::console::relay::Relay;
use crate::console::{Console, Shape, Size};
use crate::error::{Error, InsideProblem, Problem, Result};
use crate::namespace::pid;
use crate::process::handshake::{Handshake, ParentSide};
use crate::process::supervise::{self, Signals};
use crate::process::{Child, Ended, Forked, command};
use crate::security;
use crate::state::Root;
use crate::step::{Step, take};

/// One way in, from the open doors to the command's end.
pub struct Visit<'a> {
    /// The root of all state.
    pub root: &'a Root,
    /// The container, and the ways into it.
    pub running: &'a Running,
    /// The container's plan, with the command in place of the container's own.
    pub spec: &'a Spec,
    /// The steps.
    pub parts: &'a Parts,
}

/// Run the command, from its birth to its end, and tell who waits for that; the exit status of this process.
pub fn supervise(visit: &Visit<'_>, signals: &Signals, mut reporter: Reporter, guest: Option<Guest>) -> u8 {
    // Its input ends with the client's: nobody else can attach.
    let mut relay = Relay::new(&visit.spec.id, true);
    let size = guest.as_ref().and_then(|guest| guest.size);
    if let Some(Guest { socket, wish, .. }) = guest {
        relay.add(socket, wish);
    }
    let ended = visit.carry(signals, &mut reporter, &mut relay, size);
    let outcome = Outcome::of(match &ended {
        Ok(ended) => ended.status(),
        Err(error) => exit_status(error),
    });
    let status = reporter.end(ended.map(|_| outcome.clone()));
    relay.dismiss(&outcome.to_json(), signals.blocked()).map_or(OWN_FAILURE, |()| status)
}

/// The exit status of a failure of this program's own.
const OWN_FAILURE: u8 = 125;

impl Visit<'_> {
    fn carry(
        &self,
        signals: &Signals,
        reporter: &mut Reporter,
        relay: &mut Relay,
        size: Option<Size>,
    ) -> Result<Ended> {
        command::leave_session()?;
        let explain = |error| self.running.explain(self.root, error);
        let (child, parent, console) = self.give_birth(signals, size).map_err(explain)?;
        let ended = began(parent, signals)
            .and_then(|()| console.ends())
            .map_err(explain)
            .and_then(|ends| {
                let action = format!("exec_start: {}", self.spec.argv.join(" "));
                tell(self.root, &self.running.spec, &action, &[]);
                reporter.started(&self.spec.id).map(|()| ends)
            })
            .and_then(|ends: Ends| {
                take(Step::ExecWait, || relay.until_end(ends, &child, signals.blocked(), signals.take_kept()))
            });
        match &ended {
            Ok(ended) => {
                let status = ended.status().to_string();
                tell(self.root, &self.running.spec, "exec_die", &[("exitCode", &status)]);
            }
            Err(_) => drop(supervise::kill(&child)?),
        }
        ended
    }

    /// Two processes leave the step of birth, and one leaves this function.
    fn give_birth(&self, signals: &Signals, size: Option<Size>) -> Result<(Child, ParentSide, Outside)> {
        let handshake = Handshake::new()?;
        let console = Console::open(Shape { terminal: self.spec.tty, input: self.spec.stdin }, size)?;
        let forked = take(Step::Spawn, || {
            security::hide_from_container()?;
            self.running.outer.enter()?;
            let birthplace = self.running.group.birthplace()?;
            pid::birth(0, birthplace.as_ref().map(|(directory, path)| (directory, *path)))
        });
        match forked? {
            Forked::Parent(child) => Ok((child, handshake.parent(), console.outside())),
            Forked::Child => exec_init::main(&Inheritance {
                spec: self.spec,
                running: self.running,
                parts: self.parts,
                signals,
                console: console.inside(),
                parent: handshake.child(),
            }),
        }
    }
}

/// Let the child go on until it has become the command. One that sent no error, and did not come so far, was killed.
fn began(parent: ParentSide, signals: &Signals) -> Result<()> {
    match parent.go_and_hear(signals)? {
        true => Ok(()),
        false => Err(Error::new(Problem::Inside(InsideProblem::CommandVanished))),
    }
}
