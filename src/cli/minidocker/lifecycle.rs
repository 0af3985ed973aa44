//! The life of a container: create, start, stop, kill, restart, pause, unpause, wait, rename, rm.

use super::{each, tell_left};
use crate::container::{Parts, reclaim};
use crate::error::Result;
use crate::state::Root;
use crate::step::{Step, take};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Remove containers that have ended.
    Rm {
        /// Names or ids.
        #[arg(required = true, value_name = "CONTAINER")]
        containers: Vec<String>,
    },
}

pub fn obey(verb: Verb, root: &Root, _parts: &Parts) -> Result<u8> {
    match verb {
        Verb::Rm { containers } => {
            let held = root.lock()?;
            tell_left(take(Step::Reclaim, || reclaim::all(root, &held))?);
            take(Step::Cleanup, || {
                each(&containers, |word| reclaim::remove(root, &held, word).map(|()| Some(word.to_owned())))
            })
        }
    }
}
