//! What stands in network namespaces, as values: links, what connects them, addresses, default routes, processes.

use crate::narrate::columns;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// One network namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// The number in `net:[NUMBER]`.
    pub inode: u64,
    /// The processes in it that can be seen: pid and name.
    pub processes: Vec<(i32, String)>,
    /// The file that keeps it alive when no process is in it.
    pub file: Option<String>,
    /// Its links, in the order of their indexes.
    pub links: Vec<Link>,
    /// Its default routes: gateway, if there is one, and the index of the link.
    pub ways_out: Vec<(Option<Ipv4Addr>, u32)>,
    /// The numbers by which the kernel speaks there of other network namespaces, and their inodes.
    pub others: BTreeMap<i32, u64>,
}

/// One link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its number in its namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// `IFLA_INFO_KIND`: `veth`, `bridge`, …; empty for hardware.
    pub kind: String,
    /// The index of the bridge, or the like, whose port it is.
    pub master: Option<u32>,
    /// `IFLA_LINK`: the index of the other end of a veth pair, or of the link it stands on.
    pub link: Option<u32>,
    /// `IFLA_LINK_NETNSID`: the namespace in which that is, if not the same.
    pub elsewhere: Option<i32>,
    /// Its Ethernet address, if it has one.
    pub address: Option<[u8; 6]>,
    /// `ifi_flags`, linux/if.h.
    pub flags: u32,
    /// Its addresses, with the lengths of their prefixes; those of IPv6 that hold for its cable or its host only are
    /// left out.
    pub addresses: Vec<(IpAddr, u8)>,
}

const IFF_UP: u32 = 1;
const IFF_LOOPBACK: u32 = 8;
const IFF_LOWER_UP: u32 = 0x1_0000;

/// Whether a link works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has set it up.
    Down,
    /// It is up, and there is nothing at the other end that is.
    NoCarrier,
    /// It works.
    Up,
}

impl State {
    /// The word of ip(8) for it.
    pub fn word(self) -> &'static str {
        match self {
            State::Down => "down",
            State::NoCarrier => "no carrier",
            State::Up => "up",
        }
    }
}

impl Link {
    /// Whether it works.
    pub fn state(&self) -> State {
        match (self.flags & IFF_UP, self.flags & IFF_LOWER_UP) {
            (0, _) => State::Down,
            (_, 0) => State::NoCarrier,
            _ => State::Up,
        }
    }

    /// Its kind, by a word also for those that have none.
    pub fn kind(&self) -> &str {
        match self.kind.as_str() {
            "" if self.flags & IFF_LOOPBACK != 0 => "loopback",
            "" => "device",
            kind => kind,
        }
    }

    /// `172.30.0.1/16, fd00::1/64`.
    pub fn addresses(&self) -> String {
        let addresses = self.addresses.iter().map(|(address, prefix)| format!("{address}/{prefix}"));
        addresses.collect::<Vec<_>>().join(", ")
    }
}

