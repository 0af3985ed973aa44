//! The command line of `minidocker`: understand it, install the narrator, call, report.

use super::narration::{Narration, Script};
use super::run::RunOptions;
use crate::container::plan::Request;
use crate::container::{Parts, plan, reclaim, run};
use crate::error::{Error, Result};
use crate::narrate::{self, Note};
use crate::state::Root;
use crate::step::{Step, take};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A small, real Docker for learning: each command explains itself with --explain.
#[derive(Debug, Parser)]
#[command(name = "minidocker", version, max_term_width = 100, args_override_self = true)]
struct CommandLine {
    #[command(flatten)]
    narration: Narration,
    #[command(flatten)]
    script: Script,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a command in a new container, in the foreground.
    #[command(disable_help_flag = true)]
    Run(Box<RunOptions>),
    /// Remove containers that have ended.
    Rm {
        /// Names or ids.
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Remove every container that has ended, and whatever a killed minidocker left.
    Prune {
        /// Remove images too: nothing of minidocker is left on this machine.
        #[arg(short, long)]
        all: bool,
    },
}

/// The exit status of every failure of minidocker's own, a command line it does not understand included.
const OWN_FAILURE: u8 = 125;

/// The whole of `minidocker`, with `parts` as the steps of its containers.
pub fn main(parts: Parts) -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(help) => {
            // Help that was asked for is no failure. If nobody reads it, nobody misses it.
            let _ = help.print();
            return if help.use_stderr() { OWN_FAILURE.into() } else { ExitCode::SUCCESS };
        }
    };
    let status =
        narrate::install(&line.script.with(line.narration.options())).and_then(|()| obey(line.verb, &parts));
    status
        .unwrap_or_else(|error| {
            narrate::report(&error);
            error.exit_status()
        })
        .into()
}

/// Do what the verb says; the exit status.
fn obey(verb: Verb, parts: &Parts) -> Result<u8> {
    let root = Root::open()?;
    match verb {
        Verb::Run(options) => run_container(&root, (*options).into(), parts),
        Verb::Rm { containers } => {
            let held = root.lock()?;
            tell_left(take(Step::Reclaim, || reclaim::all(&root, &held))?);
            take(Step::Cleanup, || {
                containers.iter().try_for_each(|word| reclaim::remove(&root, &held, word))
            })?;
            Ok(0)
        }
        Verb::Prune { all } => {
            let held = root.lock()?;
            // What cannot be cleared away is tried again, and told, by the pruning.
            take(Step::Reclaim, || reclaim::all(&root, &held))?;
            take(Step::Cleanup, || reclaim::prune(&root, &held, all))?;
            Ok(0)
        }
    }
}

fn tell_left(left: Vec<Error>) {
    left.into_iter().for_each(|error| narrate::note(&Note::NotCleared(error)));
}

fn run_container(root: &Root, mut request: Request, parts: &Parts) -> Result<u8> {
    if request.network.is_none() {
        let (network, poorer) = plan::default_network()?;
        if poorer {
            narrate::note(&Note::NoIptables);
        }
        request.network = Some(network.to_owned());
    }
    if plan::makes_base(root, &request) {
        narrate::note(&Note::BuildingBase);
    }
    let outcome = run::run(root, &request, parts)?;
    tell_left(outcome.left);
    if let Some(memory) = outcome.out_of_memory {
        let peak = Some(memory.peak).filter(|peak| *peak > 0);
        narrate::note(&Note::OomKilled { limit: memory.limit, peak, whole: outcome.status == 137 });
    }
    Ok(outcome.status)
}
