//! Looking at containers: ps, inspect, stats, port, diff, events.

use super::completions;
use super::events::{self, Events};
use super::inspect::{self, Inspect};
use super::ps::{self, Ps};
use super::stats::{self, Stats};
use crate::container::{Parts, changes};
use crate::error::Result;
use crate::narrate;
use crate::state::Root;
use clap::Subcommand;
use clap_complete::Shell;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List containers.
    Ps(Ps),
    /// Tell all that is known of containers, images, networks and volumes.
    Inspect(Inspect),
    /// Show what containers use, again every second.
    Stats(Stats),
    /// Show what becomes of containers, images, networks and volumes, as it happens.
    Events(Events),
    /// Print what a shell needs to complete the words of this program: source <(minidocker completions bash)
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL")]
        of: Shell,
    },
    /// Show what a container changed of its image: A added, C changed, D deleted.
    Diff {
        /// Name or id.
        container: String,
    },
}

pub fn obey(verb: Verb, root: &Root, parts: &Parts) -> Result<u8> {
    match verb {
        Verb::Ps(options) => ps::obey(&options, root),
        Verb::Inspect(options) => inspect::obey(&options, root),
        Verb::Stats(options) => stats::obey(&options, root, parts),
        Verb::Events(options) => events::obey(&options, root),
        Verb::Completions { of } => completions::obey(of),
        Verb::Diff { container } => super::each(&[container], |word| diff(root, word, parts).map(|()| None)),
    }
}

fn diff(root: &Root, word: &str, parts: &Parts) -> Result<()> {
    let changes = changes::diff(root, word, parts)?;
    let line = |(letter, path): &changes::Change| format!("{letter} {}\n", String::from_utf8_lossy(path));
    narrate::table::raw(&changes.iter().map(line).collect::<String>());
    Ok(())
}
