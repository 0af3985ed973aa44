//! The parent's half of `exec`: find the running container, give birth to a process in it, wait.
//!
//! Which process: the `minidocker` that the person started, in the host's namespaces, as the person. To give birth it
//! takes the container's pid namespace for its children, and, where the container has one, it joins the user namespace,
//! which gives the right to that. From then on nobody of the same user may look into it, nor into its child: a
//! container could otherwise reach, by `/proc/PID/exe`, the program on the host that both of them execute.
//!
//! Nor may the container write to that program. The kernel refuses to while somebody executes it (`ETXTBSY`), and the
//! container's own runtime does for as long as there is anybody inside. Should that be another file than this process's
//! (the program was replaced meanwhile), this process executes a sealed copy of itself in memory instead:
//! CVE-2019-5736.

use super::environment;
use super::exec_init::{self, Inheritance};
use super::parts::Parts;
use super::running::Running;
use super::spec::Spec;
use crate::error::{Error, InsideProblem, Problem, Result};
use crate::namespace::pid;
use crate::process::handshake::{Handshake, ParentSide};
use crate::process::supervise::{self, Signals};
use crate::process::{Child, Forked, command, itself};
use crate::security::{self, capabilities::Capabilities};
use crate::state::Root;
use crate::step::{Step, take};
use std::path::PathBuf;

/// What was asked for, in the person's own words: the options of `minidocker exec`.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each field is the option of that name; see `minidocker exec --help`")]
pub struct Request {
    pub container: String,
    pub command: Vec<String>,
    pub env: Vec<String>,
    pub env_file: Vec<PathBuf>,
    pub workdir: Option<String>,
    pub user: Option<String>,
    pub privileged: bool,
    pub interactive: bool,
    pub detach: bool,
}

/// The exit status of a refusal: what Docker's daemon refuses is 1, what cannot be started inside is 126.
pub fn exit_status(error: &Error) -> u8 {
    use Problem::{
        BadUser, BadWorkdir, NoSuchContainer, NoSuchGroup, NoSuchUser, NotRunning, WorkdirMissing,
    };
    match &error.problem {
        NoSuchContainer { .. } | NotRunning { .. } | Problem::Life(_) | Problem::Inside(_) => 1,
        BadUser { .. }
        | NoSuchUser { .. }
        | NoSuchGroup { .. }
        | BadWorkdir { .. }
        | WorkdirMissing { .. } => 126,
        _ => error.exit_status(),
    }
}

/// Run a command in a running container, and return its exit status; with `detach` 0 as soon as it has begun.
pub fn exec(root: &Root, request: &Request, parts: &Parts) -> Result<u8> {
    let asked = environment::asked(&request.env_file, &request.env)?;
    let running = take(Step::Doors, || Running::find(root, &request.container))?;
    running.require_not_paused()?;
    take(Step::Itself, || itself::be_out_of_reach(running.first.0))?;
    let spec = plan(&running.spec, request, &asked)?;
    let visit = Visit { root, running: &running, spec: &spec, parts, detach: request.detach };
    // Signals wait for the command from here on.
    let signals = Signals::hold()?;
    if request.detach {
        return visit.start_apart(&signals).map(|()| 0);
    }
    let child = visit.start(&signals)?;
    Ok(take(Step::ExecWait, || signals.forward_until_end(&child))?.status())
}

/// The container's plan with another command, and what goes with that. The name of a device or a volume means nothing
/// here: they are there already.
fn plan(container: &Spec, request: &Request, asked: &[String]) -> Result<Spec> {
    let workdir = request.workdir.as_ref().map_or(container.workdir.clone(), PathBuf::from);
    if !workdir.is_absolute() {
        return Err(Error::new(Problem::BadWorkdir { path: workdir.display().to_string() }));
    }
    let capabilities = if request.privileged { Capabilities::ALL } else { container.capabilities };
    Ok(Spec {
        argv: request.command.clone(),
        environment: environment::merge(container.environment.iter().chain(asked)),
        workdir,
        user: request.user.clone().unwrap_or_else(|| container.user.clone()),
        capabilities,
        stdin: request.interactive,
        ..container.clone()
    })
}

/// One way in, from the open doors to the command.
struct Visit<'a> {
    root: &'a Root,
    running: &'a Running,
    spec: &'a Spec,
    parts: &'a Parts,
    detach: bool,
}

impl Visit<'_> {
    /// Start the command; on return it is one, and this process its parent.
    fn start(&self, signals: &Signals) -> Result<Child> {
        let explain = |error| self.running.explain(self.root, error);
        let (child, parent) = self.give_birth(signals).map_err(explain)?;
        let vanished = || Error::new(Problem::Inside(InsideProblem::CommandVanished));
        let began = match parent.go_and_hear(signals) {
            Ok(false) => Err(vanished()),
            answer => answer,
        };
        match began {
            Ok(_) => Ok(child),
            Err(error) => {
                supervise::kill(&child)?;
                Err(explain(error))
            }
        }
    }

    /// Two processes leave the step of birth, and one leaves this function.
    fn give_birth(&self, signals: &Signals) -> Result<(Child, ParentSide)> {
        let handshake = Handshake::new()?;
        let forked = take(Step::Spawn, || {
            security::hide_from_container()?;
            self.running.outer.enter()?;
            let birthplace = self.running.group.birthplace()?;
            pid::birth(0, birthplace.as_ref().map(|(directory, path)| (directory, *path)))
        });
        match forked? {
            Forked::Parent(child) => Ok((child, handshake.parent())),
            Forked::Child => exec_init::main(&Inheritance {
                spec: self.spec,
                running: self.running,
                parts: self.parts,
                signals,
                detach: self.detach,
                parent: handshake.child(),
            }),
        }
    }

    /// Start the command in the care of a process of its own, which waits for it when this one has ended.
    fn start_apart(&self, signals: &Signals) -> Result<()> {
        let handshake = Handshake::new()?;
        if command::fork()?.is_some() {
            return handshake.parent().go(signals);
        }
        let client = handshake.child();
        let started = client
            .wait_for_go()
            .and_then(|()| command::leave_session())
            .and_then(|()| self.start(signals))
            .and_then(|child| command::no_standard_three().map(|()| child));
        match started {
            Err(error) => client.fail(&error),
            Ok(child) => {
                client.hang_up();
                let ended = signals.forward_until_end(&child);
                command::exit_now(ended.map_or(125, |ended| ended.status()))
            }
        }
    }
}
