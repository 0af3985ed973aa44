//! The command line of `cgroup-demo`.

use super::demo::{Plan, Program};
use super::structs::Structs;
use crate::demo::Walk;
use crate::demo::cgroup::{
    blkio, controllers, cpu, cpuset, devices, freezer, hierarchy, kill, live, look, memory, net_cls, pids,
    structs,
};
use crate::error::Result;
use crate::narrate::{Ending, Stage};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// The subcommands of `cgroup-demo`.
#[allow(missing_docs, reason = "the fields are those of the command line, and say there what they are")]
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Play every demo, in order
    Tour,
    /// The subsystems of v1 and v2, as this kernel has them
    Controllers,
    /// So much processor time and no more: counters, quota, shares
    Cpu(Picture),
    /// So much memory and no more: usage, limit, OOM killer
    Memory(Picture),
    /// A fork bomb, contained
    Pids,
    /// A process and its processors
    Cpuset,
    /// So many bytes a second to a disk
    #[command(alias = "io")]
    Blkio,
    /// Which devices may be opened
    Devices,
    /// Processes stopped, and let go on
    Freezer,
    /// Packets that know their cgroup
    #[command(name = "net_cls", alias = "net-cls")]
    NetCls,
    /// All processes of a cgroup ended
    Kill,
    /// A child cannot exceed its parent
    Hierarchy,
    /// The kernel's own structures: task_struct, css_set, cgroup
    Structs(Structs),
    /// All cgroups of this machine, or those at and below PATH
    Tree {
        /// A directory below /sys/fs/cgroup, or its path inside the hierarchies
        path: Option<PathBuf>,
        #[command(flatten)]
        again: Again,
    },
    /// What a cgroup is allowed, and what it has used
    Stat {
        /// A directory below /sys/fs/cgroup, or its path inside the hierarchies
        path: PathBuf,
        #[command(flatten)]
        again: Again,
    },
}

// (No doc comment: clap would print it as the description of the subcommand.)
#[allow(missing_docs)]
#[derive(Debug, Args)]
pub struct Picture {
    /// Draw what was measured, with the limit, into this SVG file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

// (No doc comment: clap would print it as the description of the subcommand.)
#[allow(missing_docs)]
#[derive(Debug, Args)]
pub struct Again {
    /// Look again and again, on a terminal
    #[arg(short, long)]
    watch: bool,
    /// Seconds between two looks
    #[arg(short = 'n', long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=60))]
    interval: Option<u16>,
}

impl Again {
    /// Seconds between two looks; `None` for one look.
    fn seconds(&self) -> Option<u16> {
        self.interval.or(self.watch.then_some(1))
    }
}

/// Play a walk and, if it was asked for, draw its picture.
fn plan(
    walk: &'static Walk,
    show: fn(&Stage, Option<&Path>) -> Result<Ending>,
    plot: Option<PathBuf>,
) -> Plan {
    match plot {
        None => Plan::Walk(walk),
        Some(file) => Plan::attended(move |stage| {
            walk.play_as(stage, |stage| show(stage, Some(&file)))?;
            Ok(u8::from(!stage.all_held()))
        }),
    }
}

impl Program for Demo {
    const NAME: &'static str = "cgroup-demo";
    const ABOUT: &'static str = "Linux cgroups: how much a process may use, and how much it did";
    const TOUR: &'static [&'static Walk] = &[
        &controllers::WALK,
        &cpu::WALK,
        &memory::WALK,
        &pids::WALK,
        &cpuset::WALK,
        &blkio::WALK,
        &devices::WALK,
        &freezer::WALK,
        &net_cls::WALK,
        &kill::WALK,
        &hierarchy::WALK,
        &structs::WALK,
    ];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
            Demo::Controllers => Plan::Walk(&controllers::WALK),
            Demo::Cpu(Picture { plot }) => plan(&cpu::WALK, cpu::show, plot),
            Demo::Memory(Picture { plot }) => plan(&memory::WALK, memory::show, plot),
            Demo::Pids => Plan::Walk(&pids::WALK),
            Demo::Cpuset => Plan::Walk(&cpuset::WALK),
            Demo::Blkio => Plan::Walk(&blkio::WALK),
            Demo::Devices => Plan::Walk(&devices::WALK),
            Demo::Freezer => Plan::Walk(&freezer::WALK),
            Demo::NetCls => Plan::Walk(&net_cls::WALK),
            Demo::Kill => Plan::Walk(&kill::WALK),
            Demo::Hierarchy => Plan::Walk(&hierarchy::WALK),
            Demo::Structs(options) => options.plan::<Self>(&structs::WALK, |pids| match pids[..] {
                // Only the story of two processes makes cgroups.
                [] => Plan::attended(|stage| live::live(stage, &[])),
                _ => Plan::here(move |stage| live::live(stage, &pids)),
            }),
            Demo::Tree { path, again } => Plan::here(move |stage| {
                look::repeat(stage, again.seconds(), || look::tree(stage, path.as_deref()))
            }),
            Demo::Stat { path, again } => Plan::here(move |stage| {
                let mut history = look::History::default();
                look::repeat(stage, again.seconds(), || look::stat(stage, &path, &mut history))
            }),
        }
    }
}
