//! Which of all captures are one and the same packet, and what became of it on its way.

use super::packet::Mac;
use super::tap::{Capture, Taken};
use std::net::SocketAddrV4;

/// The way of one packet: its captures, in the order in which it passed.
pub type Way = Vec<Capture>;

/// The ways of the first packet of a connection, and of its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journey {
    /// The SYN.
    pub there: Way,
    /// The SYN that acknowledges it.
    pub back: Way,
}

/// Follow the connection to `to` that began at the first place and went through all others in their order.
///
/// The first SYN there drew its sequence number at random, of 2³²; captures with the same number are the same packet,
/// whatever its addresses are by then. The answer acknowledges that number and one. Within a place the kernel keeps the
/// order; between places there is a cable, over which the packet came.
pub fn follow(taken: &Taken, to: SocketAddrV4) -> Journey {
    let begins = |capture: &&Capture| {
        capture.place == 0 && capture.outgoing && capture.segment.opens() && capture.segment.to == to
    };
    let Some(first) = taken.captures.iter().find(begins) else { return Journey::default() };
    let number = first.segment.sequence;
    let there = way(taken, |capture| capture.segment.opens() && capture.segment.sequence == number);
    let mut back = way(taken, |capture| {
        capture.segment.accepts() && capture.segment.acknowledged == number.wrapping_add(1)
    });
    // It went from the last place to the first; a stable sort keeps the order within each.
    back.sort_by_key(|capture| std::cmp::Reverse(capture.place));
    Journey { there, back }
}

/// Each link that the packet passed, once: one that was sent again is the same.
fn way(taken: &Taken, same: impl Fn(&Capture) -> bool) -> Way {
    let mut way: Way = Vec::new();
    for capture in taken.captures.iter().filter(|capture| same(capture)) {
        let again = way.iter().any(|seen| {
            (seen.place, &seen.link, seen.outgoing) == (capture.place, &capture.link, capture.outgoing)
        });
        if !again {
            way.push(capture.clone());
        }
    }
    way
}

/// Whether `way` passed exactly these links: place, link and direction.
pub fn passed(way: &Way, links: &[(usize, &str, bool)]) -> bool {
    way.iter()
        .map(|capture| (capture.place, capture.link.as_str(), capture.outgoing))
        .eq(links.iter().copied())
}

/// The links on which something differs from the link before, by what `of` picks.
pub fn changes<T: PartialEq>(way: &Way, of: impl Fn(&Capture) -> T) -> Vec<usize> {
    (1..way.len()).filter(|hop| of(&way[*hop]) != of(&way[*hop - 1])).collect()
}

/// The Ethernet addresses that the packet had, in their order, each pair once.
pub fn cables(way: &Way) -> Vec<(Mac, Mac)> {
    let mut cables: Vec<(Mac, Mac)> = way.iter().map(|capture| capture.segment.cable).collect();
    cables.dedup();
    cables
}

#[cfg(test)]
mod tests {
    use super::super::packet::Segment;
    use super::*;

    fn end(text: &str) -> SocketAddrV4 {
        text.parse().unwrap()
    }

    fn capture(place: usize, link: &str, outgoing: bool, from: &str, flags: u8, ttl: u8) -> Capture {
        let (sequence, acknowledged) = if flags == 2 { (77, 0) } else { (500, 78) };
        let cable = (Mac([place as u8; 6]), Mac([9; 6]));
        let to = end(if flags == 2 { "203.0.113.2:80" } else { "172.30.0.2:4000" });
        let segment = Segment { cable, from: end(from), to, ttl, sequence, acknowledged, flags };
        Capture { place, link: link.into(), outgoing, segment }
    }

    fn taken() -> Taken {
        let (syn, answer) = (2, 0x12);
        let mut stranger = capture(1, "br0", false, "172.30.0.9:5", syn, 64);
        stranger.segment.sequence = 78;
        let captures = vec![
            capture(0, "eth0", true, "172.30.0.2:4000", syn, 64),
            capture(0, "eth0", false, "203.0.113.2:80", answer, 63),
            stranger,
            capture(1, "md", false, "172.30.0.2:4000", syn, 64),
            capture(1, "up", true, "203.0.113.1:4000", syn, 63),
            capture(1, "up", true, "203.0.113.1:4000", syn, 63),
            capture(1, "up", false, "203.0.113.2:80", answer, 64),
            capture(1, "md", true, "203.0.113.2:80", answer, 63),
            capture(2, "eth0", false, "203.0.113.1:4000", syn, 63),
            capture(2, "eth0", true, "203.0.113.2:80", answer, 64),
        ];
        Taken { captures, owners: Vec::new() }
    }

    #[test]
    fn one_packet_is_told_from_all_others_by_its_number_and_its_answer_by_the_next() {
        let journey = follow(&taken(), end("203.0.113.2:80"));
        let there = [(0, "eth0", true), (1, "md", false), (1, "up", true), (2, "eth0", false)];
        let back = [(2, "eth0", true), (1, "up", false), (1, "md", true), (0, "eth0", false)];
        assert!(passed(&journey.there, &there), "{journey:?}");
        assert!(passed(&journey.back, &back), "{journey:?}");
        assert_eq!(changes(&journey.there, |capture| capture.segment.from), [2]);
        assert_eq!(changes(&journey.there, |capture| capture.segment.ttl), [2]);
        assert_eq!(changes(&journey.there, |capture| capture.segment.to), [0; 0]);
    }

    #[test]
    fn without_a_first_packet_there_is_no_journey() {
        assert_eq!(follow(&taken(), end("203.0.113.2:81")), Journey::default());
    }
}
