//! `net-demo netlink`: the bytes that it shows are the message that makes the links.

use super::told::{play, snapshots};
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], netlink_is_told),
        as_both(&[], the_bytes_are_an_order_for_a_veth_pair),
        as_root(&[], on_the_real_host_no_link_is_left),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn netlink_is_told(who: Who) {
    snapshots(who, "net-demo", &["netlink"], &[]);
}

/// The bytes of the dump: the hexadecimal pairs between offset and letters.
fn dumped(told: &str) -> Vec<u8> {
    let lines = told.lines().filter_map(|line| line.trim_start().split_once("  "));
    let lines = lines.filter(|(offset, _)| offset.len() == 4 && u16::from_str_radix(offset, 16).is_ok());
    let pairs = lines.flat_map(|(_, row)| row.split("  ").next().unwrap().split(' '));
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn the_bytes_are_an_order_for_a_veth_pair(who: Who) {
    let told = play(&Space::new(who), "net-demo", &["netlink"]);
    let message = dumped(&told);
    let number = |at: usize| u32::from_ne_bytes(message[at..at + 4].try_into().unwrap());
    assert_eq!(number(0) as usize, message.len(), "{told}");
    assert_eq!(u16::from_ne_bytes([message[4], message[5]]), 16, "RTM_NEWLINK: {told}");
    let holds = |part: &[u8]| message.windows(part.len()).any(|window| window == part);
    assert!(holds(b"md-by-hand\0") && holds(b"veth\0") && holds(b"eth0\0"), "{told}");
    assert!(told.contains("lo → lo md-by-hand") && told.contains("lo → lo eth0"), "{told}");
    assert!(told.contains("EEXIST") && told.contains("ERANGE"), "{told}");
}

fn on_the_real_host_no_link_is_left() {
    let space = Space::new(Who::Root);
    let told = play(&space, "net-demo", &["netlink", "--on-host"]);
    assert!(told.contains("md-by-hand"), "{told}");
    assert_eq!(space.host().links(), ["lo"]);
}
