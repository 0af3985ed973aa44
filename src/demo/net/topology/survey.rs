//! The survey: into each network namespace that can be seen goes one process, and asks the kernel what is there.

use super::map::{Link, Map, Space};
use super::parse;
use crate::demo::actor;
use crate::error::Result;
use crate::namespace::net::Door;
use crate::network::attribute::Builder;
use crate::network::message::with_header;
use crate::observe::{self, Network};
use crate::step::Role;
use crate::sys::errno::{EACCES, EPERM};
use crate::sys::wire::{Family, Query, Wire};
use crate::sys::{Call, file};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What was found, and whether `/proc/PID/net/dev`, asked apart from that, names the same links in every namespace.
pub struct Survey {
    /// What was found.
    pub map: Map,
    /// Whether the two sources agree.
    pub confirmed: bool,
}

/// Look into every network namespace that this process sees and may enter; the own one comes first. One that goes
/// meanwhile is left out.
///
/// On entry this process has one thread. Errors: the own namespace could not be asked.
pub fn survey() -> Result<Survey> {
    let (mut networks, hidden) = observe::networks();
    let own = observe::inode("net");
    // Those without processes come last.
    let oldest = |network: &Network| network.processes.first().map_or(i32::MAX, |(pid, _)| *pid);
    networks.sort_by_key(|network| (Some(network.inode) != own, oldest(network)));
    let mut map = Map { spaces: Vec::new(), closed: hidden };
    let mut confirmed = true;
    for (number, network) in networks.iter().enumerate() {
        let before = network.links();
        match visit(network, &networks, Some(network.inode) == own) {
            Ok(space) => {
                // What changed while it was looked at proves nothing.
                let listed = network.links().filter(|after| Some(after) == before.as_ref());
                confirmed = confirmed && listed.is_none_or(|listed| listed == names(&space));
                map.spaces.push(space);
            }
            Err(error) if number == 0 => return Err(error),
            Err(error) => map.closed += usize::from(error.is(EPERM) || error.is(EACCES)),
        }
    }
    Ok(Survey { map, confirmed })
}

/// What stands in the network namespace of process `pid`, but for who else is there: asked by a child that goes there.
///
/// On entry this process has one thread.
pub fn look(pid: i32) -> Result<Space> {
    let path = PathBuf::from(format!("/proc/{pid}/ns/net"));
    // Of itself this process may open it, whatever others may.
    let door = Door::open(&path, &path.display().to_string())?;
    actor::apart(Role::Actor("survey"), 0, || {
        go_through(&door, &path)?;
        ask(&[])
    })
}

/// The names of its links, sorted.
fn names(space: &Space) -> Vec<String> {
    let mut names: Vec<String> = space.links.iter().map(|link| link.name.clone()).collect();
    names.sort_unstable();
    names
}

/// One namespace, asked from within by a process that enters it and ends.
fn visit(network: &Network, all: &[Network], own: bool) -> Result<Space> {
    let mut space = actor::apart(Role::Actor("survey"), 0, || {
        let others: Vec<(u64, OwnedFd)> = all
            .iter()
            .filter(|other| other.inode != network.inode)
            .filter_map(|other| Some((other.inode, file::open_file(&other.path, 0, 0).ok()?)))
            .collect();
        if !own {
            enter(&network.path)?;
        }
        ask(&others)
    })?;
    space.inode = network.inode;
    space.processes.clone_from(&network.processes);
    space.file = network.processes.is_empty().then(|| network.path.display().to_string());
    Ok(space)
}

/// Enter a network namespace: at once, as root may; or through the user namespace that owns it, as its maker may.
fn enter(path: &Path) -> Result<()> {
    go_through(&Door::open(path, &path.display().to_string())?, path)
}

/// The same, of the namespace that stands at `path`, behind this `door`.
fn go_through(door: &Door, path: &Path) -> Result<()> {
    door.join().or_else(|error| {
        let owner = path.with_file_name("user");
        if !path.starts_with("/proc") {
            return Err(error);
        }
        Door::open(&owner, &owner.display().to_string())?.join_owner()?;
        door.join()
    })
}

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_DUMP: u16 = 0x300;

/// Everything of one kind. The fixed structure of the question is `length` bytes, all zero.
fn dump(wire: &Wire, name: &'static str, kind: u16, length: usize) -> Result<Vec<u8>> {
    let message = with_header(kind, NLM_F_REQUEST | NLM_F_DUMP, 1, &vec![0; length]);
    wire.exchange(Call::Other(&Query::Dump(name)), &message).map(|reply| reply.bytes)
}

fn links(wire: &Wire) -> Result<Vec<Link>> {
    const RTM_GETLINK: u16 = 18;
    dump(wire, "RTM_GETLINK", RTM_GETLINK, 16).map(|answer| parse::links(&answer))
}

/// The links of this process's network namespace.
pub fn links_here() -> Result<Vec<Link>> {
    links(&Wire::open(Family::Route)?)
}

fn ask(others: &[(u64, OwnedFd)]) -> Result<Space> {
    const RTM_GETADDR: u16 = 22;
    const RTM_GETROUTE: u16 = 26;
    const RTM_GETNSID: u16 = 90;
    const NETNSA_FD: u16 = 3;
    let wire = Wire::open(Family::Route)?;
    let mut space = Space { links: links(&wire)?, ..Space::default() };
    for (index, address, prefix) in parse::addresses(&dump(&wire, "RTM_GETADDR", RTM_GETADDR, 8)?) {
        if let Some(link) = space.links.iter_mut().find(|link| link.index == index) {
            link.addresses.push((address, prefix));
        }
    }
    space.ways_out = parse::ways_out(&dump(&wire, "RTM_GETROUTE", RTM_GETROUTE, 12)?);
    if space.links.iter().any(|link| link.elsewhere.is_some()) {
        for (inode, namespace) in others {
            let body = Builder::after(&[0; 4]).number(NETNSA_FD, namespace.as_raw_fd() as u32).finish();
            let message = with_header(RTM_GETNSID, NLM_F_REQUEST | NLM_F_ACK, 1, &body);
            let reply = wire.exchange(Call::Other(&Query::One("RTM_GETNSID")), &message)?;
            space.others.extend(parse::number_of_namespace(&reply.bytes).map(|number| (number, *inode)));
        }
    }
    Ok(space)
}
