//! What the container's processes may still do: capabilities, `no_new_privs` and the seccomp filter.
//!
//! The order is the kernel's doing. Capabilities leave the bounding set while CAP_SETPCAP is still held; the
//! user id changes while CAP_SETUID is; `no_new_privs` comes before the filter, which could not be loaded
//! without it; the filter comes last, since everything after it must pass through it.

pub mod capabilities;
