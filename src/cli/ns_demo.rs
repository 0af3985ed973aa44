//! The command line of `ns-demo`.

use super::demo::{Plan, Program};
use super::structs::Structs;
use crate::demo::Walk;
use crate::demo::ns;
use clap::Subcommand;

/// The subcommands of `ns-demo`.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Play every demo, in order
    Tour,
    /// A host name of its own
    Uts,
    /// The kernel's own structures: task_struct, nsproxy and the namespaces
    Structs(Structs),
}

impl Program for Demo {
    const NAME: &'static str = "ns-demo";
    const ABOUT: &'static str = "Linux namespaces: what a process sees of the machine, kind by kind";
    const TOUR: &'static [&'static Walk] = &[&ns::uts::WALK, &ns::structs::WALK];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
            Demo::Uts => Plan::Walk(&ns::uts::WALK),
            Demo::Structs(structs) => structs.plan(&ns::structs::WALK, ns::live::live),
        }
    }
}
