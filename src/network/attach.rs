//! The runtime's half of a container's network: lay the cable.
//!
//! Runs in the runtime's process, in the host's network namespace, after the container's first process was
//! cloned and before that goes on.

use super::link::{self, Netns, Socket};
use super::{Endpoint, Network};
use crate::error::{Error, Problem, Result};
use crate::sys::errno::{EOPNOTSUPP, EPERM};

/// The container's end of its first veth pair.
pub const CONTAINER_LINK: &str = "eth0";

/// A function that lays one cable: see [`lay`].
pub type Lay = fn(&Socket, &Endpoint, Netns<'_>) -> Result<()>;

/// Connect the container whose first process is `pid` to each of its networks, by a cable that `lay` lays.
pub fn connect(network: &Network, pid: i32, lay: Lay) -> Result<()> {
    let Network::Bridge(endpoints) = network else { return Ok(()) };
    endpoints.iter().try_for_each(|endpoint| plug_in(&Socket::open()?, endpoint, Netns::Of(pid), lay))
}

/// The same for one network, by a cable of ours.
pub fn attach(endpoint: &Endpoint, pid: i32) -> Result<()> {
    plug_in(&Socket::open()?, endpoint, Netns::Of(pid), lay)
}

/// The same into the network namespace `netns`, by a cable that `lay` lays; and let its port send frames back to where
/// they came from, if the container needs that.
pub fn plug_in(socket: &Socket, endpoint: &Endpoint, netns: Netns<'_>, lay: Lay) -> Result<()> {
    lay(socket, endpoint, netns)?;
    if endpoint.hairpin {
        let name = &endpoint.host_link;
        let index = link::find(socket, name)?.ok_or_else(|| Error::new(Problem::NoBridge))?.index;
        link::set_hairpin(socket, index, name)?;
    }
    Ok(())
}

/// Make the veth pair of `endpoint`: `md…` here, a port of the bridge, in its link group and up; `eth0` born in the
/// network namespace `netns`, without address and down. It dies with that namespace.
pub fn lay(socket: &Socket, endpoint: &Endpoint, netns: Netns<'_>) -> Result<()> {
    let bridge = link::find(socket, &endpoint.bridge)?.ok_or_else(|| Error::new(Problem::NoBridge))?;
    let (name, group, master) = (&endpoint.host_link, bridge.group, bridge.index);
    let veth = link::Veth { name, group, master, peer: &endpoint.link, netns };
    link::add_veth(socket, veth).map_err(|error| match error.errno() {
        Some(EOPNOTSUPP) => error.meaning(Problem::NoBridge),
        Some(EPERM) => error.meaning(Problem::BridgeNeedsRoot),
        _ => error,
    })
}
