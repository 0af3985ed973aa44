//! The container's half of its network: addresses and routes.
//!
//! Runs in the container's first process, inside its new network namespace, with CAP_NET_ADMIN over it. The
//! runtime has laid the cable before.

use super::link::{self, Socket};
use super::{Endpoint, Network};
use crate::error::{Error, Problem, Result};

/// The index of the first link of every network namespace, `lo` (`LOOPBACK_IFINDEX`, net/flow.h).
pub const LOOPBACK_INDEX: u32 = 1;

/// The steps inside, either of which a learner can replace by their own.
#[derive(Debug, Clone, Copy)]
pub struct Inside {
    /// Set `lo` up.
    pub loopback: fn(&Socket) -> Result<()>,
    /// Give one link its address, and a route if everything goes out there.
    pub ethernet: fn(&Socket, &Endpoint) -> Result<()>,
}

impl Inside {
    /// The product's own.
    pub const REFERENCE: Self = Self { loopback, ethernet };

    /// Set up what a new network namespace needs. A namespace that is another's is left alone.
    pub fn configure(self, network: &Network) -> Result<()> {
        let endpoints = match network {
            Network::Host | Network::Container(_) => return Ok(()),
            Network::None => &[][..],
            Network::Bridge(endpoints) => endpoints,
        };
        let socket = Socket::open()?;
        (self.loopback)(&socket)?;
        endpoints.iter().try_for_each(|endpoint| (self.ethernet)(&socket, endpoint))
    }
}

/// Set up what a new network namespace needs, by steps of ours.
pub fn configure(network: &Network) -> Result<()> {
    Inside::REFERENCE.configure(network)
}

/// Set `lo` up. The kernel gives it its address 127.0.0.1 by itself as soon as it is.
pub fn loopback(socket: &Socket) -> Result<()> {
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
