//! `net-demo follow`: what the taps saw agrees with what the sockets and the packet filter say.

use super::told::{play, snapshots};
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[Need::Iptables], follow_is_told),
        as_both(&[Need::Iptables], the_packet_that_was_followed_is_the_one_that_arrived),
        as_both(&[], the_town_is_told),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const FILTERS: &[(&str, &str)] = &[
    (r"(172\.30\.0\.2|203\.0\.113\.1):\d{5}", "$1:PORT_"),
    (r"(SEQ|ACK)  \d+", "$1  NUMBER"),
    (r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", "MAC"),
    (r"((?:listen|connect|accept4|AF_PACKET)[^=]*= )\d+", "${1}FD"),
];

fn follow_is_told(who: Who) {
    snapshots(who, "net-demo", &["follow"], FILTERS);
}

fn the_town_is_told(who: Who) {
    snapshots(who, "net-demo", &["topology", "--town"], FILTERS);
}

/// The rows of the table below the line that begins with `heading`: place, link, direction, from, to, TTL.
fn table(told: &str, heading: &str) -> Vec<Vec<String>> {
    let below = told.split(heading).nth(1).unwrap_or_else(|| panic!("no {heading:?} in {told}"));
    let rows = below.lines().skip_while(|line| !line.trim_start().starts_with("where ")).skip(1);
    let rows = rows.take_while(|line| !line.trim().is_empty());
    rows.map(|row| row.replace('*', "").split_whitespace().map(str::to_owned).collect()).collect()
}

fn fact<'a>(told: &'a str, name: &str) -> &'a str {
    let line = told.lines().find_map(|line| line.trim_start().strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name:?} in {told}")).trim()
}

fn the_packet_that_was_followed_is_the_one_that_arrived(who: Who) {
    let told = play(&Space::new(who), "net-demo", &["follow"]);
    let (there, back) = (table(&told, "── There"), table(&told, "── Back"));
    let column = |rows: &[Vec<String>], column: usize| -> Vec<String> {
        rows.iter().map(|row| row[column].clone()).collect()
    };
    assert_eq!(column(&there, 1), ["eth0", "mdweb", "minidocker0", "eth0", "eth0"], "{told}");
    assert_eq!(column(&there, 5), ["64", "64", "64", "63", "63"], "{told}");
    assert_eq!(column(&back, 5), ["64", "64", "63", "63", "63"], "{told}");
    // accept4(2) and the packet filter are two more witnesses.
    assert_eq!(there[4][3], fact(&told, "outside saw"), "{told}");
    let original = format!("{} → {}", there[0][3], there[0][4]);
    let reply = format!("{} → {}", back[0][3], back[0][4]);
    assert_eq!(fact(&told, "CTA_TUPLE_ORIG"), original, "{told}");
    assert_eq!(fact(&told, "CTA_TUPLE_REPLY"), reply, "{told}");
    let number = |name| fact(&told, name).parse::<u32>().unwrap();
    assert_eq!(number("ACK"), number("SEQ").wrapping_add(1), "{told}");
}
