//! The cgroup namespace: the process's own cgroup is shown as `/`. cgroup_namespaces(7).
//!
//! It hides where in the hierarchy the container lives; it limits nothing. What limits is the cgroup itself.

use crate::error::Result;
use crate::sys::flags::{CLONE_NEWCGROUP, clone};
use crate::sys::namespace::unshare;

/// Move this process to a new cgroup namespace, rooted at the cgroups it is in *now*: so it must have joined
/// its cgroups before.
pub fn enter() -> Result<()> {
    unshare(clone(CLONE_NEWCGROUP))
}
