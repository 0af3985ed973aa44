//! Clearing up: prune, and the group system.

use super::df;
use crate::container::reclaim;
use crate::error::Result;
use crate::image::Store;
use crate::state::Root;
use crate::step::{Step, take};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Remove every container that has ended, and whatever a killed minidocker left.
    Prune {
        /// Remove images too: nothing of minidocker is left on this machine.
        #[arg(short, long)]
        all: bool,
    },
    /// Manage what minidocker keeps.
    #[command(subcommand)]
    System(System),
}

#[derive(Debug, Subcommand)]
pub enum System {
    /// Show what images, containers and volumes take of the disk.
    Df(df::Df),
}

pub fn obey(verb: Verb, root: &Root) -> Result<u8> {
    match verb {
        Verb::Prune { all } => {
            let mut store = Store::open(root.path()).change_if_there()?;
            let held = root.lock()?;
            // What cannot be cleared away is tried again, and told, by the pruning.
            take(Step::Reclaim, || reclaim::all(root, &held))?;
            take(Step::Cleanup, || reclaim::prune(root, &held, store.as_mut(), all))?;
            Ok(0)
        }
        Verb::System(System::Df(options)) => df::df(&options, root),
    }
}
