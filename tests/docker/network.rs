//! Networks that a person defines, looked at with `ip` and by whoever can reach whom.

use super::wire::{
    HOST, IP, OUTSIDE, address, answering, asked_by, asked_by_new, asked_from, fails, ok, outside, rules,
    stop,
};
use crate::common::container::{Outcome, Running, links_of};
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root};
use std::collections::BTreeSet;
use std::net::TcpListener;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], networks_are_defined_listed_and_removed),
        as_both(&[], nonsense_is_one_sentence_and_status_one),
        as_root(&[Need::Iptables, IP], a_bridge_is_there_while_somebody_is_on_it),
        as_root(&[Need::Iptables, IP], networks_are_kept_apart_from_each_other),
        as_root(&[Need::Iptables, IP], from_an_internal_network_nothing_leads_out),
        as_root(&[Need::Iptables, IP], a_container_may_be_in_several),
        as_root(&[Need::Iptables, IP], a_running_container_is_connected_and_disconnected),
        as_root(&[Need::Iptables, IP], a_stopped_container_is_connected_for_its_next_start),
        as_root(&[Need::Iptables, IP], published_ports_follow_the_way_out),
        as_root(&[Need::Iptables, IP], a_subnet_in_use_is_not_taken),
        as_root(&[Need::Iptables, IP], fifty_at_once_have_fifty_addresses),
        as_root(&[Need::Iptables, IP], ipv6_stays_as_it_is),
        as_root(&[Need::Iptables, IP, Need::FaultHook], connecting_may_fail_or_be_killed_at_any_request),
        as_root(&[Need::Iptables, IP, Need::FaultHook], disconnecting_may_fail_or_be_killed_at_any_request),
        as_both(&[Need::FaultHook], defining_may_fail_or_be_killed_at_any_request),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn networks_are_defined_listed_and_removed(who: Who) {
    let space = Space::new(who);
    let id =
        ok(&space, &["network", "create", "--subnet", "10.77.0.0/24", "--gateway", "10.77.0.9", "front"]);
    assert!(id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let listed = ok(&space, &["network", "ls"]);
    let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NETWORK", "ID", "NAME", "DRIVER", "SCOPE"]);
    let names: Vec<_> = rows[1..].iter().map(|row| (row[1], row[2], row[3])).collect();
    let expected = [("bridge", "bridge"), ("front", "bridge"), ("host", "host"), ("none", "null")];
    assert_eq!(names, expected.map(|(name, driver)| (name, driver, "local")));
    assert_eq!(rows[2][0], id);
    assert_eq!(ok(&space, &["network", "ls", "-q", "-f", "name=front"]), id);
    let json: serde_json::Value =
        serde_json::from_str(&ok(&space, &["network", "inspect", &id[..4]])).unwrap();
    let network = &json[0];
    assert_eq!((network["Name"].as_str(), network["Id"].as_str()), (Some("front"), Some(id.as_str())));
    assert_eq!(network["IPAM"]["Config"][0]["Subnet"], "10.77.0.0/24");
    assert_eq!(network["IPAM"]["Config"][0]["Gateway"], "10.77.0.9");
    assert_eq!(ok(&space, &["network", "inspect", "-f", "{{.Driver}}", "front"]), "bridge");
    assert_eq!(ok(&space, &["network", "create", "back"]).len(), 12);
    assert_eq!(ok(&space, &["network", "rm", "front"]), "front");
    assert_eq!(ok(&space, &["network", "prune", "-f"]), "Deleted Networks:\nback");
    assert_eq!(ok(&space, &["network", "ls", "-q"]).lines().count(), 3);
    // Nothing was made in the kernel for it.
    if who == Who::Root {
        assert_eq!((space.host().links(), rules(space.host())), (vec!["lo".to_owned()], vec![]));
    }
}

fn nonsense_is_one_sentence_and_status_one(who: Who) {
    let space = Space::new(who);
    ok(&space, &["network", "create", "--subnet", "10.77.0.0/24", "front"]);
    let cases: [(&[&str], &[&str]); 10] = [
        (&["create", "front"], &["front", "already exists"]),
        (&["create", "--subnet", "10.77.0.128/25", "x"], &["10.77.0.128/25", "overlaps"]),
        (&["create", "--subnet", "10.78.0.1/24", "x"], &["10.78.0.1/24"]),
        (&["create", "--subnet", "10.78.0.0/24", "--gateway", "10.79.0.1", "x"], &["10.79.0.1"]),
        (&["create", "-d", "overlay", "x"], &["overlay"]),
        (&["create", "a/b"], &["a/b"]),
        (&["rm", "bridge"], &["bridge"]),
        (&["rm", "nobody"], &["nobody"]),
        (&["inspect", "nobody"], &["nobody"]),
        (&["connect", "front", "nobody"], &["nobody"]),
    ];
    for (words, facts) in cases {
        let outcome = space.minidocker(&[&["network"], words].concat());
        assert_eq!(outcome.status, 1, "{words:?} {}", outcome.err);
        assert_eq!(outcome.err.trim_end().lines().count(), 1, "{}", outcome.err);
        assert!(facts.iter().all(|fact| outcome.err.contains(fact)), "{facts:?}: {}", outcome.err);
    }
    assert_eq!(ok(&space, &["network", "ls", "-q"]).lines().count(), 4);
    ok(&space, &["network", "rm", "-f", "nobody", "front"]);
}

/// The links of the host that are bridges of ours.
fn bridges(space: &Space) -> Vec<String> {
    let ours = |link: &String| link.starts_with("md-") || link.starts_with("minidocker");
    space.host().links().into_iter().filter(ours).collect()
}

fn a_bridge_is_there_while_somebody_is_on_it() {
    let space = Space::new(Who::Root);
    let id = ok(&space, &["network", "create", "--subnet", "10.77.0.0/24", "front"]);
    let web = answering(&space, "web", &["--network", "front"]);
    assert_eq!(bridges(&space), [format!("md-{id}")]);
    assert_eq!(address(&web, "eth0"), "10.77.0.2");
    assert!(space.host().sh(&format!("ip -o addr show dev md-{id}")).contains(" 10.77.0.1/24 "));
    assert_eq!(
        asked_by_new(&space, &["--network", "front", "--ip", "10.77.0.99"], "tcp/10.77.0.2:80"),
        "web sees 10.77.0.99"
    );
    let json: serde_json::Value =
        serde_json::from_str(&ok(&space, &["network", "inspect", "front"])).unwrap();
    let containers: Vec<_> = json[0]["Containers"].as_object().unwrap().values().collect();
    assert_eq!(
        (containers.len(), &containers[0]["Name"], &containers[0]["IPv4Address"]),
        (1, &"web".into(), &"10.77.0.2/24".into())
    );
    fails(&space, &["network", "rm", "front"], &["front", "web"]);
    space
        .base(&["--network", "front", "--ip", "10.77.0.2"], &["true"])
        .assert_refused(&["10.77.0.2", "in use"]);
    space.base(&["--network", "front", "--ip", "10.78.0.2"], &["true"]).assert_refused(&["10.78.0.2"]);
    space.base(&["--network", "nobody"], &["true"]).assert_refused(&["nobody"]);
    stop(&space, web, "web");
    assert_eq!((space.host().links(), rules(space.host())), (vec!["lo".to_owned()], vec![]));
    assert_eq!(ok(&space, &["network", "ls", "-q", "-f", "name=front"]), id, "the definition stays");
}

fn networks_are_kept_apart_from_each_other() {
    let space = Space::new(Who::Root);
    let _out = outside(&space);
    for (name, subnet) in [("one", "10.77.0.0/24"), ("two", "10.78.0.0/24")] {
        ok(&space, &["network", "create", "--subnet", subnet, name]);
    }
    let one = answering(&space, "first", &["--network", "one", "-p", "8081:80"]);
    let two = answering(&space, "second", &["--network", "two"]);
    let three = answering(&space, "third", &["--network", "bridge"]);
    let at = |running: &Running| format!("tcp/{}:80", address(running, "eth0"));
    assert_eq!(asked_by_new(&space, &["--network", "two"], &at(&two)), "second sees 10.78.0.3");
    // Whichever of two bridges was made first.
    for (network, other) in
        [("one", &two), ("one", &three), ("two", &one), ("two", &three), ("bridge", &one), ("bridge", &two)]
    {
        assert_eq!(asked_by_new(&space, &["--network", network], &at(other)), "nothing", "{network}");
    }
    // But at a port that is published for all.
    let published = asked_by_new(&space, &["--network", "two"], &format!("tcp/{HOST}:8081"));
    assert_eq!(published, "first sees 10.77.0.1");
}

fn from_an_internal_network_nothing_leads_out() {
    let space = Space::new(Who::Root);
    let out = outside(&space);
    let listener = out.in_network(|| TcpListener::bind((OUTSIDE, 7000)).unwrap());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            drop(stream)
        }
    });
    ok(&space, &["network", "create", "--internal", "--subnet", "10.77.0.0/24", "inside"]);
    let web = answering(&space, "web", &["--network", "inside"]);
    assert_eq!(asked_by_new(&space, &["--network", "inside"], "tcp/10.77.0.2:80"), "web sees 10.77.0.3");
    let question = format!("tcp/{OUTSIDE}:7000");
    assert_eq!(asked_by_new(&space, &["--network", "bridge"], &question), "", "somebody listens there");
    assert_eq!(asked_by(&space, "web", &question), "NetworkUnreachable");
    out.sh(&format!("ip route add 10.77.0.0/24 via {HOST}"));
    assert_eq!(asked_from(&out, "tcp/10.77.0.2:80"), "nothing");
    space.base(&["--network", "inside", "-p", "80"], &["true"]).assert_refused(&["internal"]);
    // Also where the container knows a way.
    let script =
        "ip route add default via 10.77.0.1; nc -w 1 203.0.113.2 7000 </dev/null && echo reached; echo tried";
    let tried = space.base(&["--network", "inside", "--cap-add", "NET_ADMIN"], &["sh", "-c", script]);
    assert_eq!((tried.status, tried.out.as_str()), (0, "tried\n"), "{}", tried.err);
    drop(web);
}

