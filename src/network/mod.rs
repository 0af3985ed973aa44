//! The four network modes: none, host, another container's, and the bridge.
//!
//! A network namespace (`task_struct.nsproxy->net_ns`) has links, addresses, routes and packet filter rules of
//! its own, and a new one holds a single loopback link that is down. The modes differ in which namespace the
//! container gets and in what is put into it:
//!
//! | mode | namespace | what is in it |
//! |---|---|---|
//! | none | a new one | `lo` |
//! | host | the host's | all that the host has |
//! | container | that of another container | what that container has |
//! | bridge | a new one | `lo`, and `eth0`: one end of a veth pair whose other end is a port of `minidocker0` |
//!
//! While another state root has a `minidocker0` in this namespace, the bridge is called `minidocker1`, and so on.
//!
//! In reading order: [`attribute`] and [`message`] lay out what is said to the kernel and [`reply`] takes
//! its answers apart; [`link`](mod@link) makes verbs of them. [`subnet`], [`ledger`] and [`lease`] decide
//! who has which address; [`mark`] says whose a bridge is; [`nat`] writes the rules, [`publish`] those of a port; [`bridge`] makes the
//! host's side and takes it away again. [`attach`] is the runtime's half of one container, [`configure`]
//! the container's half, and [`files`] is what the resolver inside reads.

pub mod attach;
pub mod attribute;
pub mod bridge;
pub mod configure;
pub mod files;
pub mod lease;
mod ledger;
pub mod link;
pub mod mark;
pub mod message;
pub mod nat;
pub mod publish;
pub mod reply;
pub mod subnet;

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
    /// A network namespace of its own with a veth pair to the bridge.
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
    /// The bridge's name.
    pub bridge: String,
    /// The host's end of the veth pair: `md` and the container's id.
    pub host_link: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// Length of the subnet's prefix.
    pub prefix: u8,
    /// The bridge's address.
    pub gateway: Ipv4Addr,
}
