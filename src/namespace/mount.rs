//! The mount namespace: a table of mounts of its own. mount_namespaces(7).

use crate::error::Result;
use crate::sys::flags::{CLONE_NEWNS, MS_PRIVATE, clone};
use crate::sys::mount::change_propagation;
use crate::sys::namespace::unshare;
use std::path::Path;

/// Move this process to a new mount namespace, a copy of the old one, and cut the strings between the two.
///
/// The second call is what keeps the host safe. Under systemd `/` is *shared*: a copy of a shared mount is its
/// peer, and what is mounted or unmounted under one happens under the other. Only when every mount of the copy
/// is private may anything be mounted. The two calls must stand together; nothing may come between.
pub fn enter() -> Result<()> {
    unshare(clone(CLONE_NEWNS))?;
    change_propagation(Path::new("/"), MS_PRIVATE)
}
