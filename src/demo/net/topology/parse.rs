//! The answers of rtnetlink(7) to questions for all links, addresses and routes, taken apart.

use super::map::Link;
use crate::network::attribute::{Attributes, u32_at};
use crate::network::reply::Messages;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const RTM_NEWNSID: u16 = 88;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()
}

/// The links in the answer to RTM_GETLINK with NLM_F_DUMP.
pub fn links(answer: &[u8]) -> Vec<Link> {
    const IFINFOMSG: usize = 16;
    let parse = |body: &[u8]| {
        let mut link = Link { index: u32_at(body, 4)?, flags: u32_at(body, 8)?, ..Link::default() };
        for (kind, value) in Attributes(body.get(IFINFOMSG..)?) {
            let number = u32_at(value, 0);
            match kind {
                1 => link.address = value.try_into().ok().filter(|bytes| *bytes != [0; 6]),
                3 => link.name = text(value),
                5 => link.link = number.filter(|index| *index != 0),
                10 => link.master = number.filter(|index| *index != 0),
                18 => {
                    let kind = Attributes(value).find(|(kind, _)| *kind == 1);
                    link.kind = kind.map(|(_, value)| text(value)).unwrap_or_default();
                }
                37 => link.elsewhere = number.map(|number| number as i32),
                _ => {}
            }
        }
        Some(link)
    };
    let bodies = Messages(answer).filter(|(kind, _)| *kind == RTM_NEWLINK);
    let mut links: Vec<Link> = bodies.filter_map(|(_, body)| parse(body)).collect();
    links.sort_by_key(|link| link.index);
    links
}

/// The addresses in the answer to RTM_GETADDR with NLM_F_DUMP: index of the link, address, length of the prefix.
pub fn addresses(answer: &[u8]) -> Vec<(u32, IpAddr, u8)> {
    const IFADDRMSG: usize = 8;
    const RT_SCOPE_LINK: u8 = 253;
    const IFA_ADDRESS: u16 = 1;
    const IFA_LOCAL: u16 = 2;
    let parse = |body: &[u8]| {
        let (family, prefix, scope, index) = (*body.first()?, *body.get(1)?, *body.get(3)?, u32_at(body, 4)?);
        let attributes = || Attributes(body.get(IFADDRMSG..).unwrap_or_default());
        let find = |wanted| attributes().find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
        // Of a cable with two ends, IFA_ADDRESS is the other end's.
        let value = find(IFA_LOCAL).or_else(|| find(IFA_ADDRESS))?;
        let address = match family {
            AF_INET => IpAddr::from(<[u8; 4]>::try_from(value).ok()?),
            AF_INET6 if scope < RT_SCOPE_LINK => Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).into(),
            _ => return None,
        };
        Some((index, address, prefix))
    };
    let bodies = Messages(answer).filter(|(kind, _)| *kind == RTM_NEWADDR);
    bodies.filter_map(|(_, body)| parse(body)).collect()
}

/// The default routes of IPv4 in the answer to RTM_GETROUTE with NLM_F_DUMP: gateway and index of the link.
pub fn ways_out(answer: &[u8]) -> Vec<(Option<Ipv4Addr>, u32)> {
    const RTMSG: usize = 12;
    const RT_TABLE_MAIN: u8 = 254;
    const RTN_UNICAST: u8 = 1;
    let parse = |body: &[u8]| {
        let (family, length, table, kind) = (*body.first()?, *body.get(1)?, *body.get(4)?, *body.get(7)?);
        if (family, length, table, kind) != (AF_INET, 0, RT_TABLE_MAIN, RTN_UNICAST) {
            return None;
        }
        let find = |wanted| Attributes(&body[RTMSG.min(body.len())..]).find(|(kind, _)| *kind == wanted);
        let gateway = find(5).and_then(|(_, value)| <[u8; 4]>::try_from(value).ok()).map(Ipv4Addr::from);
        Some((gateway, find(4).and_then(|(_, value)| u32_at(value, 0))?))
    };
    let bodies = Messages(answer).filter(|(kind, _)| *kind == RTM_NEWROUTE);
    bodies.filter_map(|(_, body)| parse(body)).collect()
}

/// The number in the answer to RTM_GETNSID; `None` when the namespace has none here.
pub fn number_of_namespace(answer: &[u8]) -> Option<i32> {
    const RTGENMSG: usize = 4;
    const NETNSA_NSID: u16 = 1;
    let (_, body) = Messages(answer).find(|(kind, _)| *kind == RTM_NEWNSID)?;
    let (_, value) = Attributes(body.get(RTGENMSG..)?).find(|(kind, _)| *kind == NETNSA_NSID)?;
    u32_at(value, 0).map(|number| number as i32).filter(|number| *number >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::attribute::Builder;
    use crate::network::message::with_header;

    fn words(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    #[test]
    fn a_veth_is_read_with_its_other_end() {
        let body = Builder::after(&words(&[0, 7, 0x1_0003, 0]))
            .bytes(1, &[2, 0, 0, 0, 0, 7])
            .text(3, "md-web")
            .number(5, 2)
            .number(10, 4)
            .nest(18, &[], |info| info.text(1, "veth"))
            .number(37, 0);
        let read = links(&with_header(RTM_NEWLINK, 0, 1, &body.finish()));
        let expected = Link {
            index: 7,
            name: "md-web".into(),
            kind: "veth".into(),
            master: Some(4),
            link: Some(2),
            elsewhere: Some(0),
            address: Some([2, 0, 0, 0, 0, 7]),
            flags: 0x1_0003,
            addresses: Vec::new(),
        };
        assert_eq!(read, [expected]);
    }

    #[test]
    fn only_default_routes_of_the_main_table_lead_out() {
        let gateway = Ipv4Addr::new(172, 30, 0, 1);
        let route = |length, table| {
            let header = [AF_INET, length, 0, 0, table, 3, 0, 1, 0, 0, 0, 0];
            let body = Builder::after(&header).address(5, gateway).number(4, 2).finish();
            with_header(RTM_NEWROUTE, 0, 1, &body)
        };
        let dump = [route(0, 254), route(16, 254), route(0, 255)].concat();
        assert_eq!(ways_out(&dump), [(Some(gateway), 2)]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = (links(&bytes), addresses(&bytes), ways_out(&bytes), number_of_namespace(&bytes));
        }
    }
}