fn a_container_may_be_in_several() {
    let space = Space::new(Who::Root);
    for (name, subnet) in [("one", "10.77.0.0/24"), ("two", "10.78.0.0/24")] {
        ok(&space, &["network", "create", "--subnet", subnet, name]);
    }
    let both =
        answering(&space, "both", &["--network", "two", "--network", "name=one,ip=10.77.0.50,alias=other"]);
    assert_eq!(links_of(both.pid()), ["lo", "eth0", "eth1"]);
    assert_eq!(
        (address(&both, "eth0"), address(&both, "eth1")),
        ("10.78.0.2".to_owned(), "10.77.0.50".to_owned())
    );
    let routes = ok(&space, &["exec", "both", "ip", "route", "show", "default"]);
    assert!(routes.starts_with("default via 10.78.0.1 dev eth0"), "{routes}");
    assert_eq!(asked_by_new(&space, &["--network", "one"], "tcp/10.77.0.50:80"), "both sees 10.77.0.2");
    assert_eq!(asked_by_new(&space, &["--network", "two"], "tcp/10.78.0.2:80"), "both sees 10.78.0.3");
    stop(&space, both, "both");
    assert_eq!((space.host().links(), rules(space.host())), (vec!["lo".to_owned()], vec![]));
}

fn a_running_container_is_connected_and_disconnected() {
    let space = Space::new(Who::Root);
    for (name, subnet) in [("one", "10.77.0.0/24"), ("two", "10.78.0.0/24")] {
        ok(&space, &["network", "create", "--subnet", subnet, name]);
    }
    let web = answering(&space, "web", &["--network", "one"]);
    assert_eq!(ok(&space, &["network", "connect", "--ip", "10.78.0.7", "--alias", "shop", "two", "web"]), "");
    assert_eq!(links_of(web.pid()), ["lo", "eth0", "eth1"]);
    assert_eq!(asked_by_new(&space, &["--network", "two"], "tcp/10.78.0.7:80"), "web sees 10.78.0.2");
    fails(&space, &["network", "connect", "two", "web"], &["web", "already", "two"]);
    ok(&space, &["network", "disconnect", "one", "web"]);
    assert_eq!(links_of(web.pid()), ["lo", "eth1"]);
    let routes = ok(&space, &["exec", "web", "ip", "route", "show", "default"]);
    assert!(routes.starts_with("default via 10.78.0.1 dev eth1"), "{routes}");
    fails(&space, &["network", "disconnect", "one", "web"], &["web", "one"]);
    assert_eq!(bridges(&space).len(), 1);
    ok(&space, &["network", "disconnect", "two", "web"]);
    assert_eq!((links_of(web.pid()), bridges(&space).len()), (vec!["lo".to_owned()], 0));
    ok(&space, &["network", "connect", "bridge", "web"]);
    assert_eq!(links_of(web.pid()), ["lo", "eth0"]);
    let gateway = ok(&space, &["exec", "web", "sh", "-c", "ip route | awk '/default/ {print $3}'"]);
    assert_eq!(gateway, "172.30.0.1");
    stop(&space, web, "web");
    assert_eq!((space.host().links(), rules(space.host())), (vec!["lo".to_owned()], vec![]));

    let alone = space.hold(&["--network", "none", "--name", "alone"]);
    fails(&space, &["network", "connect", "one", "alone"], &["alone", "none"]);
    drop(alone);
}

