//! The time namespace: the clocks CLOCK_MONOTONIC and CLOCK_BOOTTIME with an offset. time_namespaces(7).
//!
//! It is the one kind whose creator does not move: unshare(2) makes the namespace for the children to come, so
//! that the offsets can be set while nobody lives in it. Then setns(2) moves the creator after all.

use crate::error::Result;
use crate::sys::flags::{CLONE_NEWTIME, clone};
use crate::sys::namespace::{setns, unshare};
use crate::sys::{errno, file, process};
use std::path::Path;

/// Move this process to a new time namespace in which the machine has booted just now.
///
/// A kernel without time namespaces (before 5.6, or built without CONFIG_TIME_NS) answers `EINVAL`; then the
/// process stays, and `false` is returned. `/proc` must be one that shows this process.
pub fn enter() -> Result<bool> {
    match unshare(clone(CLONE_NEWTIME)) {
        Err(error) if error.is(errno::EINVAL) => return Ok(false),
        answer => answer?,
    }
    let (boottime, monotonic) = process::clocks();
    let offsets = format!("boottime {} 0\nmonotonic {} 0\n", -boottime, -monotonic);
    file::write(Path::new("/proc/self/timens_offsets"), &offsets)?;
    let path = Path::new("/proc/self/ns/time_for_children");
    let namespace = file::open_file(path, 0, 0)?;
    setns(&namespace, path, CLONE_NEWTIME)?;
    Ok(true)
}
