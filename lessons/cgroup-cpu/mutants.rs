//! Typical wrong answers of lab `cgroup-cpu`.

use minidocker::cgroup::accounting::{self, Usage};
use minidocker::cgroup::{Group, cpu, stop};
use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::lab::mutant::Mutant;
use minidocker::sys::process;
use minidocker::sys::signal::{SIGKILL, wait_ended};
use minidocker::sys::{errno, file};
use std::path::Path;

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no-quota",
        parts: Parts { cpu: no_quota, ..Parts::REFERENCE },
        fails: &["quota-set", "quota-bites"],
        mistake: Some("no-quota"),
    },
    Mutant {
        name: "quota-of-a-second",
        parts: Parts { cpu: quota_of_a_second, ..Parts::REFERENCE },
        fails: &["quota-set", "quota-bites"],
        mistake: Some("quota-of-a-second"),
    },
    Mutant {
        name: "no-weight",
        parts: Parts { cpu: no_weight, ..Parts::REFERENCE },
        fails: &["weight-set"],
        mistake: Some("no-weight"),
    },
    Mutant {
        name: "nothing-counted",
        parts: Parts { usage: nothing_counted, ..Parts::REFERENCE },
        fails: &["usage-told"],
        mistake: Some("nothing-counted"),
    },
    Mutant {
        name: "time-in-another-unit",
        parts: Parts { usage: time_in_another_unit, ..Parts::REFERENCE },
        fails: &["usage-told"],
        mistake: Some("time-in-another-unit"),
    },
    Mutant {
        name: "stopped-not-frozen",
        parts: Parts { freeze: stopped_not_frozen, ..Parts::REFERENCE },
        fails: &["paused", "unpaused", "frozen-killed"],
        mistake: Some("stopped-not-frozen"),
    },
    Mutant {
        name: "never-thawed",
        parts: Parts { freeze: never_thawed, ..Parts::REFERENCE },
        fails: &["unpaused"],
        mistake: Some("never-thawed"),
    },
    Mutant {
        name: "frozen-forgotten",
        parts: Parts { kill: frozen_forgotten, ..Parts::REFERENCE },
        fails: &["frozen-killed"],
        mistake: Some("frozen-forgotten"),
    },
    Mutant {
        name: "only-the-first",
        parts: Parts { kill: only_the_first, ..Parts::REFERENCE },
        fails: &["everybody-killed", "below-killed"],
        mistake: Some("only-the-first"),
    },
    Mutant {
        name: "not-below",
        parts: Parts { kill: not_below, ..Parts::REFERENCE },
        fails: &["below-killed"],
        mistake: Some("not-below"),
    },
];

/// Weighs the group, and lets it run as long as it likes.
fn no_quota(spec: &Spec, group: &Group) -> Result<()> {
    let limits = minidocker::cgroup::Limits { millicpus: None, ..spec.limits.clone() };
    cpu::limit(&limits, group)
}

/// Reckons the quota for a second, while the period is a tenth of one.
fn quota_of_a_second(spec: &Spec, group: &Group) -> Result<()> {
    let millicpus = spec.limits.millicpus.map(|thousandths| 10 * thousandths);
    let limits = minidocker::cgroup::Limits { millicpus, ..spec.limits.clone() };
    cpu::limit(&limits, group)
}

/// Limits the group, and does not weigh it.
fn no_weight(spec: &Spec, group: &Group) -> Result<()> {
    let limits = minidocker::cgroup::Limits { shares: None, ..spec.limits.clone() };
    cpu::limit(&limits, group)
}

/// Leaves it to others to ask each process.
fn nothing_counted(_: &Group) -> Result<Usage> {
    Ok(Usage::default())
}

/// Takes nanoseconds for microseconds.
fn time_in_another_unit(group: &Group) -> Result<Usage> {
    let usage = accounting::usage(group)?;
    Ok(Usage { processor: usage.processor.map(|nanoseconds| nanoseconds / 1000), ..usage })
}

/// Sends a signal that each process may be sent by anybody, and that its parent sees.
fn stopped_not_frozen(group: &Group, frozen: bool) -> Result<()> {
    const SIGCONT: i32 = 18;
    const SIGSTOP: i32 = 19;
    let Some((directory, _)) = group.freezer() else { return Ok(()) };
    for pid in stop::pids_below(directory)? {
        process::kill(pid, if frozen { SIGSTOP } else { SIGCONT })?;
    }
    Ok(())
}

/// Freezes, whatever was asked.
fn never_thawed(group: &Group, _: bool) -> Result<()> {
    stop::hold_still(group, true)
}

/// Sends the signal to all, and does not see that the frozen do not take it (v1).
fn frozen_forgotten(group: &Group) -> Result<()> {
    for directory in group.directories() {
        for pid in stop::pids_below(&directory)? {
            shoot(pid)?;
        }
    }
    Ok(())
}

/// Ends one, and trusts that it takes all with it, as the first of a pid namespace does.
fn only_the_first(group: &Group) -> Result<()> {
    stop::hold_still(group, false)?;
    let Some(directory) = group.directories().into_iter().next() else { return Ok(()) };
    // A group that is gone by now has nobody.
    let members = file::read_text(&directory.join("cgroup.procs")).unwrap_or_default();
    // The first that is the container's own: pid 1 of its namespace.
    match members.lines().filter_map(|pid| pid.parse().ok()).find(|pid| is_first(*pid)) {
        Some(pid) => shoot(pid),
        None => Ok(()),
    }
}

/// Whether the process with this pid here is pid 1 in a namespace below.
fn is_first(pid: i32) -> bool {
    let status = file::read_text(Path::new(&format!("/proc/{pid}/status"))).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.is_some_and(|numbers| numbers.split_whitespace().last() == Some("1"))
}

/// Ends those in the group itself.
fn not_below(group: &Group) -> Result<()> {
    stop::hold_still(group, false)?;
    for directory in group.directories() {
        for process in stop::signal_each(&directory)? {
            wait_ended(&process)?;
        }
    }
    Ok(())
}

fn shoot(pid: i32) -> Result<()> {
    match process::kill(pid, SIGKILL) {
        Err(error) if error.is(errno::ESRCH) => Ok(()),
        answer => answer,
    }
}