impl Space {
    /// The link with that index.
    pub fn link(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    /// The ports of the link with that index.
    pub fn ports(&self, master: u32) -> Vec<&Link> {
        self.links.iter().filter(|link| link.master == Some(master)).collect()
    }

    /// The links in the order in which they are drawn, each with how deep it stands: a port after its master.
    pub fn tree(&self) -> Vec<(usize, &Link)> {
        let is_top = |link: &&Link| link.master.is_none_or(|master| self.link(master).is_none());
        let mut tree = Vec::new();
        for top in self.links.iter().filter(is_top) {
            self.branch(0, top, &mut tree);
        }
        tree
    }

    /// All that hang on the link with that index, at first or second hand.
    pub fn family(&self, master: u32) -> Vec<&Link> {
        let mut tree = Vec::new();
        self.ports(master).into_iter().for_each(|port| self.branch(0, port, &mut tree));
        tree.into_iter().map(|(_, link)| link).collect()
    }

    fn branch<'a>(&'a self, depth: usize, link: &'a Link, tree: &mut Vec<(usize, &'a Link)>) {
        tree.push((depth, link));
        for port in self.ports(link.index) {
            self.branch(depth + 1, port, tree);
        }
    }

    /// Who is in it: `1 net-demo, 7 client` and how many more, or the file that keeps it.
    pub fn inhabitants(&self) -> String {
        const WIDEST: usize = 48;
        let mut shown = String::new();
        for (number, (pid, name)) in self.processes.iter().enumerate() {
            let separator = if number == 0 { "" } else { ", " };
            let next = format!("{separator}{pid} {name}");
            if number > 0 && columns(&shown) + columns(&next) > WIDEST {
                return format!("{shown}, … +{}", self.processes.len() - number);
            }
            shown += &next;
        }
        self.file.clone().unwrap_or(shown)
    }

    /// The default routes in words of ip(8): `default via 172.30.0.1 dev eth0`.
    pub fn default_routes(&self) -> Vec<String> {
        let say = |(gateway, index): &(Option<Ipv4Addr>, u32)| {
            let via = gateway.map(|gateway| format!(" via {gateway}")).unwrap_or_default();
            let name = self.link(*index).map_or("?", |link| &link.name);
            format!("default{via} dev {name}")
        };
        self.ways_out.iter().map(say).collect()
    }
}

/// All that was found. The namespace of the one who looks comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map {
    /// The namespaces that could be looked into.
    pub spaces: Vec<Space>,
    /// How many could be seen but not entered.
    pub closed: usize,
}

/// One end of a cable: which namespace of the map, and which link there by its index.
pub type End = (usize, u32);

impl Map {
    /// `A`, `B`, …, `Z`, `A1`, …: a short name for a namespace.
    pub fn letter(space: usize) -> String {
        let letter = char::from(b'A' + (space % 26) as u8);
        match space / 26 {
            0 => letter.to_string(),
            round => format!("{letter}{round}"),
        }
    }

    /// The other end of a veth, by what the kernel says on this side; `None` when it is in a namespace that could not be
    /// looked into.
    pub fn other_end(&self, (space, index): End) -> Option<End> {
        let here = self.spaces.get(space)?;
        let link = here.link(index).filter(|link| link.kind == "veth")?;
        let there = match link.elsewhere {
            None => space,
            Some(number) => {
                let inode = here.others.get(&number)?;
                self.spaces.iter().position(|space| space.inode == *inode)?
            }
        };
        self.spaces[there].link(link.link?).map(|peer| (there, peer.index))
    }

    /// Every veth pair of which both ends are in sight, once.
    pub fn cables(&self) -> Vec<(End, End)> {
        let ends = self.spaces.iter().enumerate();
        let ends = ends.flat_map(|(space, found)| found.links.iter().map(move |link| (space, link.index)));
        let pairs = ends.filter_map(|end| Some((end, self.other_end(end)?)));
        pairs.filter(|(one, other)| one < other).collect()
    }

    /// The name of an end.
    pub fn name(&self, (space, index): End) -> &str {
        self.spaces.get(space).and_then(|space| space.link(index)).map_or("?", |link| &link.name)
    }

