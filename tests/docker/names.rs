//! Names of containers, looked up by those who are on the same network, while others come and go.

use super::wire::{IP, address, answering, ok, resolved, stop};
use crate::common::container::Running;
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root};
use std::os::unix::fs::MetadataExt;

pub fn tests() -> Vec<Test> {
    [
        as_root(&[Need::Iptables, IP], neighbours_are_found_by_every_name),
        as_root(&[Need::Iptables, IP], names_come_and_go_with_their_containers),
        as_root(&[Need::Iptables, IP], a_restart_with_another_address_is_followed),
        as_root(&[Need::Iptables], a_new_name_is_followed),
        as_root(&[Need::Iptables, IP], connections_are_followed),
        as_root(&[Need::Iptables], only_networks_that_were_defined_have_names),
        as_root(&[Need::Iptables], what_a_container_writes_there_stays),
        as_root(&[Need::Iptables, IP], a_killed_one_is_forgotten),
        as_both(&[], hosts_and_nameservers_that_are_asked_for),
        as_both(&[], who_shares_a_network_shares_its_files),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn network(space: &Space, name: &str) {
    ok(space, &["network", "create", name]);
}

fn neighbours_are_found_by_every_name() {
    let space = Space::new(Who::Root);
    network(&space, "front");
    let options = [
        "--network",
        "front",
        "--network-alias",
        "shop",
        "--network-alias",
        "store",
        "--hostname",
        "box.lan",
    ];
    let web = answering(&space, "web", &options);
    let db = answering(&space, "db", &["--network", "front"]);
    let id = std::fs::read_link(space.root().join("names/web")).unwrap();
    let id = id.to_str().unwrap();
    for name in ["web", "shop", "store", "box.lan", id] {
        assert_eq!(resolved(&space, "db", name), [address(&web, "eth0")], "{name}");
        assert_eq!(resolved(&space, "web", name), [address(&web, "eth0")], "{name}");
    }
    assert_eq!(resolved(&space, "web", "db"), [address(&db, "eth0")]);
    // Also by who resolves names in another way.
    let answer = ok(&space, &["exec", "db", "busybox", "ping", "-c", "1", "-W", "1", "shop"]);
    assert!(answer.contains(&format!("PING shop ({})", address(&web, "eth0"))), "{answer}");
    assert_eq!(ok(&space, &["exec", "web", "hostname", "-f"]), "box.lan");
}

fn names_come_and_go_with_their_containers() {
    let space = Space::new(Who::Root);
    network(&space, "front");
    let stays = answering(&space, "stays", &["--network", "front"]);
    let inode = || std::fs::metadata(stays.proc("root/etc/hosts")).unwrap().ino();
    let before = (inode(), std::fs::read_to_string(stays.proc("root/etc/hosts")).unwrap());
    for name in ["one", "two", "one"] {
        assert!(resolved(&space, "stays", name).is_empty());
        let comes = answering(&space, name, &["--network", "front"]);
        assert_eq!(resolved(&space, "stays", name), [address(&comes, "eth0")]);
        assert_eq!(resolved(&space, name, "stays"), [address(&stays, "eth0")]);
        stop(&space, comes, name);
        assert!(resolved(&space, "stays", name).is_empty());
    }
    let after = (inode(), std::fs::read_to_string(stays.proc("root/etc/hosts")).unwrap());
    assert_eq!(after, before);
}

fn a_restart_with_another_address_is_followed() {
    let space = Space::new(Who::Root);
    network(&space, "front");
    let _stays = answering(&space, "stays", &["--network", "front"]);
    ok(&space, &["run", "-d", "--network", "front", "--name", "moves", "base", "sleep", "1000"]);
    let own = || ok(&space, &["exec", "moves", "hostname", "-i"]);
    let first = own();
    assert_eq!(resolved(&space, "stays", "moves"), [first.as_str()]);
    ok(&space, &["restart", "-t", "0", "moves"]);
    let second = own();
    assert_ne!(first, second);
    assert_eq!(resolved(&space, "stays", "moves"), [second.as_str()]);
}

fn a_new_name_is_followed() {
    let space = Space::new(Who::Root);
    network(&space, "front");
    let web = answering(&space, "web", &["--network", "front"]);
    let _other = answering(&space, "other", &["--network", "front"]);
    ok(&space, &["rename", "web", "shop"]);
    assert_eq!(resolved(&space, "other", "shop"), [address(&web, "eth0")]);
    assert!(resolved(&space, "other", "web").is_empty());
    assert_eq!(resolved(&space, "shop", "shop"), [address(&web, "eth0")]);
}

fn connections_are_followed() {
    let space = Space::new(Who::Root);
    network(&space, "front");
    network(&space, "back");
    let web = answering(&space, "web", &["--network", "front"]);
    let db = answering(&space, "db", &["--network", "back"]);
    assert!(resolved(&space, "web", "db").is_empty());
    ok(&space, &["network", "connect", "--alias", "www", "back", "web"]);
    assert_eq!(resolved(&space, "web", "db"), [address(&db, "eth0")]);
    assert_eq!(resolved(&space, "db", "www"), [address(&web, "eth1")]);
    ok(&space, &["network", "disconnect", "back", "web"]);
    assert!(resolved(&space, "web", "db").is_empty() && resolved(&space, "db", "web").is_empty());
    assert_eq!(resolved(&space, "web", "web"), [address(&web, "eth0")]);
}

fn only_networks_that_were_defined_have_names() {
    let space = Space::new(Who::Root);
    let _one = answering(&space, "one", &["--network", "bridge"]);
    let _two = answering(&space, "two", &["--network", "bridge"]);
    assert!(resolved(&space, "one", "two").is_empty() && resolved(&space, "two", "one").is_empty());
}

fn what_a_container_writes_there_stays() {
    let space = Space::new(Who::Root);
    network(&space, "front");
    let web = answering(&space, "web", &["--network", "front"]);
    ok(&space, &["exec", "web", "sh", "-c", "echo '9.9.9.9 mine' >> /etc/hosts"]);
    let comes = answering(&space, "comes", &["--network", "front"]);
    assert_eq!(resolved(&space, "web", "mine"), ["9.9.9.9"]);
    stop(&space, comes, "comes");
    assert_eq!(resolved(&space, "web", "mine"), ["9.9.9.9"]);
    // A container that makes its file unusable harms nobody else.
    ok(&space, &["exec", "web", "sh", "-c", "head -c 3000000 /dev/zero > /etc/hosts"]);
    let _comes = answering(&space, "comes", &["--network", "front"]);
    assert_eq!(resolved(&space, "comes", "web"), [address(&web, "eth0")]);
}

fn a_killed_one_is_forgotten() {
    let space = Space::new(Who::Root);
    network(&space, "front");
    let _stays = answering(&space, "stays", &["--network", "front"]);
    let dies = answering(&space, "dies", &["--network", "front"]);
    let supervisor = crate::common::container::status_of(dies.pid(), "PPid").parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(supervisor), nix::sys::signal::Signal::SIGKILL)
        .unwrap();
    drop(dies);
    ok(&space, &["prune"]);
    assert!(resolved(&space, "stays", "dies").is_empty());
}

fn hosts_and_nameservers_that_are_asked_for(who: Who) {
    let space = Space::new(who);
    let options = [
        "--add-host",
        "db:10.1.2.3",
        "--add-host",
        "six:::7",
        "--dns",
        "9.9.9.9",
        "--dns-search",
        "lan",
        "--dns-option",
        "ndots:3",
    ];
    let said = space.sh(&options, "getent hosts db; cat /etc/resolv.conf; grep six /etc/hosts");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("10.1.2.3"), "{said}");
    for line in ["nameserver 9.9.9.9", "search lan", "options ndots:3", "::7\tsix"] {
        assert!(lines.contains(&line), "{line}: {said}");
    }
    assert_eq!(said.matches("nameserver").count(), 1, "{said}");
    space.base(&["--add-host", "db"], &["true"]).assert_refused(&["\"db\""]);
    space.base(&["--dns", "dns.lan"], &["true"]).assert_refused(&["dns.lan"]);
}

fn who_shares_a_network_shares_its_files(who: Who) {
    let space = Space::new(who);
    let first = space.hold(&[
        "--name",
        "first",
        "--hostname",
        "box",
        "--add-host",
        "db:10.1.2.3",
        "--dns",
        "9.9.9.9",
    ]);
    let second = space.hold(&["--network", "container:first", "--name", "second"]);
    let third = space.hold(&["--network", "container:second"]);
    let file = |running: &Running, name: &str| {
        std::fs::metadata(running.proc(&format!("root/etc/{name}"))).unwrap().ino()
    };
    for name in ["hosts", "hostname", "resolv.conf"] {
        assert_eq!(file(&second, name), file(&first, name), "{name}");
        assert_eq!(file(&third, name), file(&first, name), "{name}");
    }
    let hostname = |running: &Running| std::fs::read_to_string(running.proc("root/etc/hostname")).unwrap();
    assert_eq!(hostname(&third), "box\n");
    assert_eq!(space.sh(&["--network", "container:first"], "hostname"), "box\n");
}
