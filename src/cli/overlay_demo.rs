//! The command line of `overlay-demo`.

use super::demo::{Plan, Program};
use crate::demo::Walk;
use crate::demo::overlay::{
    allocate, bootfs, copy_up, diff, layers, opaque, readonly, rename, share, walkthrough, whiteout,
};
use clap::Subcommand;

/// The subcommands of `overlay-demo`.
#[derive(Debug, Subcommand)]
pub enum Demo {
    /// Play every demo, in order
    Tour,
    /// Upper, lower and merged side by side: a mount, a look, three deletions
    Walkthrough,
    /// What a write to a file of a lower layer costs
    CopyUp,
    /// How a deletion is written down
    Whiteout,
    /// A directory that is deleted and made again
    Opaque,
    /// Renaming a directory of a lower layer: EXDEV, a copy, a redirect
    Rename,
    /// Several lower layers: which one wins
    Layers,
    /// Two containers over one image, which is there once
    Share,
    /// Space is taken when it is written to
    Allocate,
    /// No upper layer, and one put on top
    Readonly,
    /// What boots a machine, and no image has
    Bootfs,
    /// The upper layer as a list of changes, and as a layer of an image
    Diff,
}

impl Program for Demo {
    const NAME: &'static str = "overlay-demo";
    const ABOUT: &'static str = "Union file systems: read-only layers and a writable one, seen as one tree";
    const TOUR: &'static [&'static Walk] = &[
        &walkthrough::WALK,
        &copy_up::WALK,
        &whiteout::WALK,
        &opaque::WALK,
        &rename::WALK,
        &layers::WALK,
        &share::WALK,
        &allocate::WALK,
        &readonly::WALK,
        &bootfs::WALK,
        &diff::WALK,
    ];

    fn plan(self) -> Plan {
        match self {
            Demo::Tour => Plan::Tour,
            Demo::Walkthrough => Plan::Walk(&walkthrough::WALK),
            Demo::CopyUp => Plan::Walk(&copy_up::WALK),
            Demo::Whiteout => Plan::Walk(&whiteout::WALK),
            Demo::Opaque => Plan::Walk(&opaque::WALK),
            Demo::Rename => Plan::Walk(&rename::WALK),
            Demo::Layers => Plan::Walk(&layers::WALK),
            Demo::Share => Plan::Walk(&share::WALK),
            Demo::Allocate => Plan::Walk(&allocate::WALK),
            Demo::Readonly => Plan::Walk(&readonly::WALK),
            Demo::Bootfs => Plan::Walk(&bootfs::WALK),
            Demo::Diff => Plan::Walk(&diff::WALK),
        }
    }
}
