//! The pid namespace: process ids from 1, and a first process that is everybody's last parent.
//! pid_namespaces(7).
//!
//! A process cannot change its pid, so no process moves to a new pid namespace: it is born there. That is why
//! a container starts with clone3(2) and not with unshare(2).

use crate::error::{Meaning, Problem, Result};
use crate::sys::flags::{CLONE_NEWUSER, clone};
use crate::sys::process::{Ended, Forked};
use crate::sys::signal::SIGCHLD;
use crate::sys::{errno, file, process, signal};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Make a child that is pid 1 of a new pid namespace and in new namespaces of the other kinds in `flags`;
/// with `cgroup`, an open cgroup v2 directory and its path, born as a member of it.
///
/// Returns in both processes. What the kernel answers when user namespaces are forbidden depends on who
/// forbids them; the error then names the setting found.
pub fn birth(flags: u64, cgroup: Option<(&OwnedFd, &Path)>) -> Result<Forked> {
    let answer = process::clone3(flags, cgroup.map(|(directory, path)| (directory.as_fd(), path)));
    let refused = |error: &crate::error::Error| {
        [errno::EPERM, errno::EACCES, errno::ENOSPC].iter().any(|n| error.is(*n))
    };
    match answer {
        Err(error) if refused(&error) && flags & CLONE_NEWUSER != 0 => {
            Err(error).meaning(|| Problem::NoUserNamespaces { sysctl: forbidding_sysctl() })
        }
        Err(error) if error.is(errno::EPERM) || error.is(errno::EINVAL) => {
            Err(error).meaning(|| Problem::NoNamespaces { which: clone(flags).to_string() })
        }
        answer => answer,
    }
}

/// The setting that forbids user namespaces to an ordinary user, if one of those known is set so.
fn forbidding_sysctl() -> Option<String> {
    const KNOWN: [(&str, &str, &str); 3] = [
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
    ];
    let forbids = |path: &str, value: &str| {
        file::read_text(&Path::new("/proc/sys").join(path)).is_ok_and(|text| text.trim() == value)
    };
    KNOWN.iter().find(|(path, value, _)| forbids(path, value)).map(|(_, _, remedy)| (*remedy).to_owned())
}

/// Be a proper pid 1: reap every orphan, pass every signal on to `child`, and return when `child` has ended.
///
/// On entry all signals are blocked (they stay pending until taken here). A pid 1 that does not wait leaves
/// zombies for ever, since orphans of the whole namespace are handed to it. When this process ends, the kernel
/// kills whoever is left in the namespace.
pub fn reap(child: i32) -> Result<Ended> {
    loop {
        match signal::take_next()? {
            SIGCHLD => {
                while let Some((pid, ended)) = reap_one()? {
                    if pid == child {
                        return Ok(ended);
                    }
                }
            }
            // The child may have ended meanwhile; its SIGCHLD is then on the way.
            other => match process::kill(child, other) {
                Err(error) if error.is(errno::ESRCH) => {}
                answer => answer?,
            },
        }
    }
}

/// One ended child, or `None` when there is none now, or no child at all (`ECHILD`).
fn reap_one() -> Result<Option<(i32, Ended)>> {
    match process::reap_any() {
        Err(error) if error.is(errno::ECHILD) => Ok(None),
        answer => answer,
    }
}
