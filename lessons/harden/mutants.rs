//! Wrong answers to the lesson `harden`. Each leaves a door open, or closes one that programs need.

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::lab::mutant::Mutant;
use minidocker::rootfs::mask::{HIDDEN, READ_ONLY};
use minidocker::rootfs::{target, tree};
use minidocker::security;
use minidocker::security::capabilities::Capabilities;
use minidocker::security::seccomp::{EVERYDAY, Policy, Verdict};
use minidocker::sys::file::{Kind, status};
use minidocker::sys::flags::*;
use minidocker::sys::mount::mount;
use minidocker::sys::security::{
    capset, drop_from_bounding_set, effective_capabilities, load_seccomp_filter, set_no_new_privs,
};
use minidocker::sys::syscalls::*;
use std::path::Path;

/// Gives up what it holds. The ceiling stays, and root gets everything under it back with the next exec.
fn limit_what_is_held(spec: &Spec) -> Result<()> {
    let keep = effective_capabilities() & spec.capabilities.0;
    capset(keep, keep, 0)
}

/// Capabilities have been more than 32 since Linux 2.6.25.
fn limit_to_31(spec: &Spec) -> Result<()> {
    (0..32).filter(|n| spec.capabilities.0 >> n & 1 == 0).try_for_each(drop_from_bounding_set)
}

/// Docker's fourteen, whatever the person asked for.
fn limit_to_the_usual(_: &Spec) -> Result<()> {
    security::limit(Capabilities::DEFAULT)
}

fn load(policy: &Policy) -> Result<()> {
    set_no_new_privs()?;
    load_seccomp_filter(policy.compile().as_slice())
}

/// The filter alone.
fn filter_without_no_new_privs(spec: &Spec) -> Result<()> {
    load_seccomp_filter(Policy::container(spec.capabilities).compile().as_slice())
}

/// A policy that nobody is given.
fn filter_never_loaded(spec: &Spec) -> Result<()> {
    let _ = Policy::container(spec.capabilities).compile();
    set_no_new_privs()
}

/// `clone` is judged by its flags; `clone3` has the same flags where no filter can look, and is let through.
fn filter_with_clone3(spec: &Spec) -> Result<()> {
    load(&Policy::container(spec.capabilities).answer(&[SYS_clone3], Verdict::Allow))
}

/// Every program needs children, so `clone` is let through, whatever its flags.
fn filter_with_clone(spec: &Spec) -> Result<()> {
    load(&Policy::container(spec.capabilities).answer(&[SYS_clone], Verdict::Allow))
}

/// `clone3` is refused: the C library asks no further.
fn filter_refusing_clone3(spec: &Spec) -> Result<()> {
    load(&Policy::container(spec.capabilities).answer(&[SYS_clone3], Verdict::Refuse))
}

/// Making a namespace begins with `clone`, so that is refused; and so is every other child.
fn filter_refusing_clone(spec: &Spec) -> Result<()> {
    load(&Policy::container(spec.capabilities).answer(&[SYS_clone], Verdict::Refuse))
}

/// A call that the list does not know yet is refused, and not absent.
fn filter_refusing_the_new(spec: &Spec) -> Result<()> {
    load(&Policy::container(spec.capabilities).answer_newer(Verdict::Refuse))
}

/// A list of what is evil, as far as one thought of it.
fn filter_of_evils(spec: &Spec) -> Result<()> {
    let evils = [SYS_mount, SYS_umount2, SYS_unshare, SYS_setns, SYS_bpf, SYS_reboot, SYS_init_module];
    let policy = Policy::ALLOW_ALL
        .answer(&evils, Verdict::Refuse)
        .answer(&[SYS_clone], Verdict::UnlessNewNamespace)
        .answer(&[SYS_clone3], Verdict::Absent)
        .allow_granted(spec.capabilities);
    load(&policy)
}

/// One filter for all, whatever capabilities the person granted.
fn filter_without_grants(_: &Spec) -> Result<()> {
    let policy = Policy::REFUSE_ALL
        .answer_newer(Verdict::Absent)
        .answer(EVERYDAY, Verdict::Allow)
        .answer(&[SYS_clone], Verdict::UnlessNewNamespace)
        .answer(&[SYS_clone3], Verdict::Absent)
        .answer(&[SYS_socket], Verdict::IfFamily);
    load(&policy)
}

/// Nothing, not even to execute a program.
fn filter_refusing_all(_: &Spec) -> Result<()> {
    load(&Policy::REFUSE_ALL)
}

/// The calls that need no thought, and no thought for the others.
fn filter_without_sockets(spec: &Spec) -> Result<()> {
    let policy = Policy::REFUSE_ALL
        .answer_newer(Verdict::Absent)
        .answer(EVERYDAY, Verdict::Allow)
        .answer(&[SYS_clone], Verdict::UnlessNewNamespace)
        .answer(&[SYS_clone3], Verdict::Absent)
        .allow_granted(spec.capabilities);
    load(&policy)
}

