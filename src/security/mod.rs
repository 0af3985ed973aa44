//! What the container's processes may still do: capabilities, `no_new_privs` and the seccomp filter.
//!
//! The order is the kernel's doing. Capabilities leave the bounding set while CAP_SETPCAP is still held; the
//! user id changes while CAP_SETUID is; `no_new_privs` comes before the filter, which could not be loaded
//! without it; the filter comes last, since everything after it must pass through it.

pub mod capabilities;
pub mod seccomp;

use crate::error::Result;
use capabilities::Capabilities;

/// Give up what is not in `keep`, for good: the first half, while this process is still root. What it holds
/// now stays until [`capabilities::hold`], since it is needed to change the user id.
pub fn limit(keep: Capabilities) -> Result<()> {
    capabilities::bound(keep)
}

/// Load the seccomp filter that goes with `keep`, after `no_new_privs`. From here on a forbidden system call is
/// answered with an error and never reaches the kernel's code for it.
pub fn filter(keep: Capabilities) -> Result<()> {
    crate::sys::security::set_no_new_privs()?;
    if keep == Capabilities::DEFAULT {
        return crate::sys::security::load_seccomp_filter(seccomp::DEFAULT.as_slice());
    }
    crate::sys::security::load_seccomp_filter(seccomp::Policy::container(keep).compile().as_slice())
}

/// Keep this process, pid 1 of a container, out of reach of the processes it will reap: they must not open its
/// executable, which is the host's (CVE-2019-5736).
pub fn hide_from_container() -> Result<()> {
    crate::sys::security::set_dumpable(false)
}
