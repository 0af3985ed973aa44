//! The ordinary user of the grader's host: who has no capability there, and so needs a user namespace of their own.
//!
//! Where the host has ids enough, a program becomes that user by changing its ids. Else it is put into a user namespace
//! in which the host's only id is that user's, which comes to the same: it is not root, and so exec takes everything.

use super::host::{self, IMAGE, PROBE};
use crate::demo::actor;
use crate::error::Result;
use crate::image::{Name, Store, build_around};
use crate::process::identity::{self, Identity};
use crate::step::Role;
use crate::sys::flags::MS_BIND;
use crate::sys::program::Ids;
use crate::sys::{file, mount, security};
use std::path::Path;

/// User and group. They differ, so that one cannot be taken for the other.
const PERSON: (u32, u32) = (1000, 100);

/// Somebody else, whom a container can run as.
pub const OTHER: u32 = 4242;

/// The state root, where it cannot be root's.
const STATE: &str = "/tmp/lab/person";

/// An empty file.
const NOTHING: &str = "/tmp/lab/nothing";

/// Whether this host has ids besides root's: that of a person, and of whomever else.
fn has_ids() -> Result<bool> {
    let map = file::read_text(Path::new("/proc/self/uid_map"))?;
    let counts = map.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok());
    Ok(counts.sum::<u64>() > OTHER.into())
}

/// How to be that person: the state root, with the image in it, and the ids to start a program with.
pub fn manner() -> Result<(&'static str, Ids)> {
    let (uid, gid) = PERSON;
    hide_what_was_given()?;
    if !has_ids()? {
        return Ok((host::STATE, Ids::Mapped(uid, gid)));
    }
    if !file::exists(Path::new(STATE))? {
        move_in()?;
    }
    Ok((STATE, Ids::Changed(uid, gid)))
}

/// The person has one id, whatever this machine has given to a user of the same number.
fn hide_what_was_given() -> Result<()> {
    let nothing = Path::new(NOTHING);
    if file::exists(nothing)? {
        return Ok(());
    }
    file::write_new(nothing, "", 0o644)?;
    for list in ["/etc/subuid", "/etc/subgid"].map(Path::new) {
        if file::exists(list)? {
            mount::mount(NOTHING, list, "", MS_BIND, None)?;
        }
    }
    Ok(())
}

/// Make the person's own state root.
fn move_in() -> Result<()> {
    let (uid, gid) = PERSON;
    file::mkdir(Path::new(STATE), 0o755)?;
    file::chown(Path::new(STATE), uid, gid)?;
    actor::apart(Role::Runtime, 0, || {
        let who = Identity { uid, gid, groups: Vec::new(), home: "/".to_owned() };
        identity::assume(&who, false)?;
        // Else it could not open its own files in /proc, which belong to root after a change of user.
        security::set_dumpable(true)?;
        let name = Name::parse(IMAGE).unwrap_or_else(Name::base);
        build_around(&Store::open(Path::new(STATE)), &name, Path::new(PROBE), host::TOOLS).map(drop)
    })
}