fn hide(path: &str) -> Result<()> {
    let path = Path::new(path);
    let Some(place) = target::find(path)? else { return Ok(()) };
    match status(path)?.kind {
        Kind::Directory => mount("tmpfs", path, "tmpfs", MS_RDONLY, Some("size=4k")),
        _ => tree::take(Path::new("/dev/null"))?.attach_on(&place, path),
    }
}

fn protect(path: &str, really: bool) -> Result<()> {
    let path = Path::new(path);
    let Some(place) = target::find(path)? else { return Ok(()) };
    let itself = tree::take(path)?;
    if really {
        itself.make_read_only()?;
    }
    itself.attach_on(&place, path)
}

/// Takes the first place that this kernel does not have for the end of the list, and of its task.
fn mask_until_one_is_missing(_: &Spec) -> Result<()> {
    for path in HIDDEN {
        if target::find(Path::new(path))?.is_none() {
            return Ok(());
        }
        hide(path)?;
    }
    READ_ONLY.iter().try_for_each(|path| protect(path, true))
}

/// Hides the files, and lets the directories be.
fn mask_files_alone(_: &Spec) -> Result<()> {
    for path in HIDDEN {
        if target::find(Path::new(path))?.is_some() && status(Path::new(path))?.kind != Kind::Directory {
            hide(path)?;
        }
    }
    READ_ONLY.iter().try_for_each(|path| protect(path, true))
}

/// Lays each place on itself, and forgets why.
fn mask_still_writable(_: &Spec) -> Result<()> {
    HIDDEN.iter().try_for_each(|path| hide(path))?;
    READ_ONLY.iter().try_for_each(|path| protect(path, false))
}

macro_rules! mutant {
    ($name:literal, $field:ident: $function:ident, fails $fails:expr, mistake $mistake:literal) => {
        Mutant {
            name: $name,
            parts: Parts { $field: $function, ..Parts::REFERENCE },
            fails: &$fails,
            mistake: Some($mistake),
        }
    };
}

/// What a container that does not come up fails.
const EVERY_CHECK: [&str; 8] = [
    "ceiling",
    "options-count",
    "no-new-privs",
    "no-new-namespaces",
    "closed-doors",
    "programs-run",
    "hidden",
    "read-only",
];

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    mutant!("held-alone", limit: limit_what_is_held, fails ["ceiling", "options-count"], mistake "held-alone"),
    mutant!("first-32", limit: limit_to_31, fails ["ceiling", "options-count"], mistake "first-32"),
    mutant!("usual-ceiling", limit: limit_to_the_usual, fails ["options-count"], mistake "options-ignored"),
    mutant!("usual-filter", filter: filter_without_grants, fails ["options-count"], mistake "options-ignored"),
    mutant!(
        "without-no-new-privs", filter: filter_without_no_new_privs,
        fails ["ceiling", "no-new-privs", "no-new-namespaces", "closed-doors", "programs-run", "hidden", "read-only"],
        mistake "without-no-new-privs"
    ),
    mutant!("never-loaded", filter: filter_never_loaded, fails ["no-new-namespaces", "closed-doors"], mistake "never-loaded"),
    mutant!("clone3-allowed", filter: filter_with_clone3, fails ["no-new-namespaces"], mistake "clone3-allowed"),
    mutant!("clone-allowed", filter: filter_with_clone, fails ["no-new-namespaces"], mistake "namespaces-allowed"),
    mutant!("clone3-refused", filter: filter_refusing_clone3, fails ["programs-run"], mistake "clone3-refused"),
    mutant!("clone-refused", filter: filter_refusing_clone, fails ["programs-run"], mistake "clone-refused"),
    mutant!("new-calls-refused", filter: filter_refusing_the_new, fails ["programs-run"], mistake "new-calls-refused"),
    mutant!("all-refused", filter: filter_refusing_all, fails EVERY_CHECK, mistake "everyday-refused"),
    mutant!(
        "sockets-refused", filter: filter_without_sockets,
        fails EVERY_CHECK,
        mistake "sockets-refused"
    ),
    mutant!("list-of-evils", filter: filter_of_evils, fails ["closed-doors"], mistake "list-of-evils"),
    mutant!("first-missing", mask: mask_until_one_is_missing, fails ["hidden", "read-only"], mistake "first-missing"),
    mutant!("files-alone", mask: mask_files_alone, fails ["hidden"], mistake "files-alone"),
    mutant!("still-writable", mask: mask_still_writable, fails ["read-only"], mistake "still-writable"),
];
