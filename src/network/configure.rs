//! The container's half of its network: addresses and routes.
//!
//! Runs in the container's first process, inside its new network namespace, with CAP_NET_ADMIN over it. The
//! runtime has laid the cable before.

use super::attach::CONTAINER_LINK;
use super::{Endpoint, Network, link};
use crate::error::{Error, Problem, Result};
use crate::sys::netlink::Socket;

/// The first link of every network namespace (`LOOPBACK_IFINDEX`, net/flow.h).
const LOOPBACK_INDEX: u32 = 1;

/// Set up what a new network namespace needs. A namespace that is another's is left alone.
pub fn configure(network: &Network) -> Result<()> {
    match network {
        Network::Host | Network::Container(_) => Ok(()),
        Network::None => loopback(&Socket::open()?),
        Network::Bridge(endpoint) => {
            let socket = Socket::open()?;
            loopback(&socket)?;
            ethernet(&socket, endpoint)
        }
    }
}

/// The kernel gives `lo` its address 127.0.0.1 by itself as soon as it is up.
fn loopback(socket: &Socket) -> Result<()> {
    link::set_up(socket, LOOPBACK_INDEX, "lo")
}

/// In this order: the route to the subnet appears when the link is up, and the gateway must be reachable when
/// the default route is added.
fn ethernet(socket: &Socket, endpoint: &Endpoint) -> Result<()> {
    let index = link::find(socket, CONTAINER_LINK)?.ok_or_else(|| Error::new(Problem::NoBridge))?.index;
    link::add_address(socket, index, CONTAINER_LINK, endpoint.address, endpoint.prefix)?;
    link::set_up(socket, index, CONTAINER_LINK)?;
    link::add_default_route(socket, endpoint.gateway)
}
