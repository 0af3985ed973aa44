//! Make one bridge: a switch in the kernel, with an address by which the host itself is on it.
//!
//! Runs in the runtime's process, in the host's network namespace. *Whether* a bridge is needed, under which name and
//! with which subnet, is decided before, under the lock of the [`ledger`](super::ledger), by [`bridge`](mod@super::bridge).

use super::link::{self, Socket};
use super::mark::Mark;
use super::nat::{self, WayOut};
use super::reply::Link;
use crate::error::{Error, Problem, Result};
use crate::sys::file;
use std::net::Ipv4Addr;
use std::path::Path;

/// A bridge to be made: everything decided.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its link group: a number by which it is known later as ours, whatever its name.
    pub group: u32,
    /// Its address, to which the containers on it send what is not for their subnet.
    pub gateway: Ipv4Addr,
    /// Length of the subnet's prefix.
    pub prefix: u8,
}

impl Plan<'_> {
    /// `found` if it is this bridge. Errors: `NoBridge` if there is none, `BridgeTaken` if it is somebody else's, who
    /// may have taken the name a moment ago.
    pub fn own(&self, found: Option<Link>) -> Result<Link> {
        let link = found.ok_or_else(|| Error::new(Problem::NoBridge))?;
        if Mark::read(self.group).is_some_and(|mark| mark.owns(link.group)) {
            return Ok(link);
        }
        Err(Error::new(Problem::BridgeTaken { name: self.name.to_owned() }))
    }
}

/// Make the bridge, up, with its address. Each part may be there already.
pub fn make(socket: &Socket, plan: &Plan<'_>) -> Result<()> {
    let name = plan.name;
    link::add_bridge(socket, name, plan.group)?;
    let index = plan.own(link::find(socket, name)?)?.index;
    heed_no_advertisement(name)?;
    link::add_address(socket, index, name, plan.gateway, plan.prefix)?;
    link::set_up(socket, index, name)
}

/// Whoever is on the bridge `name` must not be able to tell the host its IPv6 routes (router advertisements, RFC 4861):
/// `net.ipv6.conf.NAME.accept_ra = 0`. Where there is no IPv6, nothing is to be done.
pub fn heed_no_advertisement(name: &str) -> Result<()> {
    let path = format!("/proc/sys/net/ipv6/conf/{name}/accept_ra");
    file::if_there(file::write(Path::new(&path), "0")).map(drop)
}

/// The steps by which a bridge comes to be, any of which a learner can replace by their own.
#[derive(Debug, Clone, Copy)]
pub struct Making {
    /// Make the bridge, up, with its address.
    pub bridge: fn(&Socket, &Plan<'_>) -> Result<()>,
    /// Say the rules by which what leaves its subnet finds its way.
    pub way_out: WayOut,
}

impl Making {
    /// The product's own.
    pub const REFERENCE: Self = Self { bridge: make, way_out: nat::way_out };
}
