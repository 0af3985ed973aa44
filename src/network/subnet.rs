//! A subnet, its addresses, and the choice of one that nobody on this machine uses.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// An IPv4 network, written `172.30.0.0/16`. Its first address is the bridge's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    network: u32,
    /// Length of the prefix, 8 to 30.
    pub prefix: u8,
}

/// A route wider than this is a way out (a default route, or the two halves by which a tunnel replaces it),
/// not a network that is in use.
const WIDEST: u8 = 8;

impl Subnet {
    /// The network that `address` is in when `prefix` bits of it name the network.
    const fn new(address: Ipv4Addr, prefix: u8) -> Self {
        Self { network: address.to_bits() & mask(prefix), prefix }
    }

    /// The bridge's address, unless another was asked for: the first.
    pub fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network + 1)
    }

    /// The first address after `last` that is neither the network's, the bridge's, the broadcast address nor
    /// `taken`; after the highest comes the lowest. `None` when all are taken.
    ///
    /// Walking on rather than filling the first gap keeps an address out of use for as long as possible: its
    /// neighbours may still remember the link-layer address of whoever had it before.
    pub fn next_free(self, last: Ipv4Addr, taken: impl Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        let hosts = !mask(self.prefix) - 2; // without network, bridge and broadcast, counted from 0
        let first = self.network + 2;
        let start = last.to_bits().wrapping_sub(first).wrapping_add(1) % hosts;
        (0..hosts)
            .map(|step| Ipv4Addr::from_bits(first + (start + step) % hosts))
            .find(|address| !taken(*address))
    }

    /// Whether `address` can be a container's or the bridge's: inside, and neither the network's own address nor that
    /// of all.
    pub fn has_host(self, address: Ipv4Addr) -> bool {
        let bits = address.to_bits();
        bits > self.network && bits < self.network | !mask(self.prefix)
    }

    /// Whether the two have an address in common.
    pub fn overlaps(self, other: Subnet) -> bool {
        let common = mask(self.prefix.min(other.prefix));
        self.network & common == other.network & common
    }
}

const fn mask(prefix: u8) -> u32 {
    if prefix == 0 { 0 } else { u32::MAX << (32 - prefix) }
}

/// The subnets that are tried, in this order: two beside those that Docker takes first, then a row from each of
/// the other private ranges of RFC 1918, for a machine whose routes cover the first range whole.
fn candidates() -> impl Iterator<Item = Subnet> {
    let wide = [(172, 30), (172, 31)].into_iter().chain((200..220).map(|second| (10, second)));
    wide.map(|(first, second)| Subnet::new(Ipv4Addr::new(first, second, 0, 0), 16))
        .chain((200..220).map(|third| Subnet::new(Ipv4Addr::new(192, 168, third, 0), 24)))
}

/// The first candidate that meets no route in `routes` (own addresses are among them, with prefix 32).
pub fn choose(routes: &[(Ipv4Addr, u8)]) -> Option<Subnet> {
    choose_beside(routes, &[])
}

/// The first that meets none of `others` either, which may have no route at the moment.
pub fn choose_beside(routes: &[(Ipv4Addr, u8)], others: &[Subnet]) -> Option<Subnet> {
    let free = |candidate: &Subnet| {
        !candidate.is_routed(routes) && !others.iter().any(|other| candidate.overlaps(*other))
    };
    candidates().find(free)
}

impl Subnet {
    /// Whether one of `routes` leads into it, other than as a way out.
    pub fn is_routed(self, routes: &[(Ipv4Addr, u8)]) -> bool {
        let mut narrow = routes.iter().filter(|(_, prefix)| *prefix >= WIDEST);
        narrow.any(|(address, prefix)| self.overlaps(Subnet::new(*address, *prefix)))
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from_bits(self.network), self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (address, prefix) = text.split_once('/')?;
            Some((address.parse().ok()?, prefix.parse().ok()?))
        };
        match parse() {
            Some((address, prefix @ WIDEST..=30)) => Ok(Self::new(address, prefix)),
            _ => Err(format!("not a subnet: {text}")),
        }
    }
}

impl TryFrom<String> for Subnet {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> String {
        subnet.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    fn chosen(routes: &[(&str, u8)]) -> Option<String> {
        let routes: Vec<_> =
            routes.iter().map(|(address, prefix)| (address.parse().unwrap(), *prefix)).collect();
        choose(&routes).map(|subnet| subnet.to_string())
    }

    #[test]
    fn the_first_subnet_is_taken_unless_a_route_or_address_meets_it() {
        assert_eq!(chosen(&[]).as_deref(), Some("172.30.0.0/16"));
        assert_eq!(
            chosen(&[("172.17.0.0", 16), ("0.0.0.0", 0), ("128.0.0.0", 1)]).as_deref(),
            Some("172.30.0.0/16")
        );
        assert_eq!(chosen(&[("172.30.7.0", 24)]).as_deref(), Some("172.31.0.0/16"));
        assert_eq!(chosen(&[("172.30.9.1", 32), ("172.31.255.255", 32)]).as_deref(), Some("10.200.0.0/16"));
        assert_eq!(chosen(&[("172.16.0.0", 12), ("10.0.0.0", 8)]).as_deref(), Some("192.168.200.0/24"));
        assert_eq!(chosen(&[("172.16.0.0", 12), ("10.0.0.0", 8), ("192.168.0.0", 16)]), None);
    }

    #[test]
    fn addresses_are_given_in_turn_and_wrap() {
        let small = subnet("192.168.200.0/29"); // .1 is the bridge's; .2 to .6 are to be had
        let at = |last| Ipv4Addr::new(192, 168, 200, last);
        assert_eq!(small.gateway(), at(1));
        assert_eq!(small.next_free(small.gateway(), |_| false), Some(at(2)));
        assert_eq!(small.next_free(at(2), |_| false), Some(at(3)));
        assert_eq!(small.next_free(at(6), |_| false), Some(at(2)));
        assert_eq!(small.next_free(at(4), |address| address != at(3)), Some(at(3)));
        assert_eq!(small.next_free(at(4), |_| true), None);
    }

    #[test]
    fn a_network_that_has_no_route_yet_is_not_taken_either() {
        let defined = ["172.30.0.0/17", "172.31.128.0/24"].map(subnet);
        assert_eq!(choose_beside(&[], &defined).unwrap().to_string(), "10.200.0.0/16");
        let small = subnet("192.168.200.0/29");
        let hosts = (0..8).filter(|last| small.has_host(Ipv4Addr::new(192, 168, 200, *last)));
        assert_eq!(hosts.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn what_is_not_a_subnet_is_refused() {
        for text in ["", "172.30.0.0", "172.30.0.0/33", "172.30.0.0/31", "0.0.0.0/0", "x/16"] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_is_always_inside_and_never_a_special_one(last in any::<u32>(), prefix in 8u8..=30) {
            let subnet = Subnet::new(Ipv4Addr::new(10, 200, 3, 4), prefix);
            let address = subnet.next_free(Ipv4Addr::from_bits(last), |_| false).unwrap();
            prop_assert_eq!(address.to_bits() & mask(prefix), subnet.network);
            prop_assert!(address > subnet.gateway());
            prop_assert!(address.to_bits() < subnet.network | !mask(prefix));
        }
    }
}
