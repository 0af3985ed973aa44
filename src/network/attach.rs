//! The runtime's half of a container's network: lay the cable.
//!
//! Runs in the runtime's process, in the host's network namespace, after the container's first process was
//! cloned and before that goes on.

use super::{Endpoint, link};
use crate::error::{Error, Problem, Result};
use crate::sys::errno::{EOPNOTSUPP, EPERM};
use crate::sys::netlink::{Netns, Socket};

/// The container's end of its first veth pair.
pub const CONTAINER_LINK: &str = "eth0";

/// Make the veth pair of the container whose first process is `pid`: `md…` here, a port of the bridge and up;
/// `eth0` born in the network namespace of `pid`, without address and down. It dies with that namespace.
pub fn attach(endpoint: &Endpoint, pid: i32) -> Result<()> {
    lay(&Socket::open()?, endpoint, Netns::Of(pid))
}

/// The same into the network namespace `netns`.
pub fn lay(socket: &Socket, endpoint: &Endpoint, netns: Netns<'_>) -> Result<()> {
    let bridge = link::find(socket, &endpoint.bridge)?.ok_or_else(|| Error::new(Problem::NoBridge))?;
    let (name, group, master) = (&endpoint.host_link, bridge.group, bridge.index);
    let veth = link::Veth { name, group, master, peer: &endpoint.link, netns };
    link::add_veth(socket, veth).map_err(|error| match error.errno() {
        Some(EOPNOTSUPP) => error.meaning(Problem::NoBridge),
        Some(EPERM) => error.meaning(Problem::BridgeNeedsRoot),
        _ => error,
    })?;
    if endpoint.hairpin {
        let index = link::find(socket, name)?.ok_or_else(|| Error::new(Problem::NoBridge))?.index;
        link::set_hairpin(socket, index, name)?;
    }
    Ok(())
}
