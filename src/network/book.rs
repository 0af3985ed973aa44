//! What the ledger says: which networks there are, who leases which address in them, and which rules stand.
//!
//! A network is *defined* by `network create`; the definition stays until `network rm`. The default network, `bridge`,
//! is nobody's work: it is there while it has leases. Whether a bridge and rules stand in the kernel for a network is
//! told by its leases and by [`Rules`]; without leases, nothing does.

use super::iptables::Backend;
use super::nat;
use super::port::Binding;
use super::publish::Published;
use super::subnet::Subnet;
use super::{Endpoint, Wish};
use crate::error::{Error, NetProblem, Problem, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// The network of a container for which no other was asked.
pub const DEFAULT: &str = "bridge";

/// The contents of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Book {
    /// The networks, by name.
    pub networks: BTreeMap<String, Net>,
    /// Who leases addresses, by container id.
    pub tenants: BTreeMap<String, Tenant>,
}

/// One network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Net {
    /// Twelve hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its bridge's name.
    pub bridge: String,
    /// Its subnet.
    pub subnet: Subnet,
    /// The bridge's address.
    pub gateway: Ipv4Addr,
    /// Whether nothing leads out of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub internal: bool,
    /// When it was defined, in seconds since 1970.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created: u64,
    /// How far the making of bridge and rules has come.
    pub rules: Rules,
    /// By which programs they were written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backend: Backend,
    /// The address that was given last.
    pub last: Ipv4Addr,
    /// Container id → its place.
    pub leases: BTreeMap<String, Lease>,
}

/// A container's place in one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its address.
    pub address: Ipv4Addr,
    /// The host's end of its veth pair.
    pub host_link: String,
    /// The name of the other end, inside.
    pub link: String,
    /// What others in this network may call it besides its names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Whether the container goes out by this network, and is reached there at its published ports.
    #[serde(default, skip_serializing_if = "is_default")]
    pub leads_out: bool,
    /// Somebody who holds the ledger's lock is about to lay the cable to a container that runs, or to take it away.
    #[serde(default, skip_serializing_if = "is_default")]
    pub plugging: bool,
}

/// A container that leases addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its name; its id when it has none.
    pub name: String,
    /// Its host name.
    pub hostname: String,
    /// The file that it sees as `/etc/hosts`, unless it brought one of its own.
    pub hosts: Option<PathBuf>,
    /// The ports that are held for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Binding>,
    /// The rules of those ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Published>,
    /// Whether these rules stand.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rules: Rules,
    /// By which programs they were written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backend: Backend,
}

/// Whether our rules stand in the packet filter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rules {
    /// No. Of all that is made, there may be the bridge.
    #[default]
    Absent,
    /// They may: someone was about to write them.
    Unsure,
    /// They do, and the bridge is complete.
    Applied,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Net {
    /// Its bridge, as the rules see it.
    pub fn fence(&self) -> nat::Bridge<'_> {
        nat::Bridge { name: &self.bridge, subnet: self.subnet, internal: self.internal }
    }

    /// Whether somebody defined it: then it is there without leases, too.
    pub fn is_defined(&self) -> bool {
        !self.id.is_empty()
    }

    /// The address for a new place: `wanted`, or the next.
    fn free_address(&self, name: &str, wanted: Option<Ipv4Addr>) -> Result<Ipv4Addr> {
        let taken =
            |address| address == self.gateway || self.leases.values().any(|lease| lease.address == address);
        let net = |problem| Error::new(Problem::Net(problem));
        let Some(address) = wanted else {
            let subnet = self.subnet.to_string();
            let next = self.subnet.next_free(self.last, taken);
            return next.ok_or_else(|| Error::new(Problem::NoAddress { subnet }));
        };
        let network = name.to_owned();
        if !self.subnet.has_host(address) {
            return Err(net(NetProblem::AddressOutside {
                address,
                subnet: self.subnet.to_string(),
                network,
            }));
        }
        if taken(address) { Err(net(NetProblem::AddressTaken { address, network })) } else { Ok(address) }
    }
}

impl Book {
    /// Whether it says nothing: then there is no need of it.
    pub fn is_blank(&self) -> bool {
        self.networks.is_empty() && self.tenants.is_empty()
    }

    /// Keep only what was defined; whether there was anything else.
    pub fn forget_leases(&mut self) -> bool {
        let before = (self.tenants.len(), self.networks.len());
        let leases = self.networks.values().any(|net| !net.leases.is_empty() || net.rules != Rules::Absent);
        self.tenants.clear();
        self.networks.retain(|_, net| net.is_defined());
        for net in self.networks.values_mut() {
            net.leases.clear();
            net.rules = Rules::Absent;
        }
        leases || before != (0, self.networks.len())
    }

