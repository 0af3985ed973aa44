//! Control groups: how much of the machine a set of processes may use, and how much they did. cgroups(7).
//!
//! Version 1 has a tree of groups for each controller, each mounted on its own; version 2 has one tree in
//! which controllers are switched on level by level. Many machines are *hybrid*. [`hierarchy`] finds out what
//! is mounted, [`group`] makes one group in every tree concerned, [`controllers`] switches on what version 2 needs
//! for it, [`limits`] says what can be limited, [`memory`] and [`cpu`] write the two limits that matter most, and the rest reads
//! what the kernel counted, and freezes and stops what runs.
//! [`held`] is about the groups of demos, of which no record is kept.

pub mod accounting;
pub mod controllers;
pub mod cpu;
pub mod devices;
pub mod group;
pub mod held;
pub mod hierarchy;
pub mod limits;
pub mod memory;
pub mod packets;
pub mod parse;
pub mod stop;

pub use group::Group;
pub use held::Held;
pub use limits::Limits;
