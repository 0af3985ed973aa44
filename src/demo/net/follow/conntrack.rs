//! The kernel's table of connections: linux/netfilter/nfnetlink_conntrack.h.
//!
//! An entry has two tuples of addresses and ports: the one of the first packet, and the one that its answer will have.
//! Where addresses were translated, the second is not the first turned around; that is all that NAT remembers.

use crate::error::Result;
use crate::network::attribute::Attributes;
use crate::network::message::with_header;
use crate::network::reply::Messages;
use crate::sys::Call;
use crate::sys::wire::{Family, Query, Wire};
use std::net::{Ipv4Addr, SocketAddrV4};

/// From, and to.
pub type Tuple = (SocketAddrV4, SocketAddrV4);

/// One TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The tuple of the packets that go as the first went.
    pub original: Tuple,
    /// The tuple of those that answer.
    pub reply: Tuple,
    /// `IPS_SEEN_REPLY`, `IPS_SRC_NAT`, …: linux/netfilter/nf_conntrack_common.h.
    pub status: u32,
    /// The state of the connection, as TCP_CONNTRACK_… numbers it; 3 is established.
    pub state: u8,
}

impl Entry {
    /// The names of the bits of its status that matter here.
    pub fn status(&self) -> String {
        const NAMES: [(u32, &str); 4] =
            [(1 << 1, "SEEN_REPLY"), (1 << 2, "ASSURED"), (1 << 4, "SRC_NAT"), (1 << 5, "DST_NAT")];
        let set = NAMES.iter().filter(|(bit, _)| self.status & bit != 0);
        set.map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
    }

    /// The name of its state, as conntrack(8) has it.
    pub fn state(&self) -> &'static str {
        const NAMES: [&str; 9] = [
            "NONE",
            "SYN_SENT",
            "SYN_RECV",
            "ESTABLISHED",
            "FIN_WAIT",
            "CLOSE_WAIT",
            "LAST_ACK",
            "TIME_WAIT",
            "CLOSE",
        ];
        NAMES.get(usize::from(self.state)).unwrap_or(&"?")
    }
}

/// The TCP connections over IPv4 that the packet filter of this network namespace knows. `EPROTONOSUPPORT` or a
/// refusal where the kernel has no table of them.
pub fn connections() -> Result<Vec<Entry>> {
    const NFNL_SUBSYS_CTNETLINK: u16 = 1;
    const IPCTNL_MSG_CT_GET: u16 = 1;
    const NLM_F_REQUEST_DUMP: u16 = 0x301;
    const AF_INET: u8 = 2;
    let message = with_header(
        NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
        NLM_F_REQUEST_DUMP,
        1,
        &[AF_INET, 0, 0, 0],
    );
    let reply =
        Wire::open(Family::Netfilter)?.exchange(Call::Other(&Query::Dump("IPCTNL_MSG_CT_GET")), &message)?;
    match reply.refusal {
        Some(error) => Err(error),
        None => Ok(parse(&reply.bytes)),
    }
}

fn parse(answer: &[u8]) -> Vec<Entry> {
    const NFGENMSG: usize = 4;
    const IPCTNL_MSG_CT_NEW: u16 = 1 << 8;
    let bodies = Messages(answer).filter(|(kind, _)| *kind == IPCTNL_MSG_CT_NEW);
    bodies.filter_map(|(_, body)| entry(body.get(NFGENMSG..)?)).collect()
}

fn find(row: &[u8], wanted: u16) -> Option<&[u8]> {
    Attributes(row).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

fn entry(row: &[u8]) -> Option<Entry> {
    const CTA_TUPLE_ORIG: u16 = 1;
    const CTA_TUPLE_REPLY: u16 = 2;
    const CTA_STATUS: u16 = 3;
    const CTA_PROTOINFO: u16 = 4;
    const CTA_PROTOINFO_TCP: u16 = 1;
    const CTA_PROTOINFO_TCP_STATE: u16 = 1;
    let tcp = find(row, CTA_PROTOINFO).and_then(|info| find(info, CTA_PROTOINFO_TCP));
    Some(Entry {
        original: tuple(find(row, CTA_TUPLE_ORIG)?)?,
        reply: tuple(find(row, CTA_TUPLE_REPLY)?)?,
        status: u32::from_be_bytes(find(row, CTA_STATUS)?.try_into().ok()?),
        state: tcp.and_then(|tcp| find(tcp, CTA_PROTOINFO_TCP_STATE)?.first().copied()).unwrap_or_default(),
    })
}

/// The numbers in a tuple are in the network's byte order.
fn tuple(row: &[u8]) -> Option<Tuple> {
    const CTA_TUPLE_IP: u16 = 1;
    const CTA_TUPLE_PROTO: u16 = 2;
    const CTA_PROTO_NUM: u16 = 1;
    const TCP: u8 = 6;
    let (ip, protocol) = (find(row, CTA_TUPLE_IP)?, find(row, CTA_TUPLE_PROTO)?);
    if find(protocol, CTA_PROTO_NUM)? != [TCP] {
        return None;
    }
    let address = |kind| Some(Ipv4Addr::from(<[u8; 4]>::try_from(find(ip, kind)?).ok()?));
    let port = |kind| Some(u16::from_be_bytes(find(protocol, kind)?.try_into().ok()?));
    Some((SocketAddrV4::new(address(1)?, port(2)?), SocketAddrV4::new(address(2)?, port(3)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::attribute::Builder;
    use proptest::prelude::*;

    fn tuple_of(builder: Builder, kind: u16, from: SocketAddrV4, to: SocketAddrV4) -> Builder {
        builder.nest(kind, &[], |tuple| {
            let tuple = tuple.nest(1, &[], |ip| ip.address(1, *from.ip()).address(2, *to.ip()));
            tuple.nest(2, &[], |protocol| {
                let protocol = protocol.bytes(1, &[6]);
                protocol.bytes(2, &from.port().to_be_bytes()).bytes(3, &to.port().to_be_bytes())
            })
        })
    }

    #[test]
    fn both_tuples_are_read() {
        let end = |text: &str| text.parse::<SocketAddrV4>().unwrap();
        let (inside, outside, host) =
            (end("172.30.0.2:40000"), end("203.0.113.2:80"), end("203.0.113.1:40000"));
        let body = tuple_of(Builder::after(&[2, 0, 0, 0]), 1, inside, outside);
        let body = tuple_of(body, 2, outside, host).bytes(3, &0x19e_u32.to_be_bytes());
        let body = body.nest(4, &[], |info| info.nest(1, &[], |tcp| tcp.bytes(1, &[3]))).finish();
        let entries = parse(&with_header(1 << 8, 0, 1, &body));
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].original, entries[0].reply), ((inside, outside), (outside, host)));
        assert_eq!(
            (entries[0].state(), entries[0].status().as_str()),
            ("ESTABLISHED", "SEEN_REPLY ASSURED SRC_NAT")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
