//! The container's half of its network: addresses and routes.
//!
//! Runs in the container's first process, inside its new network namespace, with CAP_NET_ADMIN over it. The
//! runtime has laid the cable before.

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
        Network::Bridge(endpoints) => {
            let socket = Socket::open()?;
            loopback(&socket)?;
            endpoints.iter().try_for_each(|endpoint| ethernet(&socket, endpoint))
        }
    }
}

/// The kernel gives `lo` its address 127.0.0.1 by itself as soon as it is up.
fn loopback(socket: &Socket) -> Result<()> {
    link::set_up(socket, LOOPBACK_INDEX, "lo")
}

/// One link, its address and what it leads to. `socket` speaks for the container's network namespace.
///
/// In this order: the route to the subnet appears when the link is up, and the gateway must be reachable when
/// the default route is added.
pub fn ethernet(socket: &Socket, endpoint: &Endpoint) -> Result<()> {
    let name = &endpoint.link;
    let index = link::find(socket, name)?.ok_or_else(|| Error::new(Problem::NoBridge))?.index;
    link::add_address(socket, index, name, endpoint.address, endpoint.prefix)?;
    link::set_up(socket, index, name)?;
    if endpoint.default_route { link::add_default_route(socket, endpoint.gateway) } else { Ok(()) }
}
