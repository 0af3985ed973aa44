//! The command line of `overlay-demo`.

use super::demo::{Plan, Program};
use crate::demo::Walk;
use clap::Subcommand;

/// The subcommands of `overlay-demo`.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Play every demo, in order
    Tour,
}

impl Program for Demo {
    const NAME: &'static str = "overlay-demo";
    const ABOUT: &'static str = "Union file systems: read-only layers and a writable one, seen as one tree";
    const TOUR: &'static [&'static Walk] = &[];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
        }
    }
}
