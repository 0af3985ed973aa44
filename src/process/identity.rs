//! Whom a command runs as: `USER[:GROUP]` against the container's own passwd(5) and group(5).
//!
//! These files belong to the image and are untrusted: reading is capped, and a number is never looked up as a
//! name, or an image could name a user `0` (CVE-2024-40635 came from the other side: a number too large).

use crate::error::{Error, Meaning, Problem, Result};
use crate::sys::errno::ENOENT;
use crate::sys::{contents, file, identity};
use std::path::Path;

/// A user, as the kernel sees one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Home directory.
    pub home: String,
}

/// Find `user` in the files of the root that this process stands in.
pub fn resolve(user: &str) -> Result<Identity> {
    lookup(user, &read("/etc/passwd")?, &read("/etc/group")?)
}

fn read(path: &str) -> Result<String> {
    match contents::read_regular_text(Path::new(path)) {
        Err(error) if error.is(ENOENT) => Ok(String::new()),
        answer => answer,
    }
}

fn lookup(user: &str, passwd: &str, group: &str) -> Result<Identity> {
    let (user, group_asked) = user.split_once(':').map_or((user, None), |(user, group)| (user, Some(group)));
    let user = if user.is_empty() { "0" } else { user };
    let number = parse_id(user)?;
    // NAME:PASSWORD:UID:GID:GECOS:HOME:SHELL
    let entry = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| match number {
        Some(uid) => fields.get(2).and_then(|field| field.parse().ok()) == Some(uid),
        None => fields.first() == Some(&user),
    });
    let field = |index: usize| entry.as_ref().and_then(|fields| fields.get(index).copied());
    let uid = number.or_else(|| field(2)?.parse().ok());
    let uid = uid.ok_or_else(|| Error::new(Problem::NoSuchUser { name: user.to_owned() }))?;
    let own_group = field(3).and_then(|gid| gid.parse().ok()).unwrap_or(0);
    let home = field(5).filter(|home| !home.is_empty()).unwrap_or("/").to_owned();
    let (gid, groups) = match group_asked {
        Some(asked) => (lookup_group(asked, group)?, Vec::new()),
        None => (own_group, field(0).map(|name| memberships(name, group)).unwrap_or_default()),
    };
    Ok(Identity { uid, gid, groups, home })
}

/// A number within the bounds of an id, or `None` for a name.
fn parse_id(text: &str) -> Result<Option<u32>> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let bounded = text.parse::<u32>().ok().filter(|id| *id <= i32::MAX as u32);
    bounded.map(Some).ok_or_else(|| Error::new(Problem::BadUser { text: text.to_owned() }))
}

fn lookup_group(asked: &str, group: &str) -> Result<u32> {
    if let Some(gid) = parse_id(asked)? {
        return Ok(gid);
    }
    // NAME:PASSWORD:GID:MEMBER,MEMBER
    let line = group.lines().find(|line| line.split(':').next() == Some(asked));
    let gid = line.and_then(|line| line.split(':').nth(2)?.parse().ok());
    gid.ok_or_else(|| Error::new(Problem::NoSuchGroup { name: asked.to_owned() }))
}

fn memberships(name: &str, group: &str) -> Vec<u32> {
    let lists =
        |line: &&str| line.split(':').nth(3).is_some_and(|members| members.split(',').any(|one| one == name));
    group.lines().filter(lists).filter_map(|line| line.split(':').nth(2)?.parse().ok()).collect()
}

/// The user and group id of this process.
pub fn own() -> (u32, u32) {
    (identity::uid(), identity::gid())
}

/// The name of the host that this process sees.
pub fn hostname() -> Result<String> {
    Ok(file::read_text(Path::new("/proc/sys/kernel/hostname"))?.trim().to_owned())
}

/// Whether this process is in the machine's first user namespace, whose ids are everybody's (user_namespaces(7)).
pub fn in_first_user_namespace() -> Result<bool> {
    let map = file::read_text(Path::new("/proc/self/uid_map")).meaning(|| Problem::NoProc)?;
    Ok(map.split_whitespace().eq(["0", "0", "4294967295"]))
}

/// Become `who`. On entry this process has CAP_SETUID and CAP_SETGID; afterwards only if `who` is root.
///
/// The groups go first: once the user id has changed, the right to change them is gone. In a user namespace
/// (`confined`) other ids may have no meaning, and setgroups(2) may have been given up; root there is what this
/// process is already, but for the groups of the person outside.
pub fn assume(who: &Identity, confined: bool) -> Result<()> {
    if confined && (who.uid, who.gid) == (0, 0) {
        return if may_set_groups()? { identity::setgroups(&who.groups) } else { Ok(()) };
    }
    let unmapped = || Problem::NotMapped { id: if who.uid == 0 { who.gid } else { who.uid } };
    identity::setgroups(&who.groups).meaning(unmapped)?;
    identity::setresgid(who.gid).meaning(unmapped)?;
    identity::setresuid(who.uid).meaning(unmapped)
}

/// Whether setgroups(2) was not given up in this user namespace, see user_namespaces(7).
fn may_set_groups() -> Result<bool> {
    Ok(file::read_text(Path::new("/proc/self/setgroups"))?.trim() == "allow")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\n0:x:77:77::/:\n";
    const GROUP: &str = "root:x:0:\nana:x:1000:\nlab:x:50:ana,bob\n";

    fn ids(user: &str) -> (u32, u32, Vec<u32>) {
        let found = lookup(user, PASSWD, GROUP).unwrap();
        (found.uid, found.gid, found.groups)
    }

    #[test]
    fn names_and_numbers() {
        assert_eq!(ids(""), (0, 0, vec![]));
        assert_eq!(ids("ana"), (1000, 1000, vec![50]));
        assert_eq!(ids("1000"), (1000, 1000, vec![50]));
        assert_eq!(ids("ana:lab"), (1000, 50, vec![]));
        assert_eq!(ids("4242:7"), (4242, 7, vec![]));
        assert_eq!(ids("0"), (0, 0, vec![]), "a number is never looked up as a name");
    }

    #[test]
    fn what_does_not_exist_or_is_out_of_bounds() {
        for user in ["nobody-here", "ana:nogroup", "4294967296", "2147483648"] {
            assert!(lookup(user, PASSWD, GROUP).is_err(), "{user}");
        }
    }
}
