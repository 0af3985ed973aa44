//! The network namespace: links, addresses, routes, rules and ports of its own. network_namespaces(7).
//!
//! A new one holds a single link, `lo`, which is down. A container's first process is *born* in its network
//! namespace (`CLONE_NEWNET` in clone3(2)), so that its parent can put a veth into it at once.

use crate::error::{Meaning, Problem, Result};
use crate::sys::flags::{CLONE_NEWNET, CLONE_NEWUSER, clone};
use crate::sys::namespace::{setns, unshare};
use crate::sys::{errno, file};
use std::path::Path;

/// Move this process to a new network namespace.
pub fn enter() -> Result<()> {
    unshare(clone(CLONE_NEWNET))
}

/// Move this process to the network namespace that `path` (a `/proc/PID/ns/net`) stands for; `name` is the
/// container it belongs to, for the error.
///
/// Needs CAP_SYS_ADMIN in the user namespace that owns it: see [`join_owner`].
pub fn join(path: &Path, name: &str) -> Result<()> {
    let joined = file::open_file(path, 0, 0).and_then(|namespace| setns(&namespace, path, CLONE_NEWNET));
    joined.map_err(|error| match error.errno() {
        Some(errno::EPERM | errno::EACCES) => {
            error.meaning(Problem::JoinNeedsRights { name: name.to_owned() })
        }
        Some(errno::ENOENT) => error.meaning(Problem::NotRunning { name: name.to_owned() }),
        _ => error,
    })
}

/// Move this process to the user namespace at `path`, the owner of another container's network namespace,
/// and so gain there the capabilities that its creator has. `name` is the other container, for the error.
pub fn join_owner(path: &Path, name: &str) -> Result<()> {
    let denied = || Problem::JoinNeedsRights { name: name.to_owned() };
    let namespace = file::open_file(path, 0, 0).meaning(denied)?;
    match setns(&namespace, path, CLONE_NEWUSER) {
        Err(error) if error.is(errno::EPERM) => Err(error).meaning(denied),
        answer => answer,
    }
}
