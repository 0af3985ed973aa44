//! Typical wrong answers to the lesson `pid`. Each is a whole part that looks right to its author.

use minidocker::cgroup::Group;
use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::lab::mutant::Mutant;
use minidocker::network::Network;
use minidocker::sys::flags::{CLONE_NEWNET, CLONE_NEWPID, MS_BIND, MS_REC, clone};
use minidocker::sys::process::{self, Ended, Forked};
use minidocker::sys::signal::{SIGCHLD, SIGINT, SIGTERM};
use minidocker::sys::{errno, mount, namespace, signal};
use std::path::Path;

/// Every check: no container comes to life.
const ALL: &[&str] = &[
    "first-process",
    "runtime-stays",
    "network-as-asked",
    "own-proc",
    "harmless-proc",
    "orphans",
    "signals",
    "status",
    "end-of-the-command",
];

/// The wrong answers, and what they fail.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "no-pid-namespace",
        parts: Parts { birth: without_pid_namespace, ..Parts::REFERENCE },
        fails: &["first-process", "own-proc", "orphans"],
        mistake: Some("no-pid-namespace"),
    },
    Mutant {
        name: "unshare-in-the-runtime",
        parts: Parts { birth: unshare_in_the_runtime, ..Parts::REFERENCE },
        fails: &["runtime-stays"],
        mistake: Some("unshare-in-the-runtime"),
    },
    Mutant {
        name: "no-network-namespace",
        parts: Parts { birth: without_network_namespace, ..Parts::REFERENCE },
        fails: &["network-as-asked"],
        mistake: Some("no-network-namespace"),
    },
    Mutant {
        name: "network-for-everybody",
        parts: Parts { birth: network_for_everybody, ..Parts::REFERENCE },
        fails: &["network-as-asked"],
        mistake: Some("network-for-everybody"),
    },
    Mutant {
        name: "hosts-proc",
        parts: Parts { proc: hosts_proc, ..Parts::REFERENCE },
        fails: &["own-proc"],
        mistake: Some("hosts-proc"),
    },
    Mutant {
        name: "proc-with-every-right",
        parts: Parts { proc: proc_with_every_right, ..Parts::REFERENCE },
        fails: &["harmless-proc"],
        mistake: Some("proc-with-every-right"),
    },
    Mutant {
        name: "no-proc",
        parts: Parts { proc: no_proc, ..Parts::REFERENCE },
        fails: ALL,
        mistake: Some("no-proc"),
    },
    Mutant {
        name: "one-wait-a-signal",
        parts: Parts { reap: one_wait_a_signal, ..Parts::REFERENCE },
        fails: &["orphans"],
        mistake: Some("one-wait-a-signal"),
    },
    Mutant {
        name: "waits-for-one",
        parts: Parts { reap: waits_for_one, ..Parts::REFERENCE },
        fails: &["orphans"],
        mistake: Some("waits-for-one"),
    },
    Mutant {
        name: "ends-with-anybody",
        parts: Parts { reap: ends_with_anybody, ..Parts::REFERENCE },
        fails: &["orphans"],
        mistake: Some("ends-with-anybody"),
    },
    Mutant {
        name: "signals-end-here",
        parts: Parts { reap: signals_end_here, ..Parts::REFERENCE },
        fails: &["signals"],
        mistake: Some("signals-end-here"),
    },
    Mutant {
        name: "only-the-polite-ones",
        parts: Parts { reap: only_the_polite_ones, ..Parts::REFERENCE },
        fails: &["signals"],
        mistake: Some("only-the-polite-ones"),
    },
    Mutant {
        name: "waits-for-everybody",
        parts: Parts { reap: waits_for_everybody, ..Parts::REFERENCE },
        fails: &["end-of-the-command"],
        mistake: Some("waits-for-everybody"),
    },
    Mutant {
        name: "killed-is-exited",
        parts: Parts { reap: killed_is_exited, ..Parts::REFERENCE },
        fails: &["status"],
        mistake: Some("killed-is-exited"),
    },
    Mutant {
        name: "always-well",
        parts: Parts { reap: always_well, ..Parts::REFERENCE },
        fails: &["status"],
        mistake: Some("status-lost"),
    },
];

fn born(flags: u64, group: &Group) -> Result<Forked> {
    use std::os::fd::AsFd;
    let birthplace = group.birthplace()?;
    process::clone3(flags, birthplace.as_ref().map(|(directory, path)| (directory.as_fd(), *path)))
}

fn own_network(spec: &Spec) -> u64 {
    if matches!(spec.network, Network::None | Network::Bridge(_)) { CLONE_NEWNET } else { 0 }
}

/// A child is not pid 1 because it is the first.
fn without_pid_namespace(spec: &Spec, group: &Group) -> Result<Forked> {
    born(own_network(spec), group)
}