fn a_stopped_container_is_connected_for_its_next_start() {
    let space = Space::new(Who::Root);
    ok(&space, &["network", "create", "--subnet", "10.77.0.0/24", "one"]);
    ok(&space, &["create", "--network", "bridge", "--name", "later", "base", "sleep", "1000"]);
    ok(&space, &["network", "connect", "--ip", "10.77.0.9", "one", "later"]);
    ok(&space, &["start", "later"]);
    let links = || ok(&space, &["exec", "later", "sh", "-c", "ip -4 -o addr | awk '{print $2, $4}'"]);
    assert_eq!(links(), "lo 127.0.0.1/8\neth0 172.30.0.2/16\neth1 10.77.0.9/24");
    ok(&space, &["stop", "-t", "0", "later"]);
    ok(&space, &["network", "disconnect", "bridge", "later"]);
    ok(&space, &["start", "later"]);
    assert_eq!(links(), "lo 127.0.0.1/8\neth0 10.77.0.9/24");
    // What is connected while it runs is there after its restart, too.
    ok(&space, &["network", "connect", "bridge", "later"]);
    ok(&space, &["restart", "-t", "0", "later"]);
    assert!(links().contains("eth0 10.77.0.9/24\neth1 172.30."), "{}", links());
    ok(&space, &["rm", "-f", "later"]);
    ok(&space, &["network", "rm", "one"]);
    assert_eq!((space.host().links(), rules(space.host())), (vec!["lo".to_owned()], vec![]));
}

