//! pivot_root(2): exchange the root file system of a mount namespace for another.
//!
//! chroot(2) only changes where a process's paths begin; the old root stays mounted, and a process with
//! CAP_SYS_CHROOT walks back to it. After pivot_root and the detaching of the old root there is nothing to
//! walk back to.

use crate::error::Result;
use crate::sys::{file, mount};
use std::path::Path;

/// Make the mount at `merged` the root, and stand in it. The old root stays stacked on the new one at `.`
/// until [`detach_old`]: in a user namespace the kernel lets a new `/proc` or `/sys` be mounted only while a
/// full one is still to be seen (`mount_too_revealing()` in fs/namespace.c).
///
/// On entry `merged` is a mount point in this process's own mount namespace, with private propagation. On
/// failure the root is unchanged.
pub fn enter(merged: &Path) -> Result<()> {
    file::chdir(merged)?;
    mount::pivot_root(Path::new("."), Path::new("."))
}

/// Let the old root go, with all that is mounted on it. On entry [`enter`] has been called and the working
/// directory not changed since; on return the container's own files are all there is.
pub fn detach_old() -> Result<()> {
    mount::detach(Path::new("."))?;
    file::chdir(Path::new("/"))
}
