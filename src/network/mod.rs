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
//! That is the network `bridge`, for whoever asks for no other. `network create` defines more, each with a bridge
//! (`md-` and the network's id) and a subnet of its own; a container may be in several, by `eth0`, `eth1`, and so on.
//!
//! In reading order: [`attribute`] and [`message`] lay out what is said to the kernel and [`reply`] takes
//! its answers apart; [`link`](mod@link) makes verbs of them. [`subnet`], [`book`], [`ledger`] and [`lease`] decide
//! who has which address; [`mark`] says whose a bridge is; [`iptables`] speaks to the packet filter, [`nat`] writes the
//! rules of a bridge, [`publish`] those of a port, which [`port`] holds; [`make`] makes one bridge;
//! [`bridge`] knows when one is needed, and takes the host's side away again. [`attach`] is the runtime's half of one container, [`configure`]
//! the container's half, [`plug`] both halves for a container that runs already, and [`files`] is what the resolver
//! inside reads, [`names`] the part of it that changes. [`define`] makes networks and removes them.

pub mod attach;
pub mod attribute;
pub mod book;
pub mod bridge;
pub mod configure;
pub mod define;
pub mod files;
pub mod iptables;
pub mod lease;
pub mod ledger;
pub mod link;
pub mod make;
pub mod mark;
pub mod message;
pub mod names;
pub mod nat;
pub mod outbound;
pub mod plug;
pub mod port;
pub mod publish;
pub mod relay;
pub mod reply;
mod strike;
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
    /// A network namespace of its own with a veth pair to the bridge of each network that it is in; possibly none.
    Bridge(Vec<Endpoint>),
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
    /// Where the files of `/etc` are that say who and where it is: with its network they are shared.
    pub files: PathBuf,
    /// Its host name.
    pub hostname: String,
}

/// What is asked for a container in one network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The network's name.
    pub network: String,
    /// The address it is to have, if any will not do.
    pub address: Option<Ipv4Addr>,
    /// What others there may call it, besides its name, its id and its host name.
    pub aliases: Vec<String>,
}

/// A container's place on a bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// What was asked. The rest is settled when the container starts.
    pub wish: Wish,
    /// The bridge's name.
    pub bridge: String,
    /// The host's end of the veth pair: `md` and the container's id, with one more character from the second on.
    pub host_link: String,
    /// The container's end: `eth0`, and so on.
    pub link: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// Length of the subnet's prefix.
    pub prefix: u8,
    /// The bridge's address.
    pub gateway: Ipv4Addr,
    /// Whether everything that no other route matches goes to that gateway.
    pub default_route: bool,
    /// Whether the container may be sent its own frames, since it may speak to a published port of its own.
    pub hairpin: bool,
}

impl Endpoint {
    /// A place that is still to be leased.
    pub fn wished(wish: Wish) -> Self {
        let unknown = Ipv4Addr::UNSPECIFIED;
        Self {
            wish,
            bridge: String::new(),
            host_link: String::new(),
            link: String::new(),
            address: unknown,
            prefix: 0,
            gateway: unknown,
            default_route: false,
            hairpin: false,
        }
    }
}
