//! A demo on the real cgroups, attended by a parent that clears up after it.
//!
//! Which process: the program that the person started makes one child, which plays; it passes signals on and waits.
//! However the child ends, by Ctrl-C too, its cgroups are cleared away then. If this process is killed, the child and
//! its helpers die with it, and the next command of `cgroup-demo` or `minidocker` finds what they left.

use super::actor::{accompany, receive, send};
use crate::cgroup::held;
use crate::error::{Error, Problem, Result};
use crate::namespace::pid;
use crate::process::supervise::Signals;
use crate::process::{Ended, Forked};
use crate::step::{Role, Step, become_role, take};
use crate::sys::{pipe, process};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Play `scene` in a child, and return its result; before and after, clear away the cgroups of demos that have ended.
///
/// On entry this process has one thread. Errors: those of the scene; `DemoInterrupted` when a signal ended it.
pub fn play<T: Serialize + DeserializeOwned>(scene: impl FnOnce() -> Result<T>) -> Result<T> {
    take(Step::Reclaim, || held::reclaim(true))?;
    let (go, parent) = pipe::pipe()?;
    let (result, report) = pipe::pipe()?;
    let signals = Signals::hold()?;
    let child = match take(Step::Attend, || pid::birth(0, None))? {
        Forked::Parent(child) => child,
        Forked::Child => {
            drop((parent, result));
            become_role(Role::Runtime);
            // The parent's answer to the birth is told first.
            let go = receive::<()>(&go);
            accompany(&report);
            send(&report, &go.and_then(|()| signals.unblock()).and_then(|()| scene()));
            process::exit_now(0)
        }
    };
    drop(report);
    send(&parent, &Ok(()));
    let ended = signals.forward_until_end(&child)?;
    let told = receive(&result);
    let cleared = held::reclaim(true);
    signals.unblock()?;
    match ended {
        Ended::Signaled(signal) => Err(Error::new(Problem::DemoInterrupted { signal })),
        Ended::Exited(_) => told.and_then(|told| cleared.map(|()| told)),
    }
}
