//! The network mode bridge, on a throw-away host whose links, rules and settings are looked at from outside.

use super::probe;
use crate::common::container::{Running, links_of};
use crate::common::need::Need;
use crate::common::space::{Host, Space, Who};
use crate::common::{Test, as_root};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

const IP: Need = Need::Program("ip", "iproute2");

pub fn tests() -> Vec<Test> {
    [
        as_root(&[Need::Iptables], it_is_roots_default),
        as_root(&[Need::Iptables], a_container_has_an_address_and_a_way_out),
        as_root(&[Need::Iptables], the_files_of_etc_say_who_and_where_it_is),
        as_root(&[Need::Iptables], two_containers_talk),
        as_root(&[Need::Iptables, IP], what_leaves_the_machine_has_the_hosts_address),
        as_root(&[Need::Iptables, IP], a_subnet_in_use_is_not_taken),
        as_root(&[Need::Iptables], the_host_is_left_as_it_was),
        as_root(&[Need::Iptables], ip_forward_stays_on_if_it_was_on),
        as_root(&[Need::Iptables], rules_of_others_stay),
        as_root(&[Need::Iptables], the_last_container_takes_the_bridge_away),
        as_root(&[Need::Iptables], two_state_roots_have_a_bridge_each),
        as_root(&[Need::Iptables, IP], a_link_of_somebody_else_is_not_touched),
        as_root(&[Need::Iptables], who_joins_a_container_has_its_address_while_that_lives),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const BRIDGE: [&str; 2] = ["--network", "bridge"];

/// All that a bridge changes on a host: links, rules, and whether packets are forwarded.
fn traces(host: &Host) -> (Vec<String>, String, String) {
    let rules = host.sh("iptables-save | sed -n '/^[-*]/p'");
    (host.links(), rules, host.sh("cat /proc/sys/net/ipv4/ip_forward"))
}

/// The address of a container's eth0.
fn address(running: &Running) -> String {
    let table = running.read("net/fib_trie");
    let local = table
        .lines()
        .zip(table.lines().skip(1))
        .find(|(leaf, what)| what.contains("/32 host LOCAL") && !leaf.contains("127."));
    local.unwrap().0.trim().trim_start_matches("|-- ").to_owned()
}

fn it_is_roots_default() {
    let space = Space::new(Who::Root);
    let outcome = space.run(&["base", "sh", "-c", "ls /sys/class/net"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "eth0\nlo\n"), "{}", outcome.err);
}

fn a_container_has_an_address_and_a_way_out() {
    let space = Space::new(Who::Root);
    let running = space.hold(&BRIDGE);
    assert_eq!(links_of(running.pid()), ["lo", "eth0"]);
    let address = address(&running);
    assert!(address.starts_with("172.30.0."), "{address}");
    // net/route has its numbers in the machine's byte order, as hexadecimal digits.
    let routes = running.read("net/route");
    let number = |a: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(a));
    let lines: Vec<Vec<&str>> =
        routes.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    let (any, gateway, subnet) = (number([0; 4]), number([172, 30, 0, 1]), number([172, 30, 0, 0]));
    assert!(lines.iter().any(|line| line[..3] == ["eth0", &any, &gateway]), "{routes}");
    assert!(
        lines.iter().any(|line| line[..3] == ["eth0", &subnet, &any] && line[7] == number([255, 255, 0, 0])),
        "{routes}"
    );
    let links = space.host().links();
    let veth = format!("md{}", space.containers()[0]);
    assert!(links.contains(&"minidocker0".to_owned()) && links.contains(&veth), "{links:?}");
    assert!(veth.len() <= 15);
}

fn the_files_of_etc_say_who_and_where_it_is() {
    let space = Space::new(Who::Root);
    let running = space.hold(&["--network", "bridge", "--hostname", "box"]);
    let address = address(&running);
    let file = |name: &str| std::fs::read_to_string(running.proc(&format!("root/etc/{name}"))).unwrap();
    assert_eq!(file("hostname"), "box\n");
    let hosts = file("hosts");
    let line = |line: &str| line.split_whitespace().eq([address.as_str(), "box"]);
    assert!(hosts.lines().any(line), "{hosts}");
    assert!(hosts.lines().any(|line| line.starts_with("127.0.0.1") && line.contains("localhost")), "{hosts}");
    let resolver = file("resolv.conf");
    let loopback = |line: &str| line.starts_with("nameserver 127.");
    assert!(!resolver.lines().any(loopback), "nobody answers on the loopback link in there: {resolver}");
}

fn two_containers_talk() {
    let space = Space::new(Who::Root);
    let mut server = probe::start(&space, &BRIDGE, "serve", "7000");
    server.expect("ready");
    let to = format!("{}:7000", address(&server));
    let greeting = probe::start(&space, &BRIDGE, "greet", &to).end();
    assert_eq!(greeting.status, 0, "{greeting:?}");
    assert!(greeting.out.starts_with("welcome, 172.30.0."), "the client's own address: {greeting:?}");
    server.expect("hello");
}

fn what_leaves_the_machine_has_the_hosts_address() {
    let space = Space::new(Who::Root);
    let outside = Host::new();
    space.host().sh(&format!(
        "ip link add out type veth peer name in netns {} && ip addr add 203.0.113.1/24 dev out && ip link set out up",
        outside.pid()
    ));
    outside.sh("ip addr add 203.0.113.2/24 dev in && ip link set in up && ip link set lo up");
    let listener = outside.in_network(|| TcpListener::bind("203.0.113.2:7000").unwrap());
    let accepting = std::thread::spawn(move || {
        let (stream, peer) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        writeln!(&stream, "seen").unwrap();
        peer.ip().to_string()
    });
    let greeting = probe::start(&space, &BRIDGE, "greet", "203.0.113.2:7000").end();
    assert_eq!((greeting.status, greeting.out.as_str()), (0, "seen\n"), "{}", greeting.err);
    assert_eq!(accepting.join().unwrap(), "203.0.113.1");
}

fn a_subnet_in_use_is_not_taken() {
    let space = Space::new(Who::Root);
    space.host().sh("ip addr add 172.30.77.1/24 dev lo && ip link set lo up");
    let running = space.hold(&BRIDGE);
    let address = address(&running);
    assert!(address.starts_with("172.31.0."), "{address}");
}

fn the_host_is_left_as_it_was() {
    let space = Space::new(Who::Root);
    let host = space.host();
    host.sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
    let before = traces(host);
    let running = space.hold(&BRIDGE);
    let during = traces(host);
    assert!(during.1.contains("MASQUERADE") && during.2 == "1\n", "{during:?}");
    assert_eq!(running.end().status, 0);
    // Once looked at, a table is listed even when it is empty.
    let (links, rules, forward) = traces(host);
    assert_eq!((links, forward), (before.0, before.2));
    assert!(!rules.lines().any(|line| line.starts_with('-')), "{rules}");
}

fn ip_forward_stays_on_if_it_was_on() {
    let space = Space::new(Who::Root);
    space.host().sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
    assert_eq!(space.sh(&BRIDGE, "echo done"), "done\n");
    assert_eq!(space.host().sh("cat /proc/sys/net/ipv4/ip_forward"), "1\n");
}

fn rules_of_others_stay() {
    let space = Space::new(Who::Root);
    let host = space.host();
    host.sh("iptables -A FORWARD -i other0 -j ACCEPT; iptables -P FORWARD DROP; \
             iptables -t nat -A POSTROUTING -s 10.1.0.0/16 -j MASQUERADE");
    // Once looked at, a table is listed even when it is empty.
    let rules = || host.sh("iptables-save | sed '/^[#:*]/d; /^COMMIT/d'");
    let before = rules();
    assert!(before.contains("other0") && before.contains("10.1.0.0/16"));
    let running = space.hold(&BRIDGE);
    let during = host.sh("iptables -S FORWARD");
    let listed: Vec<&str> = during.lines().filter(|line| line.starts_with("-A")).collect();
    assert!(listed[0].contains("minidocker0") && listed.last().unwrap().contains("other0"), "{during}");
    assert_eq!(running.end().status, 0);
    assert_eq!(rules(), before);
    assert!(host.sh("iptables -S FORWARD").contains("-P FORWARD DROP"));
}

fn who_joins_a_container_has_its_address_while_that_lives() {
    let space = Space::new(Who::Root);
    let first = space.hold(&["--network", "bridge", "--name", "first"]);
    let second = space.hold(&["--network", "container:first"]);
    assert_eq!(address(&first), address(&second));
    assert_eq!(links_of(second.pid()), ["lo", "eth0"]);
    // The address may be given to the next, so the link goes although its namespace lives on.
    assert_eq!(first.end().status, 0);
    assert_eq!(links_of(second.pid()), ["lo"]);
    assert_eq!(space.host().links(), ["lo"]);
}

fn the_last_container_takes_the_bridge_away() {
    let space = Space::new(Who::Root);
    let (first, second) = (space.hold(&BRIDGE), space.hold(&BRIDGE));
    assert_ne!(address(&first), address(&second));
    assert_eq!(first.end().status, 0);
    let links = space.host().links();
    assert_eq!(links.iter().filter(|link| link.starts_with("md")).count(), 1, "{links:?}");
    assert!(links.contains(&"minidocker0".to_owned()));
    assert_eq!(second.end().status, 0);
    assert_eq!(space.host().links(), ["lo"]);
}

/// The rules alone: once looked at, a table is listed even when it is empty.
fn rules(host: &Host) -> Vec<String> {
    host.sh("iptables-save").lines().filter(|line| line.starts_with('-')).map(str::to_owned).collect()
}

/// A second container of the same state root reaches `server`, which then ends.
fn is_reached(space: &Space, server: Running, port: u16) {
    let to = format!("{}:{port}", address(&server));
    let greeting = probe::start(space, &BRIDGE, "greet", &to).end();
    assert!(greeting.status == 0 && greeting.out.starts_with("welcome, "), "{greeting:?}");
    assert_eq!(server.end().status, 0);
}

fn serve(space: &Space, port: &str) -> Running {
    let mut server = probe::start(space, &BRIDGE, "serve", port);
    server.expect("ready");
    server
}

fn two_state_roots_have_a_bridge_each() {
    let space = Space::new(Who::Root);
    let (host, other) = (space.host(), space.beside());
    host.sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
    let forwards = || host.sh("cat /proc/sys/net/ipv4/ip_forward") == "1\n";
    let bridges =
        || host.links().into_iter().filter(|link| link.starts_with("minidocker")).collect::<Vec<_>>();

    let first = space.hold(&BRIDGE);
    let (during, after) = (serve(&space, "7000"), serve(&space, "7001"));
    let before = rules(host);
    let second = other.hold(&BRIDGE);
    assert_eq!(bridges(), ["minidocker0", "minidocker1"]);
    assert!(address(&first).starts_with("172.30.") && address(&second).starts_with("172.31."));
    is_reached(&space, during, 7000);
    assert_eq!(second.end().status, 0);
    assert_eq!(other.minidocker(&["prune"]).status, 0);
    assert_eq!((bridges(), rules(host), forwards()), (vec!["minidocker0".to_owned()], before, true));
    is_reached(&space, after, 7001);

    // The other way round: who came first goes first.
    let second = serve(&other, "7000");
    assert_eq!(first.end().status, 0);
    assert_eq!((bridges(), forwards()), (vec!["minidocker1".to_owned()], true));
    is_reached(&other, second, 7000);
    assert_eq!((host.links(), rules(host), forwards()), (vec!["lo".to_owned()], vec![], false));
}

fn a_link_of_somebody_else_is_not_touched() {
    let space = Space::new(Who::Root);
    let host = space.host();
    host.sh("ip link add minidocker0 type bridge && ip addr add 192.0.2.1/24 dev minidocker0");
    let before = host.sh("ip -o addr show dev minidocker0");
    let running = space.hold(&BRIDGE);
    assert!(host.links().contains(&"minidocker1".to_owned()), "{:?}", host.links());
    assert_eq!(running.end().status, 0);
    assert_eq!(host.links(), ["lo", "minidocker0"]);
    assert_eq!(host.sh("ip -o addr show dev minidocker0"), before);
}
