//! A container's address, leased before anything is made for it.

use super::ledger::{Ledger, State};
use super::{Endpoint, bridge, link, subnet};
use crate::error::{Error, Problem, Result};
use crate::sys::netlink::Socket;
use std::net::Ipv4Addr;
use std::path::Path;

/// Lease an address on the bridge to the container `id`; the ledger of the state root `root` holds it from now
/// on, until [`release`](super::bridge::release) or, should this process die, until
/// [`reclaim`](super::bridge::reclaim) finds the container dead.
///
/// The first lease chooses the bridge's name and the subnet. Nothing is made in the kernel yet.
pub fn lease(root: &Path, id: &str) -> Result<Endpoint> {
    let ledger = Ledger::open(root)?;
    let mut state = match ledger.read()? {
        Some(state) => state,
        None => fresh(root)?,
    };
    let address = state.lease(id)?;
    ledger.write(&state)?;
    Ok(Endpoint {
        bridge: state.bridge,
        host_link: host_link(id),
        address,
        prefix: state.subnet.prefix,
        gateway: state.subnet.gateway(),
    })
}

/// A place on the bridge for which no address has been leased yet.
pub fn planned(id: &str) -> Endpoint {
    let unknown = Ipv4Addr::UNSPECIFIED;
    Endpoint {
        bridge: String::new(),
        host_link: host_link(id),
        address: unknown,
        prefix: 0,
        gateway: unknown,
    }
}

/// The name of the host's end of a container's veth pair: 14 of the 15 bytes that a link's name may have.
pub fn host_link(id: &str) -> String {
    format!("md{id}")
}

fn fresh(root: &Path) -> Result<State> {
    let socket = Socket::open()?;
    let bridge = bridge::choose(&socket, root)?;
    let subnet = subnet::choose(&link::routes(&socket)?).ok_or_else(|| Error::new(Problem::NoSubnet))?;
    Ok(State::new(bridge, subnet))
}
