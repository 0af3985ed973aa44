//! Who a process is: getuid(2), setgroups(2), setresgid(2), setresuid(2).

use super::{Call, ask};
use crate::error::Result;
use nix::unistd::{Gid, Uid};

/// The effective user id. Cannot fail and changes nothing, so the door is not involved.
pub fn uid() -> u32 {
    Uid::effective().as_raw()
}

/// The effective group id.
pub fn gid() -> u32 {
    Gid::effective().as_raw()
}

/// Replace the supplementary groups. `EPERM` in a user namespace whose `setgroups` file says `deny`.
pub fn setgroups(groups: &[u32]) -> Result<()> {
    ask(Call::Setgroups { groups }, || {
        let gids: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
        nix::unistd::setgroups(&gids)
    })
}

/// Set real, effective and saved group id. `EINVAL` for an id without a mapping in this user namespace.
pub fn setresgid(gid: u32) -> Result<()> {
    let id = Gid::from_raw(gid);
    ask(Call::Setresgid { gid }, || nix::unistd::setresgid(id, id, id))
}

/// Set real, effective and saved user id; away from 0 this clears the effective capabilities.
pub fn setresuid(uid: u32) -> Result<()> {
    let id = Uid::from_raw(uid);
    ask(Call::Setresuid { uid }, || nix::unistd::setresuid(id, id, id))
}
