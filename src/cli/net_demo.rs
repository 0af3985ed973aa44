//! The command line of `net-demo`.

use super::demo::{Plan, Program};
use crate::demo::Walk;
use clap::Subcommand;

/// The subcommands of `net-demo`.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Play every demo, in order
    Tour,
}

impl Program for Demo {
    const NAME: &'static str = "net-demo";
    const ABOUT: &'static str =
        "Container networks: null, host, container and bridge, one packet followed hop by hop";
    const TOUR: &'static [&'static Walk] = &[];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
        }
    }
}
