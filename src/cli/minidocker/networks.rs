//! The group network.

use crate::error::Result;
use crate::state::Root;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Verb {}

pub fn obey(verb: Verb, _root: &Root) -> Result<u8> {
    match verb {}
}
