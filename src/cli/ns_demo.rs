//! The command line of `ns-demo`.

use super::demo::{Plan, Program};
use super::structs::Structs;
use crate::demo::Walk;
use crate::demo::ns;
use crate::demo::ns::break_it;
use crate::demo::ns::look;
use clap::{Args, Subcommand, ValueEnum};

/// The subcommands of `ns-demo`.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Play every demo, in order
    Tour,
    /// Every namespace, and who is in it (lsns)
    List {
        /// Only those of this kind
        #[arg(short = 't', long = "type", value_name = "TYPE", value_enum)]
        kind: Option<Kind>,
    },
    /// The namespaces of one process (ls -la /proc/PID/ns)
    Show {
        /// Which process; by default this one
        pid: Option<i32>,
    },
    /// Processes and namespaces as a picture
    Matrix {
        /// These processes of this machine
        pids: Vec<i32>,
        /// All processes of this machine
        #[arg(long, conflicts_with = "pids")]
        all: bool,
    },
    /// Run a command in the namespaces of another process (nsenter)
    Enter(Enter),
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
    /// Pid 1: orphans, zombies, signals
    Pid,
    /// Mounts, and how they travel
    Mnt,
    /// Links and ports of its own
    Net,
    /// Root here, nobody there: ids and capabilities
    User,
    /// Two views of one place among the cgroups
    Cgroup,
    /// Two uptimes on one machine
    Time,
    /// The kernel's own structures: task_struct, nsproxy and the namespaces
    Structs(Structs),
    /// Three mistakes, made on purpose: chroot, proc, hostname
    BreakIt {
        /// Which one; all of them without
        mistake: Option<Mistake>,
    },
}

/// A kind of namespace.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[allow(missing_docs, reason = "they are the names in /proc/PID/ns")]
pub enum Kind {
    Cgroup,
    Ipc,
    Mnt,
    Net,
    Pid,
    Time,
    User,
    Uts,
}

impl Kind {
    /// Its name in `/proc/PID/ns`.
    fn name(self) -> &'static str {
        match self {
            Kind::Cgroup => "cgroup",
            Kind::Ipc => "ipc",
            Kind::Mnt => "mnt",
            Kind::Net => "net",
            Kind::Pid => "pid",
            Kind::Time => "time",
            Kind::User => "user",
            Kind::Uts => "uts",
        }
    }
}

// The letters are those of nsenter(1). (No doc comment: clap would print it.)
#[allow(missing_docs)]
#[derive(Debug, Args)]
pub struct Enter {
    /// Whose namespaces; without it, a demonstration
    #[arg(short, long, value_name = "PID")]
    target: Option<i32>,
    /// All that differ from this program's own (also if no kind is named)
    #[arg(short, long)]
    all: bool,
    /// The mount namespace
    #[arg(short, long, visible_alias = "mnt")]
    mount: bool,
    /// The UTS namespace
    #[arg(short, long)]
    uts: bool,
    /// The IPC namespace
    #[arg(short, long)]
    ipc: bool,
    /// The network namespace
    #[arg(short, long)]
    net: bool,
    /// The pid namespace
    #[arg(short, long)]
    pid: bool,
    /// The user namespace
    #[arg(short = 'U', long)]
    user: bool,
    /// The cgroup namespace
    #[arg(short = 'C', long)]
    cgroup: bool,
    /// The time namespace
    #[arg(short = 'T', long)]
    time: bool,
    /// The command; by default $SHELL
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, requires = "target")]
    command: Vec<String>,
}

impl Enter {
    fn plan(self) -> Plan {
        let Some(pid) = self.target else { return Plan::Walk(&look::enter::WALK) };
        let named = [
            (self.mount, "mnt"),
            (self.uts, "uts"),
            (self.ipc, "ipc"),
            (self.net, "net"),
            (self.pid, "pid"),
            (self.user, "user"),
            (self.cgroup, "cgroup"),
            (self.time, "time"),
        ];
        let named = named.into_iter().filter(|(asked, _)| *asked && !self.all).map(|(_, kind)| kind);
        let visit = look::enter::Visit { pid, kinds: named.collect(), command: self.command };
        Plan::here(move |stage| look::enter::visit(stage, visit))
    }
}

/// A mistake to make.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Mistake {
    /// A chroot instead of pivot_root
    Chroot,
    /// /proc not mounted anew
    Proc,
    /// sethostname before unshare
    Hostname,
}

impl Mistake {
    fn walk(self) -> &'static Walk {
        match self {
            Mistake::Chroot => &break_it::CHROOT,
            Mistake::Proc => &break_it::PROC,
            Mistake::Hostname => &break_it::HOSTNAME,
        }
    }
}

impl Program for Demo {
    const NAME: &'static str = "ns-demo";
    const ABOUT: &'static str = "Linux namespaces: what a process sees of the machine, kind by kind";
    const TOUR: &'static [&'static Walk] = &[
        &look::list::WALK,
        &look::show::WALK,
        &look::matrix::WALK,
        &look::enter::WALK,
        &ns::clone::WALK,
        &ns::unshare::WALK,
        &ns::setns::WALK,
        &ns::uts::WALK,
        &ns::ipc::WALK,
        &ns::pid::WALK,
        &ns::mnt::WALK,
        &ns::net::WALK,
        &ns::user::WALK,
        &ns::cgroup::WALK,
        &ns::time::WALK,
        &ns::structs::WALK,
        &break_it::WALK,
    ];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
            Demo::List { kind: None } => Plan::Walk(&look::list::WALK),
            Demo::List { kind: Some(kind) } => Plan::here(move |stage| look::list::list(stage, kind.name())),
            Demo::Show { pid: None } => Plan::Walk(&look::show::WALK),
            Demo::Show { pid: Some(pid) } => Plan::here(move |stage| look::show::show(stage, pid)),
            Demo::Matrix { pids, all: false } if pids.is_empty() => Plan::Walk(&look::matrix::WALK),
            Demo::Matrix { pids, .. } => Plan::here(move |stage| look::matrix::matrix(stage, &pids)),
            Demo::Enter(enter) => enter.plan(),
            Demo::Clone => Plan::Walk(&ns::clone::WALK),
            Demo::Unshare => Plan::Walk(&ns::unshare::WALK),
            Demo::Setns => Plan::Walk(&ns::setns::WALK),
            Demo::Uts => Plan::Walk(&ns::uts::WALK),
            Demo::Ipc => Plan::Walk(&ns::ipc::WALK),
            Demo::Net => Plan::Walk(&ns::net::WALK),
            Demo::Cgroup => Plan::Walk(&ns::cgroup::WALK),
            Demo::Time => Plan::Walk(&ns::time::WALK),
            Demo::Pid => Plan::Walk(&ns::pid::WALK),
            Demo::Mnt => Plan::Walk(&ns::mnt::WALK),
            Demo::User => Plan::Walk(&ns::user::WALK),
            Demo::BreakIt { mistake } => Plan::Walk(mistake.map_or(&break_it::WALK, Mistake::walk)),
            Demo::Structs(structs) => {
                let live = |pids: Vec<i32>| Plan::here(move |stage| ns::live::live(stage, &pids));
                structs.plan::<Self>(&ns::structs::WALK, live)
            }
        }
    }
}
