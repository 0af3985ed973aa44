//! The command line of `cgroup-demo`.

use super::demo::{Plan, Program};
use crate::demo::Walk;
use crate::demo::cgroup::hierarchy;
use clap::Subcommand;

/// The subcommands of `cgroup-demo`.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Play every demo, in order
    Tour,
    /// A child cannot exceed its parent
    Hierarchy,
}

impl Program for Demo {
    const NAME: &'static str = "cgroup-demo";
    const ABOUT: &'static str = "Linux cgroups: how much a process may use, and how much it did";
    const TOUR: &'static [&'static Walk] = &[&hierarchy::WALK];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
            Demo::Hierarchy => Plan::Walk(&hierarchy::WALK),
        }
    }
}
