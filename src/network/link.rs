//! Links, addresses and routes: what people ask of rtnetlink(7), one verb a function, one message a verb.

use super::message::encode;
use super::reply::{self, Link};
use crate::error::{Problem, Result};
use crate::sys::errno::{EEXIST, ENODEV, EOPNOTSUPP, EPERM};
use crate::sys::netlink::Rtnetlink;
use std::net::Ipv4Addr;

pub use crate::sys::netlink::{Netns, Socket};

/// Ask and wait for the answer. One request is under way on a socket at a time, so one sequence number does.
fn ask(socket: &Socket, request: Rtnetlink<'_>) -> Result<Vec<u8>> {
    socket.ask(request, &encode(&request, 1))
}

/// What the kernel knows of the link `name`; `None` if there is no such link.
pub fn find(socket: &Socket, name: &str) -> Result<Option<Link>> {
    match ask(socket, Rtnetlink::GetLink { name }) {
        Ok(answer) => Ok(reply::link(&answer)),
        Err(error) if error.is(ENODEV) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Make the bridge `name` in link group `group`. It is down. One that is there already is fine.
pub fn add_bridge(socket: &Socket, name: &str, group: u32) -> Result<()> {
    unless_there(ask(socket, Rtnetlink::NewBridge { name, group })).map_err(|error| match error.errno() {
        Some(EOPNOTSUPP) => error.meaning(Problem::NoBridge),
        Some(EPERM) => error.meaning(Problem::BridgeNeedsRoot),
        _ => error,
    })
}

/// A veth pair to be made.
#[derive(Debug, Clone, Copy)]
pub struct Veth<'a> {
    /// The name of the end that stays here.
    pub name: &'a str,
    /// Its link group.
    pub group: u32,
    /// The index of the bridge whose port it becomes.
    pub master: u32,
    /// The name of the end in the other namespace.
    pub peer: &'a str,
    /// That namespace.
    pub netns: Netns<'a>,
}

/// Make a veth pair: our end up and on its bridge, the other end born where it belongs.
pub fn add_veth(socket: &Socket, veth: Veth<'_>) -> Result<()> {
    let Veth { name, group, master, peer, netns } = veth;
    ask(socket, Rtnetlink::NewVeth { name, group, master, peer, netns })?;
    Ok(())
}

/// Set the link `index` up; `name` is for the reader.
pub fn set_up(socket: &Socket, index: u32, name: &str) -> Result<()> {
    ask(socket, Rtnetlink::SetUp { index, name })?;
    Ok(())
}

/// Let the bridge send a frame back by the port `index` by which it came: whoever speaks to itself by an address of
/// the host's needs that where packets on bridges meet the rules (`bridge-nf-call-iptables`).
pub fn set_hairpin(socket: &Socket, index: u32, name: &str) -> Result<()> {
    ask(socket, Rtnetlink::SetHairpin { index, name })?;
    Ok(())
}

/// Delete the link `name`. One that is gone already is fine.
pub fn delete(socket: &Socket, name: &str) -> Result<()> {
    unless_gone(ask(socket, Rtnetlink::DelLink { name }))
}

/// Delete every link in `group`, in one pass: the kernel waits once for all who may still look at them.
pub fn delete_group(socket: &Socket, group: u32) -> Result<()> {
    unless_gone(ask(socket, Rtnetlink::DelGroup { group }))
}

/// Give the link `index` an address; `name` is for the reader. The kernel adds the route to the subnet when the
/// link is up. An address that is there already is fine.
pub fn add_address(socket: &Socket, index: u32, name: &str, address: Ipv4Addr, prefix: u8) -> Result<()> {
    unless_there(ask(socket, Rtnetlink::NewAddress { index, name, address, prefix }))
}

/// Send everything that no other route matches to `gateway`, which a link that is up must reach.
pub fn add_default_route(socket: &Socket, gateway: Ipv4Addr) -> Result<()> {
    unless_there(ask(socket, Rtnetlink::NewDefaultRoute { gateway }))
}

/// Where the routes of this network namespace lead to, its own addresses (prefix 32) included.
pub fn routes(socket: &Socket) -> Result<Vec<(Ipv4Addr, u8)>> {
    ask(socket, Rtnetlink::DumpRoutes).map(|answer| reply::destinations(&answer))
}

/// The link groups of all bridges in this network namespace.
pub fn groups_of_bridges(socket: &Socket) -> Result<Vec<u32>> {
    ask(socket, Rtnetlink::DumpBridges).map(|answer| reply::links(&answer).map(|link| link.group).collect())
}

fn unless_there(answer: Result<Vec<u8>>) -> Result<()> {
    match answer {
        Err(error) if !error.is(EEXIST) => Err(error),
        _ => Ok(()),
    }
}

fn unless_gone(answer: Result<Vec<u8>>) -> Result<()> {
    match answer {
        Err(error) if !error.is(ENODEV) => Err(error),
        _ => Ok(()),
    }
}
