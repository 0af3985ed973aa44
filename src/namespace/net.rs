//! The network namespace: links, addresses, routes, rules and ports of its own. network_namespaces(7).
//!
//! A new one holds a single link, `lo`, which is down. A container's first process is *born* in its network
//! namespace (`CLONE_NEWNET` in clone3(2)), so that its parent can put a veth into it at once.

use crate::error::{Error, Problem, Result};
use crate::sys::flags::{CLONE_NEWNET, CLONE_NEWUSER, clone};
use crate::sys::namespace::{setns, unshare};
use crate::sys::{errno, file};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Move this process to a new network namespace.
pub fn enter() -> Result<()> {
    unshare(clone(CLONE_NEWNET))
}

/// A namespace of another container, held open: it stays that one when its processes have ended and their pids
/// are others'.
#[derive(Debug)]
pub struct Door {
    namespace: OwnedFd,
    path: PathBuf,
    /// The container it belongs to, for errors.
    name: String,
}

impl Door {
    /// Open the namespace that `path` (a `/proc/PID/ns/KIND`) stands for; `name` is the container it belongs to.
    /// Whether PID was still that container's is for the caller to find out, afterwards.
    pub fn open(path: &Path, name: &str) -> Result<Self> {
        let namespace = file::open_file(path, 0, 0).map_err(|error| refused(error, name))?;
        Ok(Self { namespace, path: path.to_owned(), name: name.to_owned() })
    }

    /// Move this process to the network namespace behind the door.
    ///
    /// Needs CAP_SYS_ADMIN in the user namespace that owns it: see [`join_owner`](Self::join_owner).
    pub fn join(&self) -> Result<()> {
        self.enter(CLONE_NEWNET)
    }

    /// Move this process to the user namespace behind the door, the owner of another container's network
    /// namespace, and so gain there the capabilities that its creator has.
    ///
    /// A process that is there already stays: to join one's own user namespace is `EINVAL`.
    pub fn join_owner(&self) -> Result<()> {
        let own = file::status(Path::new("/proc/self/ns/user"))?.identity;
        let there = file::descriptor_status(self.namespace.as_fd(), &self.path)?.identity;
        if own == there { Ok(()) } else { self.enter(CLONE_NEWUSER) }
    }

    /// The namespace behind the door.
    pub fn namespace(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }

    /// Do `work` in the network namespace behind the door, and come back. On entry this process has one thread. Where it
    /// cannot come back, it must end.
    pub fn visit<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let own = Path::new("/proc/self/ns/net");
        let home = file::open_file(own, 0, 0)?;
        self.join()?;
        let done = work();
        setns(&home, own, CLONE_NEWNET)?;
        done
    }

    fn enter(&self, kind: u64) -> Result<()> {
        setns(&self.namespace, &self.path, kind).map_err(|error| refused(error, &self.name))
    }
}

fn refused(error: Error, name: &str) -> Error {
    match error.errno() {
        Some(errno::EPERM | errno::EACCES) => {
            error.meaning(Problem::JoinNeedsRights { name: name.to_owned() })
        }
        // The process has ended; until it is reaped, it is there without namespaces.
        Some(errno::ENOENT | errno::ESRCH) => error.meaning(Problem::NotRunning { name: name.to_owned() }),
        _ => error,
    }
}
