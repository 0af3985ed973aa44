//! Typical wrong answers of lab `cgroup-memory`.

use minidocker::cgroup::hierarchy::Version;
use minidocker::cgroup::{Group, memory};
use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::lab::mutant::Mutant;
use minidocker::namespace;
use minidocker::process::Forked;
use minidocker::sys::file;
use std::path::Path;

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "memory-unlimited",
        parts: Parts { memory: memory_unlimited, ..Parts::REFERENCE },
        fails: &["memory-limited", "swap-limited", "hog-killed", "oom-told"],
        mistake: Some("memory-unlimited"),
    },
    Mutant {
        name: "not-in-bytes",
        parts: Parts { memory: not_in_bytes, ..Parts::REFERENCE },
        fails: &["memory-limited", "swap-limited", "hog-killed", "oom-told"],
        mistake: Some("not-in-bytes"),
    },
    Mutant {
        name: "swap-forgotten",
        parts: Parts { memory: swap_forgotten, ..Parts::REFERENCE },
        fails: &["swap-limited"],
        mistake: Some("swap-forgotten"),
    },
    Mutant {
        name: "swap-counted-alone",
        parts: Parts { memory: swap_counted_alone, ..Parts::REFERENCE },
        fails: &["swap-limited"],
        mistake: Some("swap-counted-alone"),
    },
    Mutant {
        name: "pids-unlimited",
        parts: Parts { memory: pids_unlimited, ..Parts::REFERENCE },
        fails: &["forks-stop"],
        mistake: Some("pids-unlimited"),
    },
    Mutant {
        name: "not-joined",
        parts: Parts { birth: born_outside, join: not_joined, ..Parts::REFERENCE },
        fails: &["hog-killed", "forks-stop", "in-the-group", "oom-told"],
        mistake: Some("not-joined"),
    },
    Mutant {
        name: "joined-one",
        parts: Parts { join: joined_where_limited, ..Parts::REFERENCE },
        fails: &["in-the-group"],
        mistake: Some("joined-one"),
    },
    Mutant {
        name: "no-cgroup-namespace",
        parts: Parts { join: no_cgroup_namespace, ..Parts::REFERENCE },
        fails: &["group-is-the-root"],
        mistake: Some("no-cgroup-namespace"),
    },
    Mutant {
        name: "namespace-before-join",
        parts: Parts { join: namespace_before_join, ..Parts::REFERENCE },
        fails: &["group-is-the-root"],
        mistake: Some("namespace-before-join"),
    },
    Mutant {
        name: "another-line",
        parts: Parts { oom: another_line, ..Parts::REFERENCE },
        fails: &["oom-told"],
        mistake: Some("another-line"),
    },
    Mutant {
        name: "full-is-not-killed",
        parts: Parts { oom: full_is_not_killed, ..Parts::REFERENCE },
        fails: &["plain-kill-not-told"],
        mistake: Some("full-is-not-killed"),
    },
];

/// Write a number into the file that `controller` has for it in its version, if there is one.
fn set(group: &Group, controller: &str, v1: (&str, u64), v2: (&str, u64)) -> Result<()> {
    let Some((directory, version)) = group.directory_of(controller) else { return Ok(()) };
    let (name, value) = if version == Version::V1 { v1 } else { v2 };
    file::if_there(file::write(&directory.join(name), &value.to_string())).map(drop)
}

fn set_pids(spec: &Spec, group: &Group) -> Result<()> {
    let Some(number) = spec.limits.pids else { return Ok(()) };
    set(group, "pids", ("pids.max", number), ("pids.max", number))
}

/// Limits the number of processes alone.
fn memory_unlimited(spec: &Spec, group: &Group) -> Result<()> {
    set_pids(spec, group)
}

/// Takes the number for KiB.
fn not_in_bytes(spec: &Spec, group: &Group) -> Result<()> {
    set_pids(spec, group)?;
    let Some(bytes) = spec.limits.memory else { return Ok(()) };
    let more = bytes * 1024;
    set(group, "memory", ("memory.limit_in_bytes", more), ("memory.max", more))?;
    set(group, "memory", ("memory.memsw.limit_in_bytes", 2 * more), ("memory.swap.max", more))
}

/// Limits memory, and lets swap be.
fn swap_forgotten(spec: &Spec, group: &Group) -> Result<()> {
    set_pids(spec, group)?;
    let Some(bytes) = spec.limits.memory else { return Ok(()) };
    set(group, "memory", ("memory.limit_in_bytes", bytes), ("memory.max", bytes))
}

/// Writes for each version the number that is right for the other.
fn swap_counted_alone(spec: &Spec, group: &Group) -> Result<()> {
    swap_forgotten(spec, group)?;
    let Some(bytes) = spec.limits.memory else { return Ok(()) };
    set(group, "memory", ("memory.memsw.limit_in_bytes", bytes), ("memory.swap.max", 2 * bytes))
}

/// Limits memory alone.
fn pids_unlimited(spec: &Spec, group: &Group) -> Result<()> {
    let limits = minidocker::cgroup::Limits { pids: None, ..spec.limits.clone() };
    memory::limit(&limits, group)
}

/// Born where its parent is, on version 2 too.
fn born_outside(spec: &Spec, _: &Group) -> Result<Forked> {
    (Parts::REFERENCE.birth)(spec, &Group::default())
}

/// Takes the view for the thing: a namespace, and no group.
fn not_joined(_: &Spec, _: &Group) -> Result<()> {
    namespace::cgroup::enter()
}

/// Joins where there is a limit, and nowhere else.
fn joined_where_limited(_: &Spec, group: &Group) -> Result<()> {
    for controller in ["memory", "pids"] {
        if let Some((directory, Version::V1)) = group.directory_of(controller) {
            file::write(&directory.join("tasks"), "0")?;
        }
    }
    namespace::cgroup::enter()
}

/// Joins, and leaves the view as it is.
fn no_cgroup_namespace(_: &Spec, group: &Group) -> Result<()> {
    group.join()
}

/// Both, in the wrong order.
fn namespace_before_join(_: &Spec, group: &Group) -> Result<()> {
    namespace::cgroup::enter()?;
    group.join()
}

/// Reads the first line that begins with the word.
fn another_line(group: &Group) -> Result<u64> {
    let Some((directory, version)) = group.directory_of("memory") else { return Ok(0) };
    let (name, key) = match version {
        Version::V1 => ("memory.oom_control", "oom_kill"),
        Version::V2 => ("memory.events", "oom_group_kill"),
    };
    let text = file::read_text(&directory.join(name))?;
    let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    Ok(line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// Takes a group that was nearly full for one in which somebody was killed.
fn full_is_not_killed(group: &Group) -> Result<u64> {
    let Some((directory, version)) = group.directory_of("memory") else { return Ok(0) };
    let (peak, limit) = match version {
        Version::V1 => ("memory.max_usage_in_bytes", "memory.limit_in_bytes"),
        Version::V2 => ("memory.peak", "memory.max"),
    };
    let number = |name: &str| -> u64 {
        let text = file::read_text(&Path::new(directory).join(name)).unwrap_or_default();
        text.trim().parse().unwrap_or(u64::MAX)
    };
    Ok(u64::from(number(peak) >= number(limit) / 10 * 9))
}
