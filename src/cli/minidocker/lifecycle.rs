//! The life of a container: create, start, stop, kill, restart, pause, unpause, wait, rename, rm.

use super::run::{self, RunOptions, Teller};
use super::{each, tell_left};
use crate::console::client::Keys;
use crate::console::message::Wish;
use crate::container::alive::{self, State};
use crate::container::attach::{How, attach};
use crate::container::client::{self, End};
use crate::container::life::{self, Stop};
use crate::container::{Parts, reclaim};
use crate::error::{ConsoleProblem, Error, Problem, Result};
use crate::process::{Role, become_role, signals};
use crate::state::Root;
use crate::step::{Step, take};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Create a container without starting it, and print its id.
    #[command(disable_help_flag = true)]
    Create(Box<RunOptions>),
    /// Start containers that were created or have ended.
    Start {
        /// Show what it says, pass signals on, and end with its exit status.
        #[arg(short, long)]
        attach: bool,
        /// Let it read what comes on this standard input; shows what it says, too.
        #[arg(short, long)]
        interactive: bool,
        /// The keys by which to leave a container with a terminal (default: ctrl-p,ctrl-q).
        #[arg(long, value_name = "KEYS")]
        detach_keys: Option<String>,
        /// Names or ids.
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Ask running containers to end, and kill those that do not.
    Stop(StopOptions),
    /// Stop containers, and start them again.
    Restart(StopOptions),
    /// Send a signal to the first process of running containers.
    Kill {
        /// The signal, by name or number.
        #[arg(short, long, value_name = "SIGNAL", default_value = "KILL")]
        signal: String,
        /// Names or ids.
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Stop all processes of containers where they are (the cgroup freezer).
    Pause {
        /// Names or ids.
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Let the processes of paused containers go on.
    Unpause {
        /// Names or ids.
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Wait until containers have ended, and print their exit statuses.
    Wait {
        /// Names or ids.
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Give a container another name.
    Rename {
        /// Name or id.
        #[arg(value_name = "CONTAINER")]
        container: String,
        /// The new name.
        #[arg(value_name = "NEW_NAME")]
        name: String,
    },
    /// Remove containers that have ended.
    Rm {
        /// Kill those that still run.
        #[arg(short, long)]
        force: bool,
        /// Remove the volumes that were made for them alone, too.
        #[arg(short, long)]
        volumes: bool,
        /// Names or ids.
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
}

/// How to stop, and whom.
#[derive(Debug, Args)]
pub struct StopOptions {
    /// The signal that is sent first (default: the container's own, mostly TERM).
    #[arg(short, long, value_name = "SIGNAL")]
    signal: Option<String>,
    /// Seconds until the container is killed (-1: never).
    #[arg(short = 't', long, visible_alias = "time", value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<i64>,
    /// Names or ids.
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl StopOptions {
    fn how(&self) -> Result<Stop> {
        let signal = self.signal.as_deref().map(signals::parse).transpose()?;
        Ok(Stop { signal, timeout: self.timeout })
    }
}

pub fn obey(verb: Verb, root: &Root, parts: &Parts) -> Result<u8> {
    match verb {
        Verb::Create(options) => run::create(*options, root),
        Verb::Start { attach, interactive, detach_keys, containers } => {
            let keys = Keys::parse(detach_keys.as_deref().unwrap_or_default())?;
            let wish = Wish { output: attach || interactive, input: interactive };
            let how = How { wish, keys, proxy: true };
            start(root, parts, Some(how).filter(|how| how.wish.output), &containers)
        }
        Verb::Stop(options) => {
            let how = options.how()?;
            each(&options.containers, |word| life::stop(root, word, how).map(|()| echo(word)))
        }
        Verb::Restart(options) => {
            let how = options.how()?;
            become_role(Role::Client);
            each(&options.containers, |word| {
                let id = life::stop_to_restart(root, word, how)?;
                client::start(root, &id, parts, None, &Teller::default())?;
                life::restarted(root, &id)?;
                Ok(echo(word))
            })
        }
        Verb::Kill { signal, containers } => {
            signals::parse(&signal)?;
            each(&containers, |word| life::kill(root, word, &signal).map(|()| echo(word)))
        }
        Verb::Pause { containers } => {
            each(&containers, |word| life::pause(root, word, parts).map(|()| echo(word)))
        }
        Verb::Unpause { containers } => {
            each(&containers, |word| life::unpause(root, word, parts).map(|()| echo(word)))
        }
        Verb::Wait { containers } => {
            each(&containers, |word| life::wait(root, word).map(|status| Some(status.to_string())))
        }
        Verb::Rename { container, name } => {
            each(&[container], |word| life::rename(root, word, &name).map(|()| None))
        }
        Verb::Rm { force, volumes, containers } => {
            clear(root)?;
            each(&containers, |word| life::remove(root, word, force, volumes, parts).map(|()| echo(word)))
        }
    }
}

/// Docker repeats the word by which a container was called.
fn echo(word: &str) -> Option<String> {
    Some(word.to_owned())
}

/// Clear up after killed supervisors, and say what cannot be cleared away.
fn clear(root: &Root) -> Result<()> {
    let held = root.lock()?;
    tell_left(take(Step::Reclaim, || reclaim::all(root, &held))?);
    Ok(())
}

/// Start several in the background, or one and stay with it.
fn start(root: &Root, parts: &Parts, how: Option<How>, containers: &[String]) -> Result<u8> {
    become_role(Role::Client);
    let begin = |word: &str, how: Option<How>| {
        let id = root.find(word)?;
        match (alive::state(root, &id)?, how) {
            (State::Idle(idle), how) => {
                let (tty, stdin) = (idle.0.spec.tty, idle.0.spec.stdin);
                let manner = how.map(|how| how.manner(tty, stdin, false)).transpose()?;
                client::start(root, &id, parts, manner, &Teller::default())
            }
            (_, Some(how)) => attach(root, word, how),
            // Whoever runs already has been started.
            _ => Ok(End::Detached(id)),
        }
    };
    match (how, containers) {
        (Some(how), [word]) => run::finish(begin(word, Some(how))?),
        (Some(_), _) => Err(Error::new(Problem::Console(ConsoleProblem::OneToAttach))),
        (None, _) => each(containers, |word| begin(word, None).map(|_| echo(word))),
    }
}
