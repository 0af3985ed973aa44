//! What rtnetlink(7) answers, taken apart.
//!
//! An answer is a row of messages, each behind its `struct nlmsghdr` and padded to a multiple of four. Nothing
//! in it is believed: a length that does not fit what is left ends the row.

use super::attribute::{Attributes, u16_at, u32_at};
use super::message::{AF_INET, IFLA_GROUP, RTA_DST, RTM_NEWLINK, RTM_NEWROUTE};
use std::net::Ipv4Addr;

const HEADER: usize = 16;
const IFINFOMSG: usize = 16;
const IFINFOMSG_INDEX: usize = 4;
const RTMSG: usize = 12;

/// The messages in `bytes`, as (type, what follows the header).
#[derive(Debug, Clone)]
pub struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = u32_at(self.0, 0)? as usize;
        let kind = u16_at(self.0, 4)?;
        let body = self.0.get(HEADER..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    }
}

/// What we want to know of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The number by which other requests name it.
    pub index: u32,
    /// Its link group; 0 unless somebody gave it one.
    pub group: u32,
}

/// The first link in the answer to RTM_GETLINK.
pub fn link(answer: &[u8]) -> Option<Link> {
    links(answer).next()
}

/// All links in such an answer.
pub fn links(answer: &[u8]) -> impl Iterator<Item = Link> {
    Messages(answer).filter(|(kind, _)| *kind == RTM_NEWLINK).filter_map(|(_, body)| one_link(body))
}

fn one_link(body: &[u8]) -> Option<Link> {
    let index = u32_at(body, IFINFOMSG_INDEX)?;
    let group = Attributes(body.get(IFINFOMSG..)?).find(|(kind, _)| *kind == IFLA_GROUP);
    Some(Link { index, group: group.and_then(|(_, value)| u32_at(value, 0)).unwrap_or(0) })
}

/// Where the routes in a dump lead to: a network and the length of its prefix. The machine's own addresses
/// are among them, as routes of the table `local` with prefix 32; a default route is 0.0.0.0/0.
pub fn destinations(answer: &[u8]) -> Vec<(Ipv4Addr, u8)> {
    Messages(answer)
        .filter(|(kind, _)| *kind == RTM_NEWROUTE)
        .filter_map(|(_, body)| destination(body))
        .collect()
}

fn destination(body: &[u8]) -> Option<(Ipv4Addr, u8)> {
    let (family, prefix) = (*body.first()?, *body.get(1)?);
    if family != AF_INET || prefix > 32 {
        return None;
    }
    let value = Attributes(body.get(RTMSG..)?).find(|(kind, _)| *kind == RTA_DST).map(|(_, value)| value);
    let octets: [u8; 4] = value.unwrap_or(&[0; 4]).try_into().ok()?;
    Some((octets.into(), prefix))
}

#[cfg(test)]
mod tests {
    use super::super::attribute::Builder;
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.resize(HEADER, 0);
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn the_index_follows_family_and_device_type_and_the_group_is_an_attribute() {
        let header = [0u32, 17, 0, 0].map(u32::to_ne_bytes).concat();
        let grouped = Builder::after(&header).text(3, "lo").number(IFLA_GROUP, 5).finish();
        assert_eq!(link(&message(RTM_NEWLINK, &header)), Some(Link { index: 17, group: 0 }));
        assert_eq!(link(&message(RTM_NEWLINK, &grouped)), Some(Link { index: 17, group: 5 }));
        assert_eq!(link(&message(2, &grouped)), None);
    }

    #[test]
    fn routes_are_networks_and_a_missing_one_is_everywhere() {
        let network = Ipv4Addr::new(172, 30, 0, 0);
        let route = |prefix| Builder::after(&[AF_INET, prefix, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]);
        let dump = [
            message(RTM_NEWROUTE, &route(16).address(RTA_DST, network).finish()),
            message(RTM_NEWROUTE, &route(0).finish()),
            message(3, &[0; 4]),
        ];
        assert_eq!(destinations(&dump.concat()), [(network, 16), (Ipv4Addr::UNSPECIFIED, 0)]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = (link(&bytes), destinations(&bytes));
            prop_assert!(Messages(&bytes).count() <= bytes.len() / HEADER);
        }

        #[test]
        fn a_damaged_dump_is_read_without_panic(at in 0usize..64, with in any::<u8>(), cut in 0usize..64) {
            let body = Builder::after(&[AF_INET, 16, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0])
                .address(RTA_DST, Ipv4Addr::LOCALHOST).finish();
            let mut dump = [message(RTM_NEWROUTE, &body), message(RTM_NEWROUTE, &body)].concat();
            let length = dump.len();
            dump[at % length] = with;
            dump.truncate(length - cut);
            prop_assert!(destinations(&dump).len() <= 2);
        }
    }
}