fn published_ports_follow_the_way_out() {
    let space = Space::new(Who::Root);
    let out = outside(&space);
    for (name, subnet) in [("one", "10.77.0.0/24"), ("two", "10.78.0.0/24")] {
        ok(&space, &["network", "create", "--subnet", subnet, name]);
    }
    let question = format!("tcp/{HOST}:8080");
    let web = answering(&space, "web", &["--network", "one", "-p", "8080:80"]);
    assert_eq!(asked_from(&out, &question), format!("web sees {OUTSIDE}"));
    ok(&space, &["network", "connect", "two", "web"]);
    ok(&space, &["network", "disconnect", "one", "web"]);
    assert_eq!(asked_from(&out, &question), format!("web sees {OUTSIDE}"));
    assert!(!rules(space.host()).iter().any(|rule| rule.contains("10.77.0.")), "{:?}", rules(space.host()));
    ok(&space, &["network", "disconnect", "two", "web"]);
    assert_eq!(rules(space.host()), Vec::<String>::new());
    ok(&space, &["network", "connect", "one", "web"]);
    assert_eq!(asked_from(&out, &question), format!("web sees {OUTSIDE}"));
    stop(&space, web, "web");
    assert_eq!((rules(space.host()), bridges(&space).len()), (vec![], 0));
}

