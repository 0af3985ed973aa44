//! Published ports, tried from wherever somebody may come, on a throw-away host.

use super::wire::{
    HOST, IP, OUTSIDE, answering, asked_by, asked_by_new, asked_from, fails, ok, outside, rules, stop,
};
use crate::common::need::Need;
use crate::common::space::{Host, Space, Who};
use crate::common::{Test, as_root};
use nix::sys::signal::Signal;
use std::net::{TcpListener, UdpSocket};

const LEGACY: Need = Need::Program("iptables-legacy", "iptables");

pub fn tests() -> Vec<Test> {
    [
        as_root(&[Need::Iptables, IP], a_published_port_is_reached_from_everywhere),
        as_root(&[Need::Iptables, IP], where_a_policy_drops_and_docker_rules_it_works_too),
        as_root(&[Need::Iptables, IP, LEGACY], where_the_older_tables_rule_it_works_too),
        as_root(&[Need::Iptables, IP], what_is_published_at_loopback_is_the_hosts_alone),
        as_root(&[Need::Iptables, IP], the_hosts_own_loopback_stays_its_own),
        as_root(&[Need::Iptables, IP], a_port_in_use_is_refused_and_leaves_nothing),
        as_root(&[Need::Iptables], any_port_ranges_and_exposed_ones),
        as_root(&[Need::Iptables], a_killed_supervisor_leaves_rules_to_the_next_command),
        as_root(&[Need::Iptables, IP], a_container_that_ends_takes_its_rules_alone),
        as_root(&[Need::Iptables], what_makes_no_sense_is_refused),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const PUBLISHED: [&str; 6] = ["--network", "bridge", "-p", "8080:80", "-p", "8080:80/udp"];

fn both(address: &str) -> [String; 2] {
    ["tcp", "udp"].map(|protocol| format!("{protocol}/{address}"))
}

/// From outside, from the host, from another container on the bridge, and from itself.
fn reached_from_everywhere(space: &Space, out: &Host) {
    for question in both(&format!("{HOST}:8080")) {
        assert_eq!(asked_from(out, &question), format!("web sees {OUTSIDE}"), "{question}");
        let from_host = asked_from(space.host(), &question);
        assert!(from_host.starts_with("web sees "), "{question} {from_host}");
        let from_other = asked_by_new(space, &["--network", "bridge"], &question);
        assert!(from_other.starts_with("web sees 172."), "{question} {from_other}");
        let from_itself = asked_by(space, "web", &question);
        assert!(from_itself.starts_with("web sees 172."), "{question} {from_itself}");
    }
    for question in both("127.0.0.1:8080") {
        let from_host = asked_from(space.host(), &question);
        assert!(from_host.starts_with("web sees 172."), "{question} {from_host}");
    }
}

fn a_published_port_is_reached_from_everywhere() {
    let space = Space::new(Who::Root);
    let out = outside(&space);
    let web = answering(&space, "web", &PUBLISHED);
    reached_from_everywhere(&space, &out);
    // Nobody answers at the host's IPv6 addresses, and nobody lets wait either.
    assert_eq!(asked_from(space.host(), "tcp/[::1]:8080"), "ConnectionRefused");
    let listening = space.host().sh("ss -ltnH; ss -lunH");
    assert_eq!(listening.matches("0.0.0.0:8080").count(), 2, "{listening}");
    assert_eq!(ok(&space, &["port", "web"]), "80/tcp -> 0.0.0.0:8080\n80/udp -> 0.0.0.0:8080");
    assert_eq!(ok(&space, &["port", "web", "80/udp"]), "0.0.0.0:8080");
    fails(&space, &["port", "web", "81"], &["No public port '81/tcp' published for web"]);
    stop(&space, web, "web");
    assert!(rules(space.host()).is_empty(), "{:?}", rules(space.host()));
    assert_eq!(asked_from(space.host(), "tcp/127.0.0.1:8080"), "ConnectionRefused");
    assert_eq!(space.host().links(), ["lo", "out"]);
}

/// What dockerd writes when it starts, shortened.
const DOCKER: &str = "*filter\n:FORWARD DROP [0:0]\n:DOCKER - [0:0]\n:DOCKER-USER - [0:0]\n\
    :DOCKER-ISOLATION-STAGE-1 - [0:0]\n-A FORWARD -j DOCKER-USER\n-A FORWARD -j DOCKER-ISOLATION-STAGE-1\n\
    -A FORWARD -o docker0 -j DOCKER\n-A FORWARD -i docker0 ! -o docker0 -j ACCEPT\n-A DOCKER-USER -j RETURN\n\
    -A DOCKER-ISOLATION-STAGE-1 -j RETURN\nCOMMIT\n*nat\n:DOCKER - [0:0]\n\
    -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n\
    -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER\n\
    -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n-A DOCKER -i docker0 -j RETURN\nCOMMIT\n";

fn where_a_policy_drops_and_docker_rules_it_works_too() {
    let space = Space::new(Who::Root);
    let out = outside(&space);
    let script = space.file("docker.rules", DOCKER);
    space.host().sh(&format!("iptables-restore {}", script.display()));
    let before = rules(space.host());
    let web = answering(&space, "web", &PUBLISHED);
    reached_from_everywhere(&space, &out);
    stop(&space, web, "web");
    assert_eq!(rules(space.host()), before);
    assert!(space.host().sh("iptables -S FORWARD").contains("-P FORWARD DROP"));
}

fn where_the_older_tables_rule_it_works_too() {
    let space = Space::new(Who::Root);
    let out = outside(&space);
    let legacy = || space.host().sh("iptables-legacy-save | sed -n '/^-/p'");
    space.host().sh("iptables-legacy -P FORWARD DROP; iptables-legacy -A FORWARD -i docker0 -j ACCEPT");
    let before = legacy();
    let web = answering(&space, "web", &PUBLISHED);
    reached_from_everywhere(&space, &out);
    assert!(legacy().contains("minidocker0"), "{}", legacy());
    assert!(rules(space.host()).is_empty(), "{:?}", rules(space.host()));
    stop(&space, web, "web");
    assert_eq!(legacy(), before);
}

fn what_is_published_at_loopback_is_the_hosts_alone() {
    let space = Space::new(Who::Root);
    let out = outside(&space);
    let web = answering(&space, "web", &["--network", "bridge", "-p", "127.0.0.1:8080:80"]);
    let address = super::wire::address(&web, "eth0");
    assert!(asked_from(space.host(), "tcp/127.0.0.1:8080").starts_with("web sees 172."));
    assert_eq!(asked_from(space.host(), &format!("tcp/{HOST}:8080")), "ConnectionRefused");
    assert_eq!(asked_from(&out, &format!("tcp/{HOST}:8080")), "ConnectionRefused");
    // A neighbour who sends packets to 127.0.0.1 over the wire, or to the container itself.
    out.sh(&format!(
        "ip addr del 127.0.0.1/8 dev lo; echo 1 > /proc/sys/net/ipv4/conf/in/route_localnet; \
         ip route add 127.0.0.1 via {HOST} src {OUTSIDE}; ip route add 172.16.0.0/12 via {HOST}"
    ));
    assert_eq!(asked_from(&out, "tcp/127.0.0.1:8080"), "nothing");
    assert_eq!(asked_from(&out, &format!("tcp/{address}:80")), "nothing");
    assert_eq!(ok(&space, &["port", "web"]), "80/tcp -> 127.0.0.1:8080");
    drop(web);
}

fn the_hosts_own_loopback_stays_its_own() {
    let space = Space::new(Who::Root);
    let _out = outside(&space);
    let listener = space.host().in_network(|| TcpListener::bind("127.0.0.1:7000").unwrap());
    std::thread::spawn(move || while listener.accept().is_ok() {});
    let _web = answering(&space, "web", &PUBLISHED);
    // Whoever may change the routes of a container sends its packets to 127.0.0.1 to the host.
    let script = "ip addr del 127.0.0.1/8 dev lo; echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet; \
                  gate=$(ip route | awk '/default/ {print $3}'); own=$(hostname -i); \
                  ip route add 127.0.0.1 via $gate src $own; nc -w 1 127.0.0.1 7000 < /dev/null && echo reached; echo tried";
    let tried = space.base(&["--network", "bridge", "--privileged"], &["sh", "-c", script]);
    assert_eq!((tried.status, tried.out.as_str()), (0, "tried\n"), "{}", tried.err);
}

fn a_port_in_use_is_refused_and_leaves_nothing() {
    let space = Space::new(Who::Root);
    let host = space.host();
    host.sh("ip link set lo up");
    let (tcp, udp) = host.in_network(|| {
        (TcpListener::bind("127.0.0.1:8080").unwrap(), UdpSocket::bind("0.0.0.0:5353").unwrap())
    });
    for (port, facts) in [("8080:80", "0.0.0.0:8080"), ("5353:53/udp", "0.0.0.0:5353")] {
        let refused = space.base(&["--network", "bridge", "-p", "9000:90", "-p", port], &["true"]);
        refused.assert_refused(&["port is already allocated", facts, "EADDRINUSE"]);
    }
    space
        .base(&["--network", "bridge", "-p", "203.0.113.77:80:80"], &["true"])
        .assert_refused(&["203.0.113.77:80", "EADDRNOTAVAIL"]);
    drop((tcp, udp));
    let first = answering(&space, "first", &["--network", "bridge", "-p", "8080:80"]);
    let second = space.base(&["--network", "bridge", "-p", "127.0.0.1:8080:80"], &["true"]);
    second.assert_refused(&["port is already allocated", "127.0.0.1:8080"]);
    stop(&space, first, "first");
    assert!(space.containers().is_empty());
    assert_eq!((rules(host), host.links()), (vec![], vec!["lo".to_owned()]));
    assert_eq!(host.sh("ss -ltunH"), "");
}

fn any_port_ranges_and_exposed_ones() {
    let space = Space::new(Who::Root);
    space.host().sh("ip link set lo up");
    let held = space.host().in_network(|| TcpListener::bind("0.0.0.0:8000").unwrap());
    let options = [
        "--network",
        "bridge",
        "-p",
        "80",
        "-p",
        "8000-8010:81",
        "-p",
        "8100-8102:82-84",
        "-p",
        "127.0.0.1::85/udp",
    ];
    let web = answering(&space, "web", &options);
    let ports = ok(&space, &["port", "web"]);
    let lines: Vec<&str> = ports.lines().collect();
    assert_eq!(lines.len(), 6, "{ports}");
    assert_eq!(
        &lines[1..5],
        [
            "81/tcp -> 0.0.0.0:8001",
            "82/tcp -> 0.0.0.0:8100",
            "83/tcp -> 0.0.0.0:8101",
            "84/tcp -> 0.0.0.0:8102"
        ]
    );
    assert!(lines[5].starts_with("85/udp -> 127.0.0.1:"), "{ports}");
    let any = lines[0].strip_prefix("80/tcp -> 0.0.0.0:").unwrap();
    assert!(asked_from(space.host(), &format!("tcp/127.0.0.1:{any}")).starts_with("web sees "));
    drop((held, web));

    let all = answering(
        &space,
        "all",
        &["--network", "bridge", "-P", "--expose", "80-81", "--expose", "53/udp", "-p", "8080:81"],
    );
    let ports = ok(&space, &["port", "all"]);
    let inside: Vec<&str> = ports.lines().map(|line| line.split(" -> ").next().unwrap()).collect();
    assert_eq!(inside, ["53/udp", "80/tcp", "81/tcp"], "{ports}");
    assert!(ports.contains("81/tcp -> 0.0.0.0:8080"), "{ports}");
    drop(all);
}

fn a_killed_supervisor_leaves_rules_to_the_next_command() {
    let space = Space::new(Who::Root);
    let host = space.host();
    host.sh("ip link set lo up; iptables -A FORWARD -i other0 -j ACCEPT");
    let before = rules(host);
    let id = ok(&space, &["run", "-d", "--network", "bridge", "-p", "8080:80", "base", "sleep", "1000"]);
    assert!(rules(host).iter().any(|rule| rule.contains(&format!("minidocker-{id}"))), "{:?}", rules(host));
    let listening = host.sh("ss -ltnpH");
    let pid = listening.split("pid=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    while host.sh("ss -ltnH").contains(":8080") {}
    ok(&space, &["prune"]);
    assert_eq!((rules(host), host.links()), (before, vec!["lo".to_owned()]));
    // The port is free again.
    assert_eq!(space.base(&["--network", "bridge", "-p", "8080:80"], &["true"]).status, 0);
}

fn a_container_that_ends_takes_its_rules_alone() {
    let space = Space::new(Who::Root);
    let out = outside(&space);
    let first = answering(&space, "first", &["--network", "bridge", "-p", "8081:80"]);
    let before = rules(space.host());
    let second = answering(&space, "second", &["--network", "bridge", "-p", "8082:80"]);
    assert_eq!(asked_from(&out, &format!("tcp/{HOST}:8082")), format!("second sees {OUTSIDE}"));
    stop(&space, second, "second");
    assert_eq!(rules(space.host()), before);
    assert_eq!(asked_from(&out, &format!("tcp/{HOST}:8081")), format!("first sees {OUTSIDE}"));
    // Rules that somebody flushed do not keep a container from ending.
    space.host().sh("iptables -t nat -F; iptables -F FORWARD");
    assert_eq!(stop(&space, first, "first").status, 137);
    assert_eq!(
        (rules(space.host()), space.host().links()),
        (vec![], vec!["lo".to_owned(), "out".to_owned()])
    );
}

fn what_makes_no_sense_is_refused() {
    let space = Space::new(Who::Root);
    let cases: [(&[&str], &str); 8] = [
        (&["-p", "80:81:82:83"], "80:81"),
        (&["-p", "8000-8002:80-81"], "8000-8002:80-81"),
        (&["-p", "host:80:80"], "host"),
        (&["--expose", "x"], "\"x\""),
        (&["--network", "container:web", "-p", "80:80"], "conflicting options"),
        (&["--network", "host", "--network", "none"], "conflicting options"),
        (&["--ip", "10.0.0.1"], "--ip"),
        (&["--network", "bridge", "--network-alias", "a"], "--network-alias"),
    ];
    for (options, fact) in cases {
        let options = if options.contains(&"--network") {
            options.to_vec()
        } else {
            [&["--network", "bridge"], options].concat()
        };
        space.base(&options, &["true"]).assert_refused(&[fact]);
    }
    assert!(space.containers().is_empty() && rules(space.host()).is_empty());
}
