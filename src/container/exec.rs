//! The client's half of `exec`: find the running container, settle what is to be run, be there for the person.
//!
//! Which process: the `minidocker exec` that the person typed, on the person's terminal. The command is not its child, but
//! that of a supervisor, as with a container ([`exec_supervisor`]): it may be killed, and the command goes on.
//!
//! The supervisor and the command's process bring this program's own file along into the container, where it could be
//! found by `/proc/PID/exe`. Whoever is root in there must not write to it: CVE-2019-5736. Neither lets itself be looked
//! into (`PR_SET_DUMPABLE`). And the kernel refuses to write to a file while somebody executes it (`ETXTBSY`), which the
//! container's own supervisor does for as long as there is anybody inside. Should that be another file than this
//! process's (the program was replaced meanwhile), this process executes a sealed copy of itself in memory instead.

use super::client::{self, End, Host};
use super::environment;
use super::exec_supervisor::{self, Visit};
use super::parts::Parts;
use super::running::Running;
use super::spec::Spec;
use crate::console::client::{Keys, Manner};
use crate::console::message::Wish;
use crate::error::{Error, Problem, Result};
use crate::process::itself;
use crate::security::capabilities::Capabilities;
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
    pub tty: bool,
    pub detach: bool,
    pub detach_keys: Option<String>,
}

/// The exit status of a refusal: what Docker's daemon refuses is 1, what cannot be started inside is 126.
pub fn exit_status(error: &Error) -> u8 {
    use Problem::{
        BadUser, BadWorkdir, NoSuchContainer, NoSuchGroup, NoSuchUser, NotRunning, WorkdirMissing,
    };
    match &error.problem {
        NoSuchContainer { .. } | NotRunning { .. } => 1,
        Problem::Life(_) | Problem::Inside(_) | Problem::Console(_) => 1,
        BadUser { .. }
        | NoSuchUser { .. }
        | NoSuchGroup { .. }
        | BadWorkdir { .. }
        | WorkdirMissing { .. } => 126,
        _ => error.exit_status(),
    }
}

/// Run a command in a running container, and be there until its end; with `detach`, until it has begun.
pub fn exec(root: &Root, request: &Request, parts: &Parts, host: &dyn Host) -> Result<End> {
    let manner = if request.detach { None } else { Some(manner_of(request)?) };
    let asked = environment::asked(&request.env_file, &request.env)?;
    let running = take(Step::Doors, || Running::find(root, &request.container))?;
    running.require_not_paused()?;
    take(Step::Itself, || itself::be_out_of_reach(running.first.0))
        .map_err(|error| running.explain(root, error))?;
    let spec = plan(&running.spec, request, &asked)?;
    let visit = Visit { root, running: &running, spec: &spec, parts };
    client::attend(manner, host, |signals, reporter, guest| {
        exec_supervisor::supervise(&visit, signals, reporter, guest)
    })
}

/// What the person's side is to be.
fn manner_of(request: &Request) -> Result<Manner> {
    let manner = Manner {
        terminal: request.tty,
        wish: Wish { output: true, input: request.interactive },
        keys: Keys::parse(request.detach_keys.as_deref().unwrap_or_default())?,
        proxy: true,
        redraw: false,
    };
    manner.check().map(|()| manner)
}

/// The container's plan with another command, and what goes with that. The name of a device or a volume means nothing
/// here: they are there already.
fn plan(container: &Spec, request: &Request, asked: &[String]) -> Result<Spec> {
    let workdir = request.workdir.as_ref().map_or(container.workdir.clone(), PathBuf::from);
    if !workdir.is_absolute() {
        return Err(Error::new(Problem::BadWorkdir { path: workdir.display().to_string() }));
    }
    let capabilities = if request.privileged { Capabilities::ALL } else { container.capabilities };
    let terminal = request.tty.then(|| "TERM=xterm".to_owned());
    Ok(Spec {
        argv: request.command.clone(),
        environment: environment::merge(terminal.iter().chain(&container.environment).chain(asked)),
        workdir,
        user: request.user.clone().unwrap_or_else(|| container.user.clone()),
        capabilities,
        tty: request.tty,
        stdin: request.interactive && !request.detach,
        ..container.clone()
    })
}
