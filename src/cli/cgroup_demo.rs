//! The command line of `cgroup-demo`.

use super::demo::{Plan, Program};
use super::structs::Structs;
use crate::demo::Walk;
use crate::demo::cgroup::{
    blkio, cpu, cpuset, devices, freezer, hierarchy, kill, live, memory, net_cls, pids, structs,
};
use crate::error::Result;
use crate::narrate::{Ending, Stage};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// The subcommands of `cgroup-demo`.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Play every demo, in order
    Tour,
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
}

// (No doc comment: clap would print it as the description of the subcommand.)
#[allow(missing_docs)]
#[derive(Debug, Args)]
pub struct Picture {
    /// Draw what was measured, with the limit, into this SVG file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
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
        }
    }
}
