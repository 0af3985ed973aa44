//! What can be wrong with networks: user networks, published ports, names.

use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// A failure that concerns networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's sentence stands in narrate::words; field names speak")]
pub enum NetProblem {
    NoSuchNetwork {
        name: String,
    },
    BadNetworkName {
        name: String,
    },
    PredefinedNetwork {
        name: String,
    },
    NetworkExists {
        name: String,
    },
    NetworkInUse {
        name: String,
        containers: Vec<String>,
    },
    UnknownDriver {
        name: String,
    },
    BadSubnet {
        text: String,
    },
    SubnetTaken {
        subnet: String,
    },
    BadGateway {
        text: String,
        subnet: String,
    },
    AddressOutside {
        address: Ipv4Addr,
        subnet: String,
        network: String,
    },
    AddressTaken {
        address: Ipv4Addr,
        network: String,
    },
    BadAddress {
        text: String,
    },
    /// `--ip` and `--network-alias` are for networks that somebody defined.
    OnlyOnUserNetworks {
        option: String,
    },
    /// An option that cannot go together with the network mode.
    ModeConflict {
        option: String,
        mode: String,
    },
    TooManyNetworks,
    NothingLeadsOut,
    AlreadyConnected {
        container: String,
        network: String,
    },
    NotConnected {
        container: String,
        network: String,
    },
    /// A container whose network namespace is not its own, or is to stay empty.
    NotConnectable {
        container: String,
        mode: String,
    },
    BadPort {
        text: String,
    },
    PortRanges {
        text: String,
    },
    BadHostAddress {
        text: String,
    },
    PortTaken {
        address: String,
        ports: String,
        protocol: String,
    },
    PortRefused {
        address: String,
        ports: String,
        protocol: String,
    },
    NotPublished {
        port: String,
        container: String,
    },
    BadExtraHost {
        text: String,
    },
    BadFilter {
        text: String,
    },
    BadNameserver {
        text: String,
    },
}
