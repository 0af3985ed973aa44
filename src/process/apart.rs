//! A part of the work, done apart: by a child in a mount namespace of its own, as root over all ids of this user.
//!
//! What containers leave behind belongs to whom they ran as. For an ordinary user those are ids that she has been
//! given beside her own, over whose files she has no rights; root of a user namespace in which they are mapped has.
//! And what is mounted to do the work dies with the child, however that ends.

use super::supervise;
use crate::error::{Error, Problem, Result};
use crate::namespace::{mount, pid, user};
use crate::step::{Role, become_role};
use crate::sys::errno::{EACCES, EPERM};
use crate::sys::process::{self, Child, Forked};
use crate::sys::{eventfd, pipe, security};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::os::fd::{AsFd, OwnedFd};

/// Whether files of containers may belong to ids that this process has no rights over, as it is: an ordinary user's
/// who has been given ids.
pub fn is_needed() -> Result<bool> {
    Ok(!is_privileged() && user::Map::own()?.is_full())
}

/// Do `part` here if this process has the rights over all files of containers, else [`apart`] as `role`.
pub fn where_needed<T, F>(role: &'static str, part: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    if is_needed()? { apart(role, part) } else { part() }
}

/// Do `part` here; if it is refused for want of rights, once more [`apart`], where it may be granted. For what may be
/// begun twice, and mostly needs no other's rights.
pub fn when_refused<T, F>(role: &'static str, part: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: Fn() -> Result<T>,
{
    match part() {
        Err(error) if (error.is(EACCES) || error.is(EPERM)) && is_needed()? => apart(role, part),
        answer => answer,
    }
}

/// Do `part` in a child process and return its result, or its error.
///
/// The child is in a new mount namespace, from which nothing travels back. Without CAP_SYS_ADMIN it is also in a new
/// user namespace, where it is root, and the user's own id is 0, and those she has been given follow from 1 on; where
/// they cannot be mapped, her own is all there is. It is told of as `role`. It dies with this process. On entry this
/// process has a single thread. Errors: those of `part`; `ChildVanished` when it died before its end.
pub fn apart<T, F>(role: &'static str, part: F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    let map = if is_privileged() { None } else { Some(user::Map::own()?) };
    let flags = if map.is_some() { crate::namespace::USER } else { 0 };
    let settle = |child: &Child| map.as_ref().map_or(Ok(None), |map| map.write(child.pid)).map(drop);
    born(role, flags, settle, || mount::enter().and_then(|()| part()))
}

/// Do `part` in a child born in new namespaces of the kinds in `flags`, when `settle` has done in the parent what is to
/// be done for it.
pub fn born<T, F>(
    role: &'static str,
    flags: u64,
    settle: impl FnOnce(&Child) -> Result<()>,
    part: F,
) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: FnOnce() -> Result<T>,
{
    let (go, parent) = pipe::pipe()?;
    let (result, report) = pipe::pipe()?;
    let child = match pid::birth(flags, None)? {
        Forked::Parent(child) => child,
        Forked::Child => {
            drop((parent, result));
            become_role(Role::Actor(role));
            let told = accompany(&go, &report).and_then(|()| part());
            // If even this fails, the parent sees the end of the file.
            let _ = pipe::write_all(report.as_fd(), &serde_json::to_vec(&told).unwrap_or_default());
            process::exit_now(0)
        }
    };
    drop((go, report));
    if let Err(error) = settle(&child) {
        drop(parent);
        supervise::kill(&child)?;
        return Err(error);
    }
    // A child that has died already cannot be told; that nothing comes from it says so.
    let _ = pipe::write_all(parent.as_fd(), b"g");
    drop(parent);
    let told = pipe::read_to_end(result.as_fd());
    process::wait(&child)?;
    serde_json::from_slice::<Result<T>>(&told?).map_err(|_| Error::new(Problem::ChildVanished))?
}

/// A child that is there beside this process, until this value is dropped or this process ends.
#[derive(Debug)]
pub struct Companion {
    child: Child,
    _stay: OwnedFd,
}

impl Companion {
    /// Make one in new namespaces of the kinds in `flags`, told of as `role`, which does `part`, then nothing. On entry
    /// this process has a single thread.
    pub fn start<T>(role: &'static str, flags: u64, part: impl FnOnce() -> Result<T>) -> Result<Self> {
        let (stay, parent) = pipe::pipe()?;
        match pid::birth(flags, None)? {
            Forked::Parent(child) => Ok(Self { child, _stay: parent }),
            Forked::Child => {
                drop(parent);
                become_role(Role::Actor(role));
                // Nobody hears of an error; what is not done says enough.
                let _ = supervise::die_with_parent()
                    .and_then(|()| stay_only_with_parent(&stay))
                    .and_then(|()| part());
                // Until the end of the file, which comes when the parent has ended, too.
                let _ = pipe::read_byte(stay.as_fd());
                process::exit_now(0)
            }
        }
    }

    /// Its pid, as this process sees it.
    pub fn pid(&self) -> i32 {
        self.child.pid
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        let _ = supervise::kill(&self.child);
    }
}

/// End if the parent, which has the other end of `stay` and writes nothing, has gone: the signal that tells of a parent's
/// death does not come when the parent died before it was asked for.
fn stay_only_with_parent(stay: &OwnedFd) -> Result<()> {
    match eventfd::wait_any(&[stay.as_fd()], Some(0))? {
        Some(_) => process::exit_now(125),
        None => Ok(()),
    }
}

/// In the child: wait for the parent's go, and die with the parent from now on. When that has died already, nobody
/// reads the report.
fn accompany(go: &OwnedFd, report: &OwnedFd) -> Result<()> {
    let told = pipe::read_byte(go.as_fd())?;
    supervise::die_with_parent()?;
    match told {
        Some(_) if pipe::has_reader(report.as_fd())? => Ok(()),
        _ => process::exit_now(125),
    }
}

/// Whether this process has CAP_SYS_ADMIN where it is.
pub fn is_privileged() -> bool {
    const SYS_ADMIN: u64 = 1 << 21;
    security::effective_capabilities() & SYS_ADMIN != 0
}
