//! Plays one wrong answer: the one that the environment variable `LAB_MUTANT` names, `uts/name-before-unshare`.
//! `LESSON/reference` is ours, which is right; `wild/loop` and its like run wild.

use minidocker::container::parts::Parts;
use minidocker::lab::mutant::Mutant;
use std::process::ExitCode;

#[path = "wild.rs"]
mod wild;

#[path = "all/mutants.rs"]
mod all;
#[path = "cgroup-cpu/mutants.rs"]
mod cgroup_cpu;
#[path = "cgroup-memory/mutants.rs"]
mod cgroup_memory;
#[path = "harden/mutants.rs"]
mod harden;
#[path = "image/mutants.rs"]
mod image;
#[path = "mounts/mutants.rs"]
mod mounts;
#[path = "net/mutants.rs"]
mod net;
#[path = "overlay/mutants.rs"]
mod overlay;
#[path = "pid/mutants.rs"]
mod pid;
#[path = "user/mutants.rs"]
mod user;
#[path = "uts/mutants.rs"]
mod uts;

/// Those of each lesson.
#[rustfmt::skip] // one a line
pub const ALL: &[(&str, &[Mutant])] = &[
    ("uts", uts::MUTANTS),
    ("pid", pid::MUTANTS),
    ("mounts", mounts::MUTANTS),
    ("user", user::MUTANTS),
    ("cgroup-memory", cgroup_memory::MUTANTS),
    ("cgroup-cpu", cgroup_cpu::MUTANTS),
    ("overlay", overlay::MUTANTS),
    ("net", net::MUTANTS),
    ("image", image::MUTANTS),
    ("harden", harden::MUTANTS),
    ("all", all::MUTANTS),
];

/// Those that version 2 of cgroups does not let be wrong: there is one tree, a process is born in its group, and a frozen
/// one can be killed.
#[allow(dead_code, reason = "for the tests")]
pub const ON_V1: &[&str] =
    &["cgroup-memory/joined-one", "cgroup-memory/namespace-before-join", "cgroup-cpu/frozen-forgotten"];

fn main() -> ExitCode {
    let wanted = std::env::var("LAB_MUTANT").unwrap_or_default();
    let (lesson, name) = wanted.split_once('/').unwrap_or_default();
    if let Some((_, parts)) = wild::WILD.iter().find(|(wild, _)| lesson == "wild" && *wild == name) {
        return minidocker::main(*parts);
    }
    if name == "reference" {
        return minidocker::main(Parts::REFERENCE);
    }
    let mutants = ALL.iter().filter(|(of, _)| *of == lesson).flat_map(|(_, mutants)| *mutants);
    match mutants.into_iter().find(|mutant| mutant.name == name) {
        Some(mutant) => minidocker::main(mutant.parts),
        None => ExitCode::from(125),
    }
}