    /// The network called `word`, or the only one whose id begins so.
    pub fn find(&self, word: &str) -> Result<&str> {
        if let Some((name, _)) = self.networks.get_key_value(word) {
            return Ok(name);
        }
        let mut matching =
            self.networks.iter().filter(|(_, net)| !word.is_empty() && net.id.starts_with(word));
        match (matching.next(), matching.next()) {
            (Some((name, _)), None) => Ok(name),
            _ => Err(Error::new(Problem::Net(NetProblem::NoSuchNetwork { name: word.to_owned() }))),
        }
    }

    /// The networks that container `id` is in, in the order of its links.
    pub fn networks_of<'a>(&'a self, id: &str) -> Vec<(&'a str, &'a Net, &'a Lease)> {
        let mut places: Vec<_> = self
            .networks
            .iter()
            .filter_map(|(name, net)| Some((name.as_str(), net, net.leases.get(id)?)))
            .collect();
        places.sort_by_key(|(_, _, lease)| (lease.link.len(), lease.link.clone()));
        places
    }

    /// Give container `id` a place in the network that `wish` names, which is there. Its place is completed in what is
    /// returned; whether the default route is to lead there is for the caller to say.
    pub fn admit(&mut self, id: &str, wish: &Wish) -> Result<Endpoint> {
        let places = self.networks_of(id);
        let used =
            |text: &str| places.iter().any(|(_, _, lease)| lease.link == text || lease.host_link == text);
        let link = (0..).map(|number| format!("eth{number}")).find(|link| !used(link)).unwrap_or_default();
        let ends = std::iter::once(String::new()).chain(('0'..='9').chain('a'..='z').map(String::from));
        let host_link = ends.map(|end| super::lease::host_link(id) + &end).find(|link| !used(link));
        let full = || Error::new(Problem::Net(NetProblem::TooManyNetworks));
        let host_link = host_link.ok_or_else(full)?;
        let missing = || Error::new(Problem::Net(NetProblem::NoSuchNetwork { name: wish.network.clone() }));
        let net = self.networks.get_mut(&wish.network).ok_or_else(missing)?;
        let address = net.free_address(&wish.network, wish.address)?;
        if wish.address.is_none() {
            net.last = address;
        }
        let aliases = wish.aliases.clone();
        let lease = Lease {
            address,
            host_link: host_link.clone(),
            link: link.clone(),
            aliases,
            leads_out: false,
            plugging: false,
        };
        net.leases.insert(id.to_owned(), lease);
        Ok(Endpoint {
            wish: wish.clone(),
            bridge: net.bridge.clone(),
            host_link,
            link,
            address,
            prefix: net.subnet.prefix,
            gateway: net.gateway,
            default_route: false,
            hairpin: false,
        })
    }

    /// The network by which container `id` goes out, and is reached at its published ports.
    pub fn way_out(&self, id: &str) -> Option<(&str, &Net, &Lease)> {
        self.networks_of(id).into_iter().find(|(_, _, lease)| lease.leads_out)
    }

    /// If there is none, let it be the first of its links that leads anywhere, and let its ports be published there. The
    /// bridge's address, if there is one now and was none before.
    pub fn find_way_out(&mut self, id: &str) -> Option<Ipv4Addr> {
        if self.way_out(id).is_some() {
            return None;
        }
        let (name, gateway) = {
            let (name, net, _) = self.networks_of(id).into_iter().find(|(_, net, _)| !net.internal)?;
            (name.to_owned(), net.gateway)
        };
        let lease = self.networks.get_mut(&name).and_then(|net| net.leases.get_mut(id))?;
        lease.leads_out = true;
        let ports = self.publications(id);
        if let Some(tenant) = self.tenants.get_mut(id) {
            tenant.ports = ports;
        }
        Some(gateway)
    }

    /// The lease of container `id` in `network`.
    pub fn lease_mut(&mut self, network: &str, id: &str) -> Option<&mut Lease> {
        self.networks.get_mut(network)?.leases.get_mut(id)
    }

    /// What is to be published of container `id` as it stands now.
    pub fn publications(&self, id: &str) -> Vec<Published> {
        let (Some(tenant), Some((_, net, lease))) = (self.tenants.get(id), self.way_out(id)) else {
            return Vec::new();
        };
        let one = |binding: &Binding| Published {
            bridge: net.bridge.clone(),
            subnet: net.subnet,
            binding: *binding,
            address: lease.address,
            owner: id.to_owned(),
        };
        tenant.bindings.iter().map(one).collect()
    }
}

#[cfg(test)]
#[allow(missing_docs, reason = "for other tests")]
pub mod tests {
    use super::*;