fn a_subnet_in_use_is_not_taken() {
    let space = Space::new(Who::Root);
    space.host().sh("ip link set lo up; ip addr add 172.30.77.1/24 dev lo; ip addr add 10.77.0.1/24 dev lo");
    ok(&space, &["network", "create", "first"]);
    let json: serde_json::Value =
        serde_json::from_str(&ok(&space, &["network", "inspect", "first"])).unwrap();
    assert_eq!(json[0]["IPAM"]["Config"][0]["Subnet"], "172.31.0.0/16");
    fails(&space, &["network", "create", "--subnet", "10.77.0.0/16", "x"], &["10.77.0.0/16", "overlaps"]);
    // The default network keeps away from one that is only defined; another state root from what stands here.
    let running = space.hold(&["--network", "bridge"]);
    assert!(address(&running, "eth0").starts_with("10.200."), "{}", address(&running, "eth0"));
    ok(&space, &["network", "create", "--subnet", "10.88.0.0/24", "late"]);
    space.host().sh("ip addr add 10.88.0.77/24 dev lo");
    space.base(&["--network", "late"], &["true"]).assert_refused(&["10.88.0.0/24", "overlaps"]);
    assert_eq!(bridges(&space), ["minidocker0"]);
    assert_eq!(running.end().status, 0);
}

fn fifty_at_once_have_fifty_addresses() {
    let space = Space::new(Who::Root);
    ok(&space, &["network", "create", "--subnet", "10.77.0.0/24", "one"]);
    let waiting: Vec<Running> = (0..50)
        .map(|_| space.start(&["--network", "one"], &["sh", "-c", "hostname -i; read line; exit 0"]))
        .collect();
    let mut waiting = waiting;
    let addresses: BTreeSet<String> = waiting.iter_mut().map(Running::line).collect();
    assert_eq!(addresses.len(), 50, "{addresses:?}");
    assert!(addresses.iter().all(|address| address.starts_with("10.77.0.")), "{addresses:?}");
    for running in waiting {
        assert_eq!(running.end().status, 0);
    }
    assert_eq!((space.host().links(), rules(space.host())), (vec!["lo".to_owned()], vec![]));
}

fn ipv6_stays_as_it_is() {
    let space = Space::new(Who::Root);
    let forwarding = || space.host().sh("cat /proc/sys/net/ipv6/conf/all/forwarding");
    let before = forwarding();
    let (first, second) = (space.hold(&["--network", "bridge"]), space.hold(&["--network", "bridge"]));
    assert_eq!(forwarding(), before);
    let own = |running: &Running| {
        let text = running.read("net/if_inet6");
        text.lines().any(|line| line.starts_with("fe80") && line.ends_with("eth0"))
    };
    assert!(own(&first) && own(&second));
    assert_eq!(space.host().sh("cat /proc/sys/net/ipv6/conf/minidocker0/accept_ra"), "0\n");
}

/// Do `work` with a `minidocker WORDS` of which every `every`th request fails, and then is killed at; until none is left
/// to be broken. How many were.
fn broken(space: &Space, words: &[&str], every: usize, mut work: impl FnMut(Outcome, &str)) -> usize {
    let fired = space.path("fired");
    let mut count = 0;
    for fault in ["EIO", "kill"] {
        for at in (1..).step_by(every) {
            let _ = std::fs::remove_file(&fired);
            let mut command = space.command();
            command.args(words).env("MINIDOCKER_FAULT", format!("runtime:{at}:{fault}"));
            let outcome = Running::start(command.env("MINIDOCKER_FAULT_FIRED", &fired)).end();
            let reached = std::fs::metadata(&fired).is_ok_and(|status| status.len() > 0);
            work(outcome, &format!("{fault} {at}"));
            if !reached {
                break;
            }
            count += 1;
        }
    }
    count
}

/// What a host and a container have of networks.
fn state(space: &Space, running: &Running) -> (Vec<String>, Vec<String>, Vec<String>, String) {
    let hosts = std::fs::read_to_string(running.proc("root/etc/hosts")).unwrap();
    (links_of(running.pid()), space.host().links(), rules(space.host()), hosts)
}