/// unshare(2) as the lecture has it; but it moves the caller, and here that is the runtime.
fn unshare_in_the_runtime(spec: &Spec, group: &Group) -> Result<Forked> {
    namespace::unshare(clone(CLONE_NEWPID | own_network(spec)))?;
    born(0, group)
}

/// The network is somebody else's lesson.
fn without_network_namespace(_: &Spec, group: &Group) -> Result<Forked> {
    born(CLONE_NEWPID, group)
}

/// Nobody asked what `spec.network` says.
fn network_for_everybody(_: &Spec, group: &Group) -> Result<Forked> {
    born(CLONE_NEWPID | CLONE_NEWNET, group)
}

/// The /proc that is there already, seen from a second place. At the root, `..` leads to what lies on top of it.
fn hosts_proc(_: &Spec) -> Result<()> {
    mount::mount("/../proc", Path::new("/proc"), "", MS_BIND | MS_REC, None)
}

/// The image has a directory /proc already.
fn no_proc(_: &Spec) -> Result<()> {
    Ok(())
}

/// It shows the right processes.
fn proc_with_every_right(_: &Spec) -> Result<()> {
    mount::mount("proc", Path::new("/proc"), "proc", 0, None)
}

/// Each SIGCHLD is one child's. (Signals are not counted: ten ends may leave one SIGCHLD.)
fn one_wait_a_signal(child: i32) -> Result<Ended> {
    loop {
        match signal::take_next()? {
            SIGCHLD => match process::reap_any() {
                Ok(Some((pid, ended))) if pid == child => return Ok(ended),
                _ => {}
            },
            other => pass_on(child, other)?,
        }
    }
}

/// What a program would do that is no pid 1: wait for the one child it knows. What it takes of others it gives to them.
fn waits_for_one(child: i32) -> Result<Ended> {
    let command = process::Child { pid: child, pidfd: process::pidfd_open(child)? };
    loop {
        match signal::take_next()? {
            SIGCHLD if signal::watch_end(&command, Some(std::time::Duration::ZERO))? => {
                return process::wait(&command);
            }
            SIGCHLD => {}
            other => pass_on(child, other)?,
        }
    }
}

/// Whoever ends first is taken for the command.
fn ends_with_anybody(child: i32) -> Result<Ended> {
    loop {
        match signal::take_next()? {
            SIGCHLD => {
                if let Ok(Some((_, ended))) = process::reap_any() {
                    return Ok(ended);
                }
            }
            other => pass_on(child, other)?,
        }
    }
}

/// It has been taken, so it is done with.
fn signals_end_here(child: i32) -> Result<Ended> {
    loop {
        if signal::take_next()? == SIGCHLD
            && let Some(ended) = everybody(child)?
        {
            return Ok(ended);
        }
    }
}

/// `docker stop` and Ctrl-C; what else could come?
fn only_the_polite_ones(child: i32) -> Result<Ended> {
    loop {
        match signal::take_next()? {
            SIGCHLD => {
                if let Some(ended) = everybody(child)? {
                    return Ok(ended);
                }
            }
            polite @ (SIGTERM | SIGINT) => pass_on(child, polite)?,
            _ => {}
        }
    }
}

/// Stay until there is no child left: a command that leaves something running never ends.
fn waits_for_everybody(child: i32) -> Result<Ended> {
    let mut command = None;
    loop {
        match signal::take_next()? {
            SIGCHLD => loop {
                match process::reap_any() {
                    Ok(Some((pid, ended))) if pid == child => command = Some(ended),
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) if error.is(errno::ECHILD) => return Ok(command.unwrap_or(Ended::Exited(0))),
                    Err(error) => return Err(error),
                }
            },
            other => pass_on(child, other)?,
        }
    }
}

/// A signal has a number, too.
fn killed_is_exited(child: i32) -> Result<Ended> {
    Ok(match (Parts::REFERENCE.reap)(child)? {
        Ended::Signaled(signal) => Ended::Exited(signal),
        exited => exited,
    })
}

/// It has ended; what more is there to say?
fn always_well(child: i32) -> Result<Ended> {
    (Parts::REFERENCE.reap)(child).map(|_| Ended::Exited(0))
}

/// Reap all who have ended; how the command did, if it is among them.
fn everybody(child: i32) -> Result<Option<Ended>> {
    loop {
        match process::reap_any() {
            Ok(Some((pid, ended))) if pid == child => return Ok(Some(ended)),
            Ok(Some(_)) => {}
            Ok(None) => return Ok(None),
            Err(error) if error.is(errno::ECHILD) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

fn pass_on(child: i32, number: i32) -> Result<()> {
    match process::kill(child, number) {
        Err(error) if error.is(errno::ESRCH) => Ok(()),
        answer => answer,
    }
}
