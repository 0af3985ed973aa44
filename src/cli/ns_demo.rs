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
    /// A child is born in new namespaces: clone(2)
    Clone,
    /// The caller itself moves to new namespaces: unshare(2)
    Unshare,
    /// The caller joins a namespace that exists: setns(2)
    Setns,
    /// A host name of its own
    Uts,
    /// Message queues of its own
    Ipc,
    /// Links and ports of its own
    Net,
    /// Two views of one place among the cgroups
    Cgroup,
    /// Two uptimes on one machine
    Time,
    /// The kernel's own structures: task_struct, nsproxy and the namespaces
    Structs(Structs),
}

impl Program for Demo {
    const NAME: &'static str = "ns-demo";
    const ABOUT: &'static str = "Linux namespaces: what a process sees of the machine, kind by kind";
    const TOUR: &'static [&'static Walk] = &[
        &ns::clone::WALK,
        &ns::unshare::WALK,
        &ns::setns::WALK,
        &ns::uts::WALK,
        &ns::ipc::WALK,
        &ns::net::WALK,
        &ns::cgroup::WALK,
        &ns::time::WALK,
        &ns::structs::WALK,
    ];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
            Demo::Clone => Plan::Walk(&ns::clone::WALK),
            Demo::Unshare => Plan::Walk(&ns::unshare::WALK),
            Demo::Setns => Plan::Walk(&ns::setns::WALK),
            Demo::Uts => Plan::Walk(&ns::uts::WALK),
            Demo::Ipc => Plan::Walk(&ns::ipc::WALK),
            Demo::Net => Plan::Walk(&ns::net::WALK),
            Demo::Cgroup => Plan::Walk(&ns::cgroup::WALK),
            Demo::Time => Plan::Walk(&ns::time::WALK),
            Demo::Structs(structs) => {
                let live = |pids: Vec<i32>| Plan::here(move |stage| ns::live::live(stage, &pids));
                structs.plan::<Self>(&ns::structs::WALK, live)
            }
        }
    }
}
