//! network
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// The lecture's four modes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// A network namespace of its own with nothing but a loopback link.
    None,
    /// The host's network namespace.
    Host,
    /// The network namespace of another container.
    Container(Join),
    /// A network namespace of its own with a veth pair to the bridge `minidocker0`.
    Bridge(Endpoint),
}

/// Where another container's namespaces can be entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The other container's name.
    pub name: String,
    /// `/proc/PID/ns/net` of its first process.
    pub net: PathBuf,
    /// `/proc/PID/ns/user`, when it has a user namespace of its own: its owner's rights over `net` exist only there.
    pub user: Option<PathBuf>,
}

/// A container's place on the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The host's end of the veth pair: `md` and the container's id.
    pub host_link: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// Length of the subnet's prefix.
    pub prefix: u8,
    /// The bridge's address.
    pub gateway: Ipv4Addr,
}
