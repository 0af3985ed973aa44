//! unshare(2), setns(2), sethostname(2): move the calling process between namespaces.

use super::flags::{Flags, clone};
use super::{Call, ask};
use crate::error::Result;
use nix::sched::CloneFlags;
use std::os::fd::AsFd;
use std::path::Path;

/// Put the calling process into new namespaces of the kinds in `flags` (`CLONE_NEW*`).
///
/// `CLONE_NEWPID` and `CLONE_NEWTIME` act on the children to come, not on the caller. Errors: `EPERM` without
/// CAP_SYS_ADMIN, `EINVAL` for a kind this kernel lacks, `ENOSPC` past a limit in `/proc/sys/user`.
pub fn unshare(flags: Flags) -> Result<()> {
    ask(Call::Unshare { flags }, || nix::sched::unshare(CloneFlags::from_bits_retain(flags.bits as i32)))
}

/// Move the calling process into the namespace that the open file `namespace` stands for; `path` is the name
/// it was opened by, `kind` its `CLONE_NEW*` flag (the kernel checks that they agree, else `EINVAL`).
pub fn setns(namespace: impl AsFd, path: &Path, kind: u64) -> Result<()> {
    let flags = clone(kind);
    ask(Call::Setns { path, flags }, || {
        nix::sched::setns(namespace.as_fd(), CloneFlags::from_bits_retain(kind as i32))
    })
}

/// Set the host name of the caller's UTS namespace: at most 64 bytes, CAP_SYS_ADMIN over that namespace.
pub fn sethostname(name: &str) -> Result<()> {
    ask(Call::Sethostname { name }, || nix::unistd::sethostname(name))
}
