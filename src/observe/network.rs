//! `/proc/self/net`: links, addresses and routes of the reader's network namespace, as proc(5) has them.

use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

fn file(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/self/net/{name}")).ok()
}

/// The names of the links: `lo eth0`.
pub(super) fn links() -> Option<String> {
    file("dev").map(|dev| link_names(&dev))
}

/// The same of the network namespace of another process.
pub(super) fn links_of(pid: i32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/net/dev")).ok().map(|dev| link_names(&dev))
}

/// `/proc/net/dev` has two lines of headings; then each line begins with `name:`.
fn link_names(dev: &str) -> String {
    let names: Vec<&str> =
        dev.lines().skip(2).filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim()).collect();
    names.join(" ")
}

/// The addresses: `127.0.0.1 172.30.0.2`. `None` when there are none.
pub(super) fn addresses() -> Option<String> {
    local_addresses(&file("fib_trie")?)
}

/// In `/proc/net/fib_trie` an address of this host is a leaf `|-- ADDRESS` with a line `/32 host LOCAL`.
/// It stands there twice where the tables `main` and `local` are one trie.
fn local_addresses(fib_trie: &str) -> Option<String> {
    let mut found: Vec<&str> = Vec::new();
    let mut leaf = "";
    for line in fib_trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address;
        } else if line == "/32 host LOCAL" && !found.contains(&leaf) {
            found.push(leaf);
        }
    }
    (!found.is_empty()).then(|| found.join(" "))
}

/// The routes: `default via 172.30.0.1 dev eth0; 172.30.0.0/16 dev eth0`. `None` when there are none.
pub(super) fn routes() -> Option<String> {
    let routes: Vec<String> = file("route")?.lines().skip(1).filter_map(route).collect();
    (!routes.is_empty()).then(|| routes.join("; "))
}

/// One line of `/proc/net/route`: addresses are hexadecimal, in the machine's byte order.
fn route(line: &str) -> Option<String> {
    let mut fields = line.split_whitespace();
    let (link, destination, gateway) = (fields.next()?, fields.next()?, fields.next()?);
    let mask = fields.nth(4)?;
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    let address = |text: &str| number(text).map(|bits| Ipv4Addr::from(bits.to_ne_bytes()));
    let via = match address(gateway)? {
        Ipv4Addr::UNSPECIFIED => String::new(),
        gateway => format!(" via {gateway}"),
    };
    let to = match (address(destination)?, number(mask)?.count_ones()) {
        (Ipv4Addr::UNSPECIFIED, 0) => "default".to_owned(),
        (address, length) => format!("{address}/{length}"),
    };
    Some(format!("{to}{via} dev {link}"))
}

/// How many packets have passed a link, in either direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCount {
    /// Its name.
    pub name: String,
    /// Packets that came in by it.
    pub received: u64,
    /// Packets that went out by it.
    pub sent: u64,
}

/// The counters of every link: `/proc/self/net/dev`. Empty where they cannot be read.
pub fn link_counters() -> Vec<LinkCount> {
    file("dev").map(|dev| dev.lines().skip(2).filter_map(link_count).collect()).unwrap_or_default()
}

/// `eth0: bytes packets … 8 fields … bytes packets …`.
fn link_count(line: &str) -> Option<LinkCount> {
    let (name, fields) = line.split_once(':')?;
    let number = |index: usize| fields.split_whitespace().nth(index)?.parse().ok();
    Some(LinkCount { name: name.trim().to_owned(), received: number(1)?, sent: number(9)? })
}

/// A counter of the IP stack: `snmp("Ip", "ForwDatagrams")`, by the names in `/proc/self/net/snmp`.
pub fn snmp(protocol: &str, name: &str) -> Option<u64> {
    snmp_in(&file("snmp")?, protocol, name)
}

/// Two lines a protocol: its names, then its numbers.
fn snmp_in(text: &str, protocol: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(protocol)?.strip_prefix(':'));
    let index = lines.next()?.split_whitespace().position(|one| one == name)?;
    lines.next()?.split_whitespace().nth(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_the_names_before_the_colons() {
        let dev = "Inter-|   Receive\n face |bytes\n    lo:       0  0\n  eth0: 1144900 1\n";
        assert_eq!(link_names(dev), "lo eth0");
        assert_eq!(link_names(""), "");
    }

    #[test]
    fn counters_are_found_by_their_names() {
        let line = "  eth0: 1144 12 0 0 0 0 0 0 936 10 0 0 0 0 0 0";
        assert_eq!(link_count(line), Some(LinkCount { name: "eth0".into(), received: 12, sent: 10 }));
        assert_eq!(link_count("  eth0: x"), None);
        let snmp = "Ip: Forwarding ForwDatagrams\nIp: 1 7\nIcmp: InMsgs\nIcmp: 3\n";
        assert_eq!(snmp_in(snmp, "Ip", "ForwDatagrams"), Some(7));
        assert_eq!(snmp_in(snmp, "Icmp", "InMsgs"), Some(3));
        assert_eq!(snmp_in(snmp, "Ip", "OutNoRoutes"), None);
    }

    #[test]
    fn local_leaves_are_our_addresses() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 127.0.0.1\n        \
                    /32 host LOCAL\n     |-- 127.255.255.255\n        /32 link BROADCAST\nLocal:\n     |-- 127.0.0.1\n        \
                    /32 host LOCAL\n     |-- 10.0.0.2\n        /32 host LOCAL\n";
        assert_eq!(local_addresses(trie).as_deref(), Some("127.0.0.1 10.0.0.2"));
        assert_eq!(local_addresses("Main:\n"), None);
    }

    #[test]
    fn a_route_is_said_as_ip_route_says_it() {
        let hex = |octets: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(octets));
        let line =
            |to, via, mask| format!("eth0\t{}\t{}\t0003\t0\t0\t0\t{}\t0\t0\t0", hex(to), hex(via), hex(mask));
        assert_eq!(
            route(&line([0; 4], [172, 30, 0, 1], [0; 4])).as_deref(),
            Some("default via 172.30.0.1 dev eth0")
        );
        assert_eq!(
            route(&line([172, 30, 0, 0], [0; 4], [255, 255, 0, 0])).as_deref(),
            Some("172.30.0.0/16 dev eth0")
        );
        assert_eq!(route("eth0 x"), None);
    }
}
