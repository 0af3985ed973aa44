//! `net-demo`: the walks about the four modes, and those about rules; what stands on their town is looked at from outside.

use super::told::snapshots;
use crate::common::container::{Running, children_of, links_of, namespace_of};
use crate::common::need::Need;
use crate::common::space::{Space, Who, is_root};
use crate::common::{Test, as_both};
use nix::sys::signal::Signal::SIGKILL;
use std::collections::BTreeMap;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], null_is_told),
        as_both(&[], host_is_told),
        as_both(&[], container_is_told),
        as_both(&[Need::Iptables], bridge_is_told),
        as_both(&[Need::Iptables], publish_is_told),
        as_both(&[Need::Iptables], break_it_is_told),
        as_both(&[], null_has_lo_alone_until_a_cable_is_plugged_in),
        as_both(&[], host_shares_the_namespace),
        as_both(&[], container_is_in_the_namespace_of_another),
        as_both(&[], bridge_has_a_port_for_each_container),
        as_both(&[Need::Iptables], publish_writes_the_rules_it_shows),
        as_both(&[Need::Iptables], break_it_mends_what_it_broke),
        as_both(&[], killed_a_walk_leaves_no_process),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn told(who: Who, walk: &str) {
    snapshots(who, "net-demo", &[walk], FILTERS);
}

/// What differs from run to run: pids in the paths of namespaces, and descriptors.
const FILTERS: &[(&str, &str)] =
    &[(r"/proc/\d+/ns/net", "/proc/PID/ns/net"), (r"((?:connect|listen|accept4)\([^)]*\) = )\d+", "${1}FD")];

fn null_is_told(who: Who) {
    told(who, "null");
}

fn host_is_told(who: Who) {
    told(who, "host");
}

fn container_is_told(who: Who) {
    told(who, "container");
}

fn bridge_is_told(who: Who) {
    told(who, "bridge");
}

fn publish_is_told(who: Who) {
    told(who, "publish");
}

fn break_it_is_told(who: Who) {
    told(who, "break-it");
}

/// The walk, which waits for Enter at the scene whose heading begins so.
fn waiting(space: &Space, walk: &str, heading: &str) -> Running {
    let mut running = Running::start(space.demo_by_steps("net-demo").args([walk, "--step", "--lang", "en"]));
    loop {
        let line = running.line();
        assert!(!line.starts_with("── What you saw"), "{walk} has no scene {heading}");
        if line.strip_prefix("── ").is_some_and(|title| title.starts_with(heading)) {
            return running;
        }
        if line.starts_with("── ") {
            running.say("");
        }
    }
}

/// The process that plays, and the residents of its town.
fn players(running: &Running) -> (u32, Vec<u32>) {
    let player = children_of(running.client())[0];
    (player, children_of(player))
}

/// The pids in each network namespace of a town, its host's first process included.
fn namespaces(running: &Running) -> BTreeMap<String, Vec<u32>> {
    let (player, residents) = players(running);
    let mut found: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for pid in [vec![player], residents].concat() {
        found.entry(namespace_of(pid, "net")).or_default().push(pid);
    }
    found
}

fn null_has_lo_alone_until_a_cable_is_plugged_in(who: Who) {
    let space = Space::new(who);
    let mut running = waiting(&space, "null", "A cable");
    let (player, residents) = players(&running);
    assert_eq!((residents.len(), links_of(residents[0])), (1, vec!["lo".to_owned()]));
    assert_eq!(links_of(player), ["lo", "minidocker0"]);
    assert_ne!(namespace_of(player, "net"), namespace_of(running.client(), "net"));
    assert_ne!(namespace_of(player, "net"), namespace_of(residents[0], "net"));
    running.say("");
    assert_eq!(running.end().status, 0);
}

fn host_shares_the_namespace(who: Who) {
    let space = Space::new(who);
    let running = waiting(&space, "host", "Reached");
    let (player, residents) = players(&running);
    let with_host = residents.iter().filter(|pid| namespace_of(**pid, "net") == namespace_of(player, "net"));
    assert_eq!((residents.len(), with_host.count()), (3, 1));
}

fn container_is_in_the_namespace_of_another(who: Who) {
    let space = Space::new(who);
    let running = waiting(&space, "container", "They meet");
    let mut sizes: Vec<usize> = namespaces(&running).values().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 2], "the host, db, and web with its sidecar");
}

fn bridge_has_a_port_for_each_container(who: Who) {
    let space = Space::new(who);
    let running = waiting(&space, "bridge", "What the bridge");
    assert_eq!(namespaces(&running).len(), 4);
    let (player, residents) = players(&running);
    assert_eq!(links_of(player), ["lo", "minidocker0", "mdweb", "mddb", "eth0"]);
    residents.iter().for_each(|pid| assert_eq!(links_of(*pid), ["lo", "eth0"]));
}

/// What a script says in the network namespace of a player, whoever that is.
fn inside(player: u32, script: &str) -> String {
    let target = player.to_string();
    // Root has every right there as it is; an ordinary user has them as that namespace's root.
    let user: &[&str] = if is_root() { &[] } else { &["--user", "--preserve-credentials"] };
    let words = [&["--target", &target, "--net"], user, &["sh", "-c"]].concat();
    let script = format!("PATH=$PATH:/usr/sbin:/sbin; {script}");
    let output = std::process::Command::new("nsenter").args(words).arg(&script).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn publish_writes_the_rules_it_shows(who: Who) {
    let space = Space::new(who);
    let mut running = waiting(&space, "publish", "From the host's localhost");
    let (player, _) = players(&running);
    let nat = inside(player, "iptables-save -t nat");
    for chain in ["PREROUTING", "OUTPUT"] {
        let rule = |line: &str| line.starts_with(&format!("-A {chain} ")) && line.ends_with("172.30.0.2:80");
        assert!(nat.lines().any(rule), "{chain}: {nat}");
    }
    assert!(!nat.contains("127.0.0.0/8"), "{nat}");
    assert!(inside(player, "iptables-save -t filter").contains("-d 172.30.0.2/32 -o minidocker0 -p tcp"));
    running.say("");
    while !running.line().starts_with("── Without rules") {}
    assert!(!inside(player, "iptables-save -t nat").contains("DNAT"));
    running.say("");
    assert_eq!(running.end().status, 0);
}

fn break_it_mends_what_it_broke(who: Who) {
    let space = Space::new(who);
    let mut running = waiting(&space, "break-it", "No MASQUERADE");
    let (player, _) = players(&running);
    assert_eq!(inside(player, "cat /proc/sys/net/ipv4/ip_forward"), "1\n");
    let filter = inside(player, "iptables-save -t filter");
    assert!(filter.contains(":FORWARD DROP") && filter.contains("-i minidocker0 -j ACCEPT"), "{filter}");
    running.say("");
    while !running.line().starts_with("── What you saw") {}
    assert_eq!(running.end().status, 0);
}

fn killed_a_walk_leaves_no_process(who: Who) {
    let space = Space::new(who);
    let running = waiting(&space, "bridge", "What the bridge");
    running.signal(SIGKILL);
    // Standard output ends with the last process that had it; the namespaces end with their last process.
    assert_eq!(running.wait().status, 137);
}