fn two_networks_and_one_container(space: &Space) -> Running {
    for (name, subnet) in [("one", "10.77.0.0/24"), ("two", "10.78.0.0/24")] {
        ok(space, &["network", "create", "--subnet", subnet, name]);
    }
    space.hold(&["--network", "one", "--name", "web", "-p", "8080:80"])
}

fn connecting_may_fail_or_be_killed_at_any_request() {
    let space = Space::new(Who::Root);
    let web = two_networks_and_one_container(&space);
    let before = state(&space, &web);
    let count = broken(&space, &["network", "connect", "two", "web"], 2, |outcome, at| {
        if outcome.status == 1 {
            assert_eq!(state(&space, &web), before, "{at}: {}", outcome.err);
        }
        ok(&space, &["prune"]);
        let links = links_of(web.pid());
        assert!(links == ["lo", "eth0"] || links == ["lo", "eth0", "eth1"], "{at}: {links:?}");
        let _ = space.minidocker(&["network", "disconnect", "two", "web"]);
        assert_eq!(state(&space, &web), before, "{at}: {}", outcome.err);
    });
    assert!(count > 20, "{count}");
    assert_eq!(web.end().status, 0);
    assert_eq!((space.host().links(), rules(space.host())), (vec!["lo".to_owned()], vec![]));
}

fn disconnecting_may_fail_or_be_killed_at_any_request() {
    let space = Space::new(Who::Root);
    let web = two_networks_and_one_container(&space);
    ok(&space, &["network", "connect", "two", "web"]);
    let connected = || links_of(web.pid()) == ["lo", "eth0", "eth1"];
    // The way out goes with the first network; and then there is another.
    let count = broken(&space, &["network", "disconnect", "one", "web"], 7, |outcome, at| {
        ok(&space, &["prune"]);
        let _ = space.minidocker(&["network", "disconnect", "one", "web"]);
        assert_eq!(links_of(web.pid()), ["lo", "eth1"], "{at}: {}", outcome.err);
        let way = ok(&space, &["exec", "web", "ip", "route", "show", "default"]);
        assert!(way.starts_with("default via 10.78.0.1 dev eth1"), "{at}: {way}");
        let published = rules(space.host()).iter().filter(|rule| rule.contains("-j DNAT")).count();
        assert_eq!(published, 2, "{at}: {:?}", rules(space.host()));
        assert_eq!(bridges(&space).len(), 1, "{at}");
        // Back to where it was: by the first network again, alone, and then the second.
        ok(&space, &["network", "disconnect", "two", "web"]);
        ok(&space, &["network", "connect", "one", "web"]);
        ok(&space, &["network", "connect", "two", "web"]);
        assert!(connected(), "{at}");
    });
    assert!(count > 8, "{count}");
    assert_eq!(web.end().status, 0);
    assert_eq!((space.host().links(), rules(space.host())), (vec!["lo".to_owned()], vec![]));
}

fn defining_may_fail_or_be_killed_at_any_request(who: Who) {
    let space = Space::new(who);
    let names = || ok(&space, &["network", "ls", "--format", "{{.Name}}"]);
    let without = names();
    let with = without.replace("host", "front\nhost");
    broken(&space, &["network", "create", "front"], 1, |outcome, at| {
        let now = names();
        assert!(now == without || now == with, "{at}: {now}");
        assert!(outcome.status != 0 || now == with, "{at}: {now}");
        let _ = space.minidocker(&["network", "rm", "front"]);
        assert_eq!(names(), without, "{at}");
    });
    ok(&space, &["network", "create", "front"]);
    broken(&space, &["network", "rm", "front"], 1, |_, at| {
        let now = names();
        assert!(now == without || now == with, "{at}: {now}");
        let _ = space.minidocker(&["network", "create", "front"]);
        assert_eq!(names(), with, "{at}");
    });
    let left = std::fs::read_dir(space.root().join("network")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.ends_with(".new")), "{left:?}");
}
