//! What is said to rtnetlink(7), byte for byte.
//!
//! Every message is a `struct nlmsghdr`, then one fixed structure that depends on what is spoken of (a link:
//! `ifinfomsg`, an address: `ifaddrmsg`, a route: `rtmsg`), then attributes. All numbers are in the machine's
//! byte order, since the reader is the same machine's kernel.
//!
//! ```text
//! nlmsghdr    | length u32 | type u16 | flags u16 | sequence u32 | port u32 |
//! ifinfomsg   | family u8 | 0 | device type u16 | index i32 | flags u32 | change u32 |
//! ifaddrmsg   | family u8 | prefix length u8 | flags u8 | scope u8 | index u32 |
//! rtmsg       | family u8 | dst_len u8 | src_len u8 | tos u8 | table u8 | protocol u8 | scope u8 | type u8 | flags u32 |
//! ```

use super::attribute::Builder;
use crate::sys::netlink::{Netns, Rtnetlink};

// linux/rtnetlink.h: message types.
pub(super) const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const RTM_SETLINK: u16 = 19;
const RTM_NEWADDR: u16 = 20;
pub(super) const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;

// linux/netlink.h: message flags. Every request asks for an acknowledgement.
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_DUMP: u16 = 0x300;
/// Make it, and refuse (`EEXIST`) if it is there.
const NEW: u16 = NLM_F_CREATE | NLM_F_EXCL;

// linux/if_link.h, linux/veth.h, linux/if_addr.h, linux/rtnetlink.h: attribute types.
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_PROTINFO: u16 = 12;
const IFLA_NET_NS_PID: u16 = 19;
const IFLA_NET_NS_FD: u16 = 28;
/// The attribute is a row of attributes. Most readers do not look at this mark; that of IFLA_PROTINFO does.
const NLA_F_NESTED: u16 = 0x8000;
const IFLA_BRPORT_MODE: u16 = 4;
pub(super) const IFLA_GROUP: u16 = 27;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFA_LOCAL: u16 = 2;
pub(super) const RTA_DST: u16 = 1;
const RTA_GATEWAY: u16 = 5;

const AF_UNSPEC: u8 = 0;
const AF_BRIDGE: u8 = 7;
pub(super) const AF_INET: u8 = 2;
const IFF_UP: u32 = 1;
const RT_TABLE_MAIN: u8 = 254;
/// The route was put there by a person or a program, not by a routing daemon.
const RTPROT_BOOT: u8 = 3;
const RTN_UNICAST: u8 = 1;

/// The bytes of `request`. The answer carries `sequence` back.
pub fn encode(request: &Rtnetlink<'_>, sequence: u32) -> Vec<u8> {
    use Rtnetlink::*;
    let (kind, flags, body) = match *request {
        GetLink { name } => (RTM_GETLINK, 0, link(0, 0).text(IFLA_IFNAME, name)),
        NewBridge { name, group } => (RTM_NEWLINK, NEW, new_bridge(name, group)),
        NewVeth { name, group, master, peer, netns } => {
            let ours =
                link(0, IFF_UP).text(IFLA_IFNAME, name).number(IFLA_MASTER, master).number(IFLA_GROUP, group);
            (RTM_NEWLINK, NEW, veth(ours, peer, netns))
        }
        SetUp { index, .. } => (RTM_SETLINK, 0, link(index, IFF_UP)),
        SetHairpin { index, .. } => (RTM_SETLINK, 0, hairpin(index)),
        DelLink { name } => (RTM_DELLINK, 0, link(0, 0).text(IFLA_IFNAME, name)),
        DelGroup { group } => (RTM_DELLINK, 0, link(0, 0).number(IFLA_GROUP, group)),
        NewAddress { index, address, prefix, .. } => {
            (RTM_NEWADDR, NEW, Builder::after(&ifaddrmsg(index, prefix)).address(IFA_LOCAL, address))
        }
        NewDefaultRoute { gateway } => {
            let route = rtmsg(RT_TABLE_MAIN, RTPROT_BOOT, RTN_UNICAST);
            (RTM_NEWROUTE, NEW, Builder::after(&route).address(RTA_GATEWAY, gateway))
        }
        DumpRoutes => (RTM_GETROUTE, NLM_F_DUMP, Builder::after(&rtmsg(0, 0, 0))),
        DumpBridges => {
            let bridges = |info: Builder| info.text(IFLA_INFO_KIND, "bridge");
            (RTM_GETLINK, NLM_F_DUMP, link(0, 0).nest(IFLA_LINKINFO, &[], bridges))
        }
    };
    with_header(kind, flags | NLM_F_REQUEST | NLM_F_ACK, sequence, &body.finish())
}

/// `body` behind its nlmsghdr. Port 0 is the kernel.
pub fn with_header(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    const HEADER: usize = 16;
    let length = (HEADER + body.len()) as u32;
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend_from_slice(&length.to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&flags.to_ne_bytes());
    message.extend_from_slice(&sequence.to_ne_bytes());
    message.extend_from_slice(&0u32.to_ne_bytes());
    message.extend_from_slice(body);
    message
}

fn new_bridge(name: &str, group: u32) -> Builder {
    link(0, 0)
        .text(IFLA_IFNAME, name)
        .number(IFLA_GROUP, group)
        .nest(IFLA_LINKINFO, &[], |info| info.text(IFLA_INFO_KIND, "bridge"))
}