    /// A network with nobody in it.
    pub fn net(subnet: &str) -> Net {
        let subnet: Subnet = subnet.parse().unwrap();
        Net {
            id: "00112233aabb".to_owned(),
            bridge: "minidocker0".to_owned(),
            subnet,
            gateway: subnet.gateway(),
            internal: false,
            created: 0,
            rules: Rules::Absent,
            backend: Backend::Usual,
            last: subnet.gateway(),
            leases: BTreeMap::new(),
        }
    }

    /// A book with these networks.
    pub fn book(networks: &[(&str, &str)]) -> Book {
        let networks = networks.iter().map(|(name, subnet)| ((*name).to_owned(), net(subnet)));
        Book { networks: networks.collect(), ..Book::default() }
    }

    fn wish(network: &str) -> Wish {
        Wish { network: network.to_owned(), ..Wish::default() }
    }

    #[test]
    fn each_container_has_its_own_address_and_none_is_given_at_once_again() {
        let mut book = book(&[("bridge", "172.30.0.0/16")]);
        let mut admit = |id: &str| book.admit(id, &wish("bridge")).unwrap().address;
        assert_eq!(admit("a"), Ipv4Addr::new(172, 30, 0, 2));
        assert_eq!(admit("b"), Ipv4Addr::new(172, 30, 0, 3));
        book.networks.get_mut("bridge").unwrap().leases.remove("b");
        assert_eq!(book.admit("c", &wish("bridge")).unwrap().address, Ipv4Addr::new(172, 30, 0, 4));
    }

    #[test]
    fn links_are_numbered_in_the_order_of_networks_and_gaps_are_filled() {
        let mut book =
            book(&[("one", "172.30.0.0/16"), ("two", "172.31.0.0/16"), ("three", "10.200.0.0/16")]);
        let links = |endpoint: Endpoint| (endpoint.link, endpoint.host_link);
        let id = "0123456789ab";
        assert_eq!(links(book.admit(id, &wish("two")).unwrap()), ("eth0".into(), "md0123456789ab".into()));
        assert_eq!(links(book.admit(id, &wish("one")).unwrap()), ("eth1".into(), "md0123456789ab0".into()));
        book.networks.get_mut("two").unwrap().leases.clear();
        assert_eq!(links(book.admit(id, &wish("three")).unwrap()), ("eth0".into(), "md0123456789ab".into()));
        let order: Vec<&str> = book.networks_of(id).iter().map(|(name, ..)| *name).collect();
        assert_eq!(order, ["three", "one"]);
        book.networks.get_mut("three").unwrap().internal = true;
        assert_eq!(book.find_way_out(id), Some(Ipv4Addr::new(172, 30, 0, 1)));
        assert_eq!(book.way_out(id).unwrap().0, "one");
        book.networks.get_mut("three").unwrap().internal = false;
        assert_eq!((book.find_way_out(id), book.way_out(id).unwrap().0), (None, "one"));
    }

    #[test]
    fn an_address_that_is_asked_for_must_be_inside_and_free() {
        let mut book = book(&[("n", "192.168.200.0/29")]);
        let mut admit = |id: &str, last: u8| {
            let address = Some(Ipv4Addr::new(192, 168, 200, last));
            let answer = book.admit(id, &Wish { address, ..wish("n") });
            answer.map(|endpoint| endpoint.address.octets()[3]).map_err(|error| error.problem)
        };
        assert_eq!(admit("a", 5), Ok(5));
        for (last, taken) in [(5, true), (1, true), (0, false), (7, false), (9, false)] {
            let problem = admit("b", last).unwrap_err();
            let is_taken = matches!(problem, Problem::Net(NetProblem::AddressTaken { .. }));
            let is_outside = matches!(problem, Problem::Net(NetProblem::AddressOutside { .. }));
            assert_eq!((is_taken, is_outside), (taken, !taken), "{problem:?}");
        }
    }

    #[test]
    fn a_full_subnet_says_so() {
        let mut book = book(&[("n", "192.168.200.0/30")]);
        book.admit("a", &wish("n")).unwrap();
        let error = book.admit("b", &wish("n")).unwrap_err();
        assert_eq!(error.problem, Problem::NoAddress { subnet: "192.168.200.0/30".into() });
    }

    #[test]
    fn a_network_is_found_by_name_or_by_the_beginning_of_its_id() {
        let mut book = book(&[("front", "172.30.0.0/16"), ("back", "172.31.0.0/16")]);
        book.networks.get_mut("back").unwrap().id = "0099ffffffff".to_owned();
        assert_eq!(book.find("front").unwrap(), "front");
        assert_eq!(book.find("009").unwrap(), "back");
        for word in ["00", "", "x"] {
            assert!(book.find(word).is_err(), "{word}");
        }
    }
}
