//! The command line of `minidocker`: understand it, install the narrator, call, report.
//!
//! Each group of verbs stands in a file of its own, with its options (named as Docker's) and what is done with them.

mod completions;
mod describe;
mod df;
mod events;
mod filter;
mod housekeeping;
mod images;
mod inside;
mod inspect;
mod lifecycle;
mod look;
mod net_options;
mod networks;
mod ps;
mod run;
mod stats;
mod streams;
mod volumes;

use super::narration::{Narration, Script};
use crate::container::Parts;
use crate::error::{Error, Result};
use crate::narrate;
use crate::process::{Role, become_role};
use crate::state::Root;
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
    /// Run a command in a new container.
    #[command(disable_help_flag = true)]
    Run(Box<run::RunOptions>),
    #[command(flatten)]
    Lifecycle(lifecycle::Verb),
    #[command(flatten)]
    Inside(inside::Verb),
    #[command(flatten)]
    Streams(streams::Verb),
    #[command(flatten)]
    Look(look::Verb),
    #[command(flatten)]
    Images(images::Verb),
    #[command(flatten)]
    Networks(networks::Verb),
    #[command(flatten)]
    Volumes(volumes::Verb),
    #[command(flatten)]
    Housekeeping(housekeeping::Verb),
}

/// The exit status of every failure of minidocker's own, a command line it does not understand included.
const OWN_FAILURE: u8 = 125;

/// The whole of `minidocker`, with `parts` as the steps of its containers.
pub fn main(parts: Parts) -> ExitCode {
    let parts = parts.with_ours(&std::env::var("LAB_OURS").unwrap_or_default());
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
    if matches!(verb, Verb::Run(_)) {
        become_role(Role::Client);
    }
    let root = Root::open()?;
    match verb {
        Verb::Run(options) => run::obey(*options, &root, parts),
        Verb::Lifecycle(verb) => lifecycle::obey(verb, &root, parts),
        Verb::Inside(verb) => inside::obey(verb, &root, parts),
        Verb::Streams(verb) => streams::obey(verb, &root),
        Verb::Look(verb) => look::obey(verb, &root, parts),
        Verb::Images(verb) => images::obey(verb, &root, parts),
        Verb::Networks(verb) => networks::obey(verb, &root),
        Verb::Volumes(verb) => volumes::obey(verb, &root),
        Verb::Housekeeping(verb) => housekeeping::obey(verb, &root),
    }
}

/// Do the same with each of `names`. One that fails does not keep the others, as with Docker: the failure is
/// reported, and the exit status is 1 in the end. What `act` returns is printed.
fn each(names: &[String], mut act: impl FnMut(&str) -> Result<Option<String>>) -> Result<u8> {
    let mut status = 0;
    for name in names {
        match act(name) {
            Ok(Some(text)) => narrate::print(&text),
            Ok(None) => {}
            Err(error) => {
                narrate::report(&error);
                status = 1;
            }
        }
    }
    Ok(status)
}

fn tell_left(left: Vec<Error>) {
    left.into_iter().for_each(|error| narrate::note(&narrate::Note::NotCleared(error)));
}
