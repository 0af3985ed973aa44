//! Looking at containers: ps, inspect, stats, port, diff, events.

use crate::container::changes;
use crate::error::Result;
use crate::narrate;
use crate::state::Root;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show what a container changed of its image: A added, C changed, D deleted.
    Diff {
        /// Name or id.
        container: String,
    },
}

pub fn obey(verb: Verb, root: &Root) -> Result<u8> {
    match verb {
        Verb::Diff { container } => super::each(&[container], |word| diff(root, word).map(|()| None)),
    }
}

fn diff(root: &Root, word: &str) -> Result<()> {
    let changes = changes::diff(root, word)?;
    let line = |(letter, path): &changes::Change| format!("{letter} {}\n", String::from_utf8_lossy(path));
    narrate::table::raw(&changes.iter().map(line).collect::<String>());
    Ok(())
}
