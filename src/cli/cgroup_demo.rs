//! The command line of `cgroup-demo`.

use super::demo::{Plan, Program};
use super::structs::Structs;
use crate::demo::Walk;
use crate::demo::cgroup::{cpu, hierarchy, live, memory, structs};
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
    const TOUR: &'static [&'static Walk] = &[&cpu::WALK, &memory::WALK, &hierarchy::WALK, &structs::WALK];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
            Demo::Cpu(Picture { plot }) => plan(&cpu::WALK, cpu::show, plot),
            Demo::Memory(Picture { plot }) => plan(&memory::WALK, memory::show, plot),
            Demo::Hierarchy => Plan::Walk(&hierarchy::WALK),
            Demo::Structs(options) => options.plan::<Self>(&structs::WALK, |pids| match pids[..] {
                // Only the story of two processes makes cgroups.
                [] => Plan::attended(|stage| live::live(stage, &[])),
                _ => Plan::here(move |stage| live::live(stage, &pids)),
            }),
        }
    }
}
