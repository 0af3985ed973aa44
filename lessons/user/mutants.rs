//! Typical wrong answers to the lesson `user`. Each is a whole part that looks right to its author.

use minidocker::container::parts::Parts;
use minidocker::container::spec::Spec;
use minidocker::error::Result;
use minidocker::lab::mutant::Mutant;
use minidocker::process::identity::Identity;
use minidocker::sys::file::{self, write};
use minidocker::sys::identity;
use std::path::Path;

/// What a container of an ordinary user's is looked at for.
const MAPPED: &[&str] = &["uid-map", "gid-map", "files", "rights"];

/// The wrong answers, and what they fail.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "setgroups-kept",
        parts: Parts { user: setgroups_kept, ..Parts::REFERENCE },
        fails: MAPPED,
        mistake: Some("setgroups-kept"),
    },
    Mutant {
        name: "ids-of-others",
        parts: Parts { user: ids_of_others, ..Parts::REFERENCE },
        fails: MAPPED,
        mistake: Some("ids-of-others"),
    },
    Mutant {
        name: "outside-in",
        parts: Parts { user: outside_in, ..Parts::REFERENCE },
        fails: MAPPED,
        mistake: Some("outside-in"),
    },
    Mutant {
        name: "same-inside",
        parts: Parts { user: same_inside, ..Parts::REFERENCE },
        fails: MAPPED,
        mistake: Some("same-inside"),
    },
    Mutant {
        name: "no-group-map",
        parts: Parts { user: no_group_map, ..Parts::REFERENCE },
        fails: MAPPED,
        mistake: Some("not-mapped"),
    },
    Mutant {
        name: "nothing-mapped",
        parts: Parts { user: nothing_mapped, ..Parts::REFERENCE },
        fails: MAPPED,
        mistake: Some("not-mapped"),
    },
    Mutant {
        name: "groups-regardless",
        parts: Parts { assume: groups_regardless, ..Parts::REFERENCE },
        fails: MAPPED,
        mistake: Some("groups-regardless"),
    },
    Mutant {
        name: "user-first",
        parts: Parts { assume: user_first, ..Parts::REFERENCE },
        fails: &["ids", "groups"],
        mistake: Some("user-first"),
    },
    Mutant {
        name: "groups-kept",
        parts: Parts { assume: groups_kept, ..Parts::REFERENCE },
        fails: &["groups"],
        mistake: Some("groups-kept"),
    },
    Mutant {
        name: "group-kept",
        parts: Parts { assume: group_kept, ..Parts::REFERENCE },
        fails: &["ids"],
        mistake: Some("group-kept"),
    },
    Mutant {
        name: "still-root",
        parts: Parts { assume: still_root, ..Parts::REFERENCE },
        fails: &["ids", "groups"],
        mistake: Some("still-root"),
    },
];

fn say(name: &str, text: &str) -> Result<()> {
    write(&Path::new("/proc/self").join(name), text)
}

/// Root should be able to change its groups, shouldn't it?
fn setgroups_kept(_: &Spec, (uid, gid): (u32, u32)) -> Result<()> {
    say("setgroups", "allow")?;
    say("uid_map", &format!("0 {uid} 1"))?;
    say("gid_map", &format!("0 {gid} 1"))
}

/// As many ids as any system has, from one's own on.
fn ids_of_others(_: &Spec, (uid, gid): (u32, u32)) -> Result<()> {
    say("setgroups", "deny")?;
    say("uid_map", &format!("0 {uid} 65536"))?;
    say("gid_map", &format!("0 {gid} 65536"))
}

/// From the person to root, as one would read it.
fn outside_in(_: &Spec, (uid, gid): (u32, u32)) -> Result<()> {
    say("setgroups", "deny")?;
    say("uid_map", &format!("{uid} 0 1"))?;
    say("gid_map", &format!("{gid} 0 1"))
}

/// One stays who one is: that the kernel allows, too. But who is root?
fn same_inside(_: &Spec, (uid, gid): (u32, u32)) -> Result<()> {
    say("setgroups", "deny")?;
    say("uid_map", &format!("{uid} {uid} 1"))?;
    say("gid_map", &format!("{gid} {gid} 1"))
}

/// A user has been mapped, so all is well.
fn no_group_map(_: &Spec, (uid, _): (u32, u32)) -> Result<()> {
    say("uid_map", &format!("0 {uid} 1"))
}

/// A new user namespace gives every capability; what else could be needed?
fn nothing_mapped(_: &Spec, _: (u32, u32)) -> Result<()> {
    Ok(())
}

/// Right where root is root; elsewhere setgroups(2) was given up.
fn groups_regardless(_: &Spec, who: &Identity) -> Result<()> {
    identity::setgroups(&who.groups)?;
    identity::setresgid(who.gid)?;
    identity::setresuid(who.uid)
}

/// Whether setgroups(2) may be called here.
fn may_set_groups() -> Result<bool> {
    Ok(file::read_text(Path::new("/proc/self/setgroups"))?.trim() == "allow")
}

/// First who one is, then what one belongs to. But who is not root any more may change nothing.
fn user_first(_: &Spec, who: &Identity) -> Result<()> {
    identity::setresuid(who.uid)?;
    identity::setresgid(who.gid)?;
    if may_set_groups()? { identity::setgroups(&who.groups) } else { Ok(()) }
}

/// There are user ids and group ids. That is all, isn't it?
fn groups_kept(_: &Spec, who: &Identity) -> Result<()> {
    identity::setresgid(who.gid)?;
    identity::setresuid(who.uid)
}

/// The list of groups has the group in it.
fn group_kept(_: &Spec, who: &Identity) -> Result<()> {
    if may_set_groups()? {
        identity::setgroups(&who.groups)?;
    }
    identity::setresuid(who.uid)
}

/// Works for root.
fn still_root(_: &Spec, _: &Identity) -> Result<()> {
    Ok(())
}