    /// How far each namespace is from the first, in cables; those that no cable leads to are as far as the farthest and
    /// one more.
    pub fn distances(&self) -> Vec<usize> {
        let cables = self.cables();
        let mut distances: Vec<Option<usize>> = vec![None; self.spaces.len()];
        let mut reached: Vec<usize> =
            distances.first_mut().map(|first| *first = Some(0)).map_or(vec![], |()| vec![0]);
        let mut farthest = 0;
        while let Some(space) = reached.first().copied() {
            reached.remove(0);
            let next = distances[space].unwrap_or(0) + 1;
            for ((one, _), (other, _)) in &cables {
                let there = if *one == space {
                    *other
                } else if *other == space {
                    *one
                } else {
                    continue;
                };
                if distances[there].is_none() {
                    distances[there] = Some(next);
                    farthest = farthest.max(next);
                    reached.push(there);
                }
            }
        }
        distances.into_iter().map(|distance| distance.unwrap_or(farthest + 1)).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn link(index: u32, name: &str, kind: &str) -> Link {
        Link { index, name: name.into(), kind: kind.into(), flags: IFF_UP | IFF_LOWER_UP, ..Link::default() }
    }

    fn at(link: Link, address: &str, prefix: u8) -> Link {
        Link { addresses: vec![(address.parse().unwrap(), prefix)], ..link }
    }

    fn veth(link: Link, peer: u32, elsewhere: Option<i32>, master: Option<u32>) -> Link {
        Link { link: Some(peer), elsewhere, master, ..link }
    }

    /// A host with a bridge, two containers on it, and a world outside.
    pub fn town() -> Map {
        let process = |pid, name: &str| (pid, name.to_owned());
        let host = Space {
            inode: 1,
            processes: vec![process(1, "host")],
            links: vec![
                Link { flags: IFF_UP | IFF_LOWER_UP | IFF_LOOPBACK, ..at(link(1, "lo", ""), "127.0.0.1", 8) },
                at(link(2, "bridge0", "bridge"), "172.30.0.1", 16),
                veth(link(3, "md-web", "veth"), 2, Some(0), Some(2)),
                veth(link(4, "md-db", "veth"), 2, Some(1), Some(2)),
                at(veth(link(5, "uplink", "veth"), 2, Some(2), None), "203.0.113.1", 24),
            ],
            ways_out: vec![(Some(Ipv4Addr::new(203, 0, 113, 2)), 5)],
            others: BTreeMap::from([(0, 2), (1, 3), (2, 4)]),
            ..Space::default()
        };
        let guest = |inode, pid, name: &str, address: &str, peer| Space {
            inode,
            processes: vec![process(pid, name)],
            links: vec![
                Link { flags: IFF_LOOPBACK, ..link(1, "lo", "") },
                at(veth(link(2, "eth0", "veth"), peer, Some(0), None), address, 16),
            ],
            ways_out: vec![(Some(Ipv4Addr::new(172, 30, 0, 1)), 2)],
            others: BTreeMap::from([(0, 1)]),
            ..Space::default()
        };
        let mut outside = guest(4, 9, "outside", "203.0.113.2", 5);
        outside.ways_out.clear();
        let containers = [guest(2, 7, "web", "172.30.0.2", 3), guest(3, 8, "db", "172.30.0.3", 4)];
        Map { spaces: [vec![host], containers.to_vec(), vec![outside]].concat(), closed: 0 }
    }

    #[test]
    fn a_cable_is_found_from_either_end_and_counted_once() {
        let map = town();
        assert_eq!(map.other_end((0, 3)), Some((1, 2)));
        assert_eq!(map.other_end((1, 2)), Some((0, 3)));
        assert_eq!(map.other_end((0, 2)), None);
        assert_eq!(map.cables(), [((0, 3), (1, 2)), ((0, 4), (2, 2)), ((0, 5), (3, 2))]);
        assert_eq!(map.distances(), [0, 1, 1, 1]);
    }

    #[test]
    fn an_end_in_a_namespace_that_was_not_entered_is_out_of_sight() {
        let mut map = town();
        map.spaces.truncate(2);
        assert_eq!(map.other_end((0, 4)), None);
        assert_eq!(map.cables().len(), 1);
    }

    #[test]
    fn ports_stand_behind_their_bridge() {
        let map = town();
        let tree: Vec<(usize, &str)> =
            map.spaces[0].tree().into_iter().map(|(depth, link)| (depth, link.name.as_str())).collect();
        assert_eq!(tree, [(0, "lo"), (0, "bridge0"), (1, "md-web"), (1, "md-db"), (0, "uplink")]);
        assert_eq!(map.spaces[0].default_routes(), ["default via 203.0.113.2 dev uplink"]);
    }

    #[test]
    fn letters_do_not_end_with_the_alphabet() {
        assert_eq!([0, 25, 26, 53].map(Map::letter), ["A", "Z", "A1", "B2"]);
    }
}
