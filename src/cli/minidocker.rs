//! The command line of `minidocker`: parse, install the observer, call, report.
use super::run::RunOptions;
use crate::container::{Parts, reclaim, run};
use crate::error::Result;
use crate::state::Root;
use crate::step::{Step, take};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "minidocker", version, about, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(disable_help_flag = true)]
    Run(Box<RunOptions>),
    /// Remove containers that have ended, by name or id.
    Rm {
        /// Names or ids.
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
    /// Remove every container that has ended, and whatever a killed minidocker left.
    Prune {
        /// Remove images too: afterwards nothing of minidocker is left on this machine.
        #[arg(short, long)]
        all: bool,
    },
}

/// The whole of `minidocker`, with `parts` as its steps.
pub fn main(parts: Parts) -> ExitCode {
    let line = CommandLine::parse();
    match obey(line.verb, &parts) {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("{error}");
            error.exit_status().into()
        }
    }
}

fn obey(verb: Verb, parts: &Parts) -> Result<u8> {
    let root = Root::open()?;
    match verb {
        Verb::Run(options) => {
            let outcome = run::run(&root, &(*options).into(), parts)?;
            Ok(outcome.status)
        }
        Verb::Rm { containers } => {
            for word in &containers {
                let held = root.lock()?;
                reclaim::all(&root, &held)?;
                reclaim::remove(&root, &held, word)?;
            }
            Ok(0)
        }
        Verb::Prune { all } => {
            let held = root.lock()?;
            take(Step::Reclaim, || {
                reclaim::all(&root, &held)?;
                reclaim::prune(&root, &held, all)
            })?;
            Ok(0)
        }
    }
}
