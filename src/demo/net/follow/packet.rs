//! One TCP segment as it stands in an Ethernet frame: ethernet, RFC 791 (IPv4), RFC 9293 (TCP).
//!
//! ```text
//! Ethernet | to, 6 bytes | from, 6 bytes | type u16 |
//! IPv4     | version and length u8 | … | TTL u8, at 8 | protocol u8 | … | from, at 12 | to, at 16 |
//! TCP      | from u16 | to u16 | sequence u32 | acknowledgement u32 | length u8 | flags u8 | …
//! ```

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

/// An Ethernet address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<String> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        f.write_str(&bytes.join(":"))
    }
}

/// What of a segment's headers is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The Ethernet address it comes from, and the one it goes to: of this cable only.
    pub cable: (Mac, Mac),
    /// The address and port it comes from.
    pub from: SocketAddrV4,
    /// The address and port it goes to.
    pub to: SocketAddrV4,
    /// How many routers it may still pass.
    pub ttl: u8,
    /// Its sequence number; that of a SYN was drawn at random by the sender.
    pub sequence: u32,
    /// The sequence number that its sender waits for next.
    pub acknowledged: u32,
    /// FIN, SYN, RST, PSH, ACK, … from the lowest bit on.
    pub flags: u8,
}

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

impl Segment {
    /// The first of a connection.
    pub fn opens(&self) -> bool {
        self.flags & (SYN | ACK) == SYN
    }

    /// The answer to the first.
    pub fn accepts(&self) -> bool {
        self.flags & (SYN | ACK) == SYN | ACK
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The TCP segment in `frame`, if that is what it holds.
pub fn segment(frame: &[u8]) -> Option<Segment> {
    const ETHERNET: usize = 14;
    const ETHERTYPE_IPV4: u16 = 0x0800;
    const PROTOCOL_TCP: u8 = 6;
    let mac = |at: usize| Some(Mac(frame.get(at..at + 6)?.try_into().ok()?));
    if half(frame, 12)? != ETHERTYPE_IPV4 {
        return None;
    }
    let ip = &frame[ETHERNET..];
    let length = usize::from(*ip.first()? & 0x0f) * 4;
    if *ip.first()? >> 4 != 4 || length < 20 || *ip.get(9)? != PROTOCOL_TCP {
        return None;
    }
    let tcp = ip.get(length..)?;
    let end = |address: u32, port: u16| SocketAddrV4::new(Ipv4Addr::from_bits(address), port);
    Some(Segment {
        cable: (mac(6)?, mac(0)?),
        from: end(word(ip, 12)?, half(tcp, 0)?),
        to: end(word(ip, 16)?, half(tcp, 2)?),
        ttl: *ip.get(8)?,
        sequence: word(tcp, 4)?,
        acknowledged: word(tcp, 8)?,
        flags: *tcp.get(13)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A SYN from 172.30.0.2:40000 to 203.0.113.2:80.
    fn syn() -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
        frame.extend_from_slice(&[0x45, 0, 0, 60, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0]);
        frame.extend_from_slice(&[172, 30, 0, 2, 203, 0, 113, 2]);
        frame.extend_from_slice(&[0x9c, 0x40, 0, 80, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0, 0xa0, 0x02, 0, 0]);
        frame
    }

    #[test]
    fn a_syn_is_read_with_all_that_changes_on_its_way() {
        let read = segment(&syn()).unwrap();
        assert_eq!(
            (read.from.to_string().as_str(), read.to.to_string().as_str()),
            ("172.30.0.2:40000", "203.0.113.2:80")
        );
        assert_eq!((read.ttl, read.sequence, read.opens(), read.accepts()), (64, 0xdead_beef, true, false));
        assert_eq!(read.cable.0.to_string(), "02:00:00:00:00:02");
    }

    #[test]
    fn what_is_no_tcp_over_ipv4_is_left_alone() {
        let changed = |at: usize, byte| {
            let mut frame = syn();
            frame[at] = byte;
            segment(&frame)
        };
        assert_eq!(changed(13, 6), None, "ARP");
        assert_eq!(changed(23, 17), None, "UDP");
        assert_eq!(changed(14, 0x42), None, "a header that is too short");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = segment(&bytes);
        }

        #[test]
        fn a_frame_may_be_cut_anywhere(length in 0usize..50) {
            prop_assert_eq!(segment(&syn()[..length]).is_some(), length >= 48);
        }
    }
}
