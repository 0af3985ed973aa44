//! Typical wrong answers of lab `uts`.

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::lab::mutant::Mutant;
use minidocker::namespace::join::Doors;
use minidocker::sys::flags::{CLONE_NEWIPC, CLONE_NEWUTS, clone};
use minidocker::sys::namespace::{sethostname, setns, unshare};

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "name-before-unshare",
        parts: Parts { uts: name_before_unshare, ..Parts::REFERENCE },
        fails: &["host-keeps-its-name"],
        mistake: Some("name-before-unshare"),
    },
    Mutant {
        name: "no-unshare",
        parts: Parts { uts: no_unshare, ..Parts::REFERENCE },
        fails: &["own-uts-namespace", "host-keeps-its-name"],
        mistake: Some("no-unshare"),
    },
    Mutant {
        name: "not-named",
        parts: Parts { uts: not_named, ..Parts::REFERENCE },
        fails: &["named-inside"],
        mistake: Some("not-named"),
    },
    Mutant {
        name: "fixed-name",
        parts: Parts { uts: fixed_name, ..Parts::REFERENCE },
        fails: &["named-inside"],
        mistake: Some("not-named"),
    },
    Mutant {
        name: "queues-shared",
        parts: Parts { ipc: queues_shared, ..Parts::REFERENCE },
        fails: &["own-queues"],
        mistake: Some("queues-shared"),
    },
    Mutant {
        name: "joined-nothing",
        parts: Parts { enter: joined_nothing, ..Parts::REFERENCE },
        fails: &["exec-joins"],
        mistake: Some("joined-nothing"),
    },
    Mutant {
        name: "unshared-not-joined",
        parts: Parts { enter: unshared_not_joined, ..Parts::REFERENCE },
        fails: &["exec-joins"],
        mistake: Some("unshared-not-joined"),
    },
];

/// Names the host, and then leaves it.
fn name_before_unshare(spec: &Spec) -> Result<()> {
    sethostname(&spec.hostname)?;
    unshare(clone(CLONE_NEWUTS))
}

/// Names the host.
fn no_unshare(spec: &Spec) -> Result<()> {
    sethostname(&spec.hostname)
}

/// Leaves the host, and keeps its name.
fn not_named(_: &Spec) -> Result<()> {
    unshare(clone(CLONE_NEWUTS))
}

/// Takes a name that nobody asked for: right in one's own one trial, perhaps.
fn fixed_name(_: &Spec) -> Result<()> {
    unshare(clone(CLONE_NEWUTS))?;
    sethostname("container")
}

/// The wrong flag.
fn queues_shared(_: &Spec) -> Result<()> {
    unshare(clone(CLONE_NEWUTS))
}

/// Stays where it is.
fn joined_nothing(_: &Doors) -> Result<()> {
    Ok(())
}

/// Joins the mount namespace alone, and makes the others anew.
fn unshared_not_joined(doors: &Doors) -> Result<()> {
    unshare(clone(CLONE_NEWUTS | CLONE_NEWIPC))?;
    let rest = doors.each().filter(|door| !["uts", "ipc"].contains(&door.name));
    rest.into_iter().try_for_each(|door| setns(door.descriptor, door.path, door.kind))
}
