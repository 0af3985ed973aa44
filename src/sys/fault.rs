//! The fault hook: fail, or die at, the N-th request of one process. Compiled only into test builds.
//!
//! `MINIDOCKER_FAULT=runtime:12:EIO` makes the twelfth request of the runtime fail with `EIO` unasked;
//! `MINIDOCKER_FAULT=init:5:kill` sends the container's first process SIGKILL just before its fifth. When the
//! N-th request is reached, a byte is written to the file that `MINIDOCKER_FAULT_FIRED` names, so a test that
//! counts N upwards knows when it has passed the last request. The file is opened, and made, before the first
//! request: the container's first process loses sight of it when it changes its root.

use super::observer;
use nix::errno::Errno;
use std::fs::File;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Plan {
    role: String,
    at: usize,
    /// `None` means SIGKILL.
    errno: Option<Errno>,
    fired: Option<File>,
}

static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Count one request; the errno it must fail with, if the plan says so. May not return.
pub(super) fn at_the_door() -> Option<Errno> {
    let plan = PLAN.get_or_init(read_plan).as_ref()?;
    if observer::role().name() != plan.role || COUNT.fetch_add(1, Ordering::Relaxed) + 1 != plan.at {
        return None;
    }
    if let Some(mut file) = plan.fired.as_ref() {
        let _ = file.write_all(b"x");
    }
    if plan.errno.is_none() {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        // Pid 1 of a pid namespace is deaf to signals from inside, even this one: end without any clean-up.
        super::process::exit_now(137);
    }
    plan.errno
}

/// A forked process counts its own requests from one.
pub(super) fn forget_count() {
    COUNT.store(0, Ordering::Relaxed);
}

fn read_plan() -> Option<Plan> {
    let text = std::env::var("MINIDOCKER_FAULT").ok()?;
    let mut parts = text.split(':');
    let (role, at, what) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    let errno = match what {
        "kill" => None,
        "EIO" => Some(Errno::EIO),
        "EPERM" => Some(Errno::EPERM),
        "ENOSPC" => Some(Errno::ENOSPC),
        "ENOENT" => Some(Errno::ENOENT),
        "ENOMEM" => Some(Errno::ENOMEM),
        other => Some(Errno::from_raw(other.parse().ok()?)),
    };
    let fired = std::env::var_os("MINIDOCKER_FAULT_FIRED");
    let fired = fired.and_then(|path| File::options().append(true).create(true).open(path).ok());
    Some(Plan { role: role.to_owned(), at, errno, fired })
}