/// Describe the other end inside our end's own description. It is a whole link message without nlmsghdr, and
/// its IFLA_NET_NS_PID (or _FD) has it born in that network namespace: nothing is ever moved, and no moment exists
/// at which it could be seen on this side.
fn veth(ours: Builder, peer: &str, netns: Netns<'_>) -> Builder {
    let (kind, number) = match netns {
        Netns::Of(pid) => (IFLA_NET_NS_PID, pid),
        Netns::Open { descriptor, .. } => (IFLA_NET_NS_FD, descriptor),
    };
    ours.nest(IFLA_LINKINFO, &[], |info| {
        info.text(IFLA_INFO_KIND, "veth").nest(IFLA_INFO_DATA, &[], |data| {
            data.nest(VETH_INFO_PEER, &ifinfomsg(0, 0), |theirs| {
                theirs.text(IFLA_IFNAME, peer).number(kind, number as u32)
            })
        })
    })
}

/// The bridge's own settings of its port `index`: they are spoken of in the family of bridges.
fn hairpin(index: u32) -> Builder {
    let mut header = ifinfomsg(index, 0);
    header[0] = AF_BRIDGE;
    let mode = |settings: Builder| settings.bytes(IFLA_BRPORT_MODE, &[1]);
    Builder::after(&header).nest(IFLA_PROTINFO | NLA_F_NESTED, &[], mode)
}

/// A message about the link `index`, or about one that an attribute names if `index` is 0, setting `flags`.
fn link(index: u32, flags: u32) -> Builder {
    Builder::after(&ifinfomsg(index, flags))
}

/// `change` says which bits of `flags` are meant: those that are set, so none is ever cleared.
fn ifinfomsg(index: u32, flags: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[0] = AF_UNSPEC;
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..16].copy_from_slice(&flags.to_ne_bytes());
    header
}

fn ifaddrmsg(index: u32, prefix: u8) -> [u8; 8] {
    let mut header = [AF_INET, prefix, 0, 0, 0, 0, 0, 0];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header
}

/// With both lengths zero the route is to everywhere: the default route.
fn rtmsg(table: u8, protocol: u8, kind: u8) -> [u8; 12] {
    [AF_INET, 0, 0, 0, table, protocol, 0, kind, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::super::attribute::Attributes;
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    #[cfg(target_endian = "little")]
    #[rustfmt::skip]
    fn an_address_byte_by_byte() {
        let request = Rtnetlink::NewAddress {
            index: 2, name: "eth0", address: Ipv4Addr::new(172, 30, 0, 2), prefix: 16,
        };
        assert_eq!(encode(&request, 7), [
            32, 0, 0, 0,  20, 0,  0x05, 0x06,  7, 0, 0, 0,  0, 0, 0, 0, // RTM_NEWADDR, REQUEST|ACK|EXCL|CREATE
            2, 16, 0, 0,  2, 0, 0, 0,                                   // AF_INET, /16, index 2
            8, 0,  2, 0,  172, 30, 0, 2,                                // IFA_LOCAL
        ]);
    }

    #[test]
    fn a_veth_pair_is_one_message() {
        let request = Rtnetlink::NewVeth {
            name: "md0123456789ab",
            group: 0x6d64,
            master: 4,
            peer: "eth0",
            netns: Netns::Of(99),
        };
        let message = encode(&request, 1);
        assert_eq!(message.len() as u32, u32::from_ne_bytes(message[..4].try_into().unwrap()));
        assert_eq!(message[24..28], IFF_UP.to_ne_bytes(), "our end is up from the start");
        let find =
            |row: &[u8], kind| Attributes(row).find(|attribute| attribute.0 == kind).unwrap().1.to_vec();
        let ours = &message[32..];
        assert_eq!(find(ours, IFLA_IFNAME), b"md0123456789ab\0");
        assert_eq!(find(ours, IFLA_MASTER), 4u32.to_ne_bytes());
        assert_eq!(find(ours, IFLA_GROUP), 0x6d64u32.to_ne_bytes());
        let info = find(ours, IFLA_LINKINFO);
        assert_eq!(find(&info, IFLA_INFO_KIND), b"veth\0");
        let peer = find(&find(&info, IFLA_INFO_DATA), VETH_INFO_PEER);
        assert_eq!(peer[..16], ifinfomsg(0, 0));
        assert_eq!(find(&peer[16..], IFLA_IFNAME), b"eth0\0");
        assert_eq!(find(&peer[16..], IFLA_NET_NS_PID), 99u32.to_ne_bytes());
    }

    #[test]
    fn every_message_is_as_long_as_it_says() {
        let address = Ipv4Addr::new(10, 0, 0, 1);
        for request in [
            Rtnetlink::GetLink { name: "lo" },
            Rtnetlink::NewBridge { name: "minidocker0", group: 1 },
            Rtnetlink::SetUp { index: 1, name: "lo" },
            Rtnetlink::DelLink { name: "x" },
            Rtnetlink::DelGroup { group: 1 },
            Rtnetlink::NewDefaultRoute { gateway: address },
            Rtnetlink::DumpRoutes,
            Rtnetlink::DumpBridges,
            Rtnetlink::SetHairpin { index: 5, name: "md0123456789ab" },
        ] {
            let message = encode(&request, 3);
            assert_eq!(message[..4], (message.len() as u32).to_ne_bytes(), "{request:?}");
            assert_eq!(message.len() % 4, 0, "{request:?}");
        }
    }
}
