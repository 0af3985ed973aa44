//! Bridged containers of an ordinary user: in namespaces that they share, with a program that leads out of them.

use crate::common::container::{Running, namespace_of};
use crate::common::need::Need;
use crate::common::space::{Host, Space, Who, uid_of};
use crate::common::{Test, as_root};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

pub fn tests() -> Vec<Test> {
    let needs = &[Need::Rootless, Need::Iptables, Need::Program("newuidmap", "uidmap")];
    let with = |name, package| {
        let way = Need::Program(name, package);
        [Need::Rootless, Need::Iptables, Need::Program("busybox", "busybox-static"), way]
    };
    [
        as_root(needs, they_share_two_namespaces_and_reach_each_other),
        as_root(needs, one_id_is_enough),
        as_root(needs, the_first_may_end_and_the_last_takes_all_along),
        as_root(needs, many_that_start_at_once_find_each_other),
        as_root(needs, a_killed_supervisor_leaves_nothing_that_prune_does_not_find),
        as_root(needs, without_a_program_they_reach_each_other_and_a_note_says_so),
        as_root(needs, a_state_file_that_lies_is_not_believed),
        as_root(needs, a_published_port_is_carried_across),
        as_root(needs, networks_that_she_defines_know_names),
        as_root(needs, a_running_container_is_connected_and_disconnected),
        as_root(needs, whoever_is_started_again_is_on_the_bridge_again),
        as_root(needs, a_container_joins_the_network_of_a_bridged_one),
        as_root(needs, a_port_of_roots_is_refused),
        as_root(needs, a_published_port_goes_with_the_container),
        as_root(&with("pasta", "passt"), other_containers_reach_a_published_port_at_the_hosts_address),
        as_root(&with("pasta", "passt"), whoever_is_killed_leaves_nothing_that_prune_does_not_find),
        as_root(&with("pasta", "passt"), pasta_leads_out),
        as_root(&with("slirp4netns", "slirp4netns"), slirp4netns_leads_out),
        as_root(&with("pasta", "passt"), a_killed_pasta_is_noticed_by_the_next),
        as_root(&with("pasta", "passt"), the_bridge_is_the_default_where_something_leads_out),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const FIRST: u32 = 300_000;

/// An ordinary user's space, with as many ids as is usual, on a host without programs that lead out.
fn islanders() -> Space {
    let space = Space::new(Who::User);
    give_ids(&space);
    for program in ["pasta", "slirp4netns"] {
        hide(&space, program);
    }
    space
}

fn give_ids(space: &Space) {
    let file = space.path("subids");
    std::fs::write(&file, format!("{}:{FIRST}:65536\n", uid_of(Who::User))).unwrap();
    let file = file.display();
    space.host().sh(&format!(
        "touch /etc/subuid /etc/subgid; mount --bind {file} /etc/subuid && mount --bind {file} /etc/subgid"
    ));
}

/// Whoever looks for this program finds a file that nobody may execute.
fn hide(space: &Space, program: &str) {
    let file = space.path("hidden");
    std::fs::write(&file, "").unwrap();
    let script = "if [ -e /usr/bin/$P ]; then mount --bind $F $(readlink -f /usr/bin/$P); fi";
    space.host().sh(&format!("P={program} F={}; {script}", file.display()));
}

/// A space whose host is connected to another, its world, with one server, which says `hello`; and whose device of tap
/// interfaces is open to all, as udev makes it.
fn connected(way: &str) -> (Space, Host) {
    let space = Space::new(Who::User);
    give_ids(&space);
    for program in ["pasta", "slirp4netns"].into_iter().filter(|program| *program != way) {
        hide(&space, program);
    }
    let device = space.path("device");
    std::fs::create_dir(&device).unwrap();
    let world = Host::new();
    space.host().sh(&format!(
        "set -e; ip link set lo up; ip link add eth0 type veth peer name eth0 netns {1}
         ip addr add 10.9.0.2/24 dev eth0; ip link set eth0 up
         mount -t tmpfs none {0}; mknod -m 666 {0}/tun c 10 200; mount --bind {0}/tun /dev/net/tun",
        device.display(),
        world.pid(),
    ));
    world.sh("set -e; ip link set lo up; ip addr add 10.9.0.1/24 dev eth0; ip link set eth0 up
              ip addr add 198.51.100.7/32 dev lo");
    space.host().sh("ip route add default via 10.9.0.1");
    let server = world.in_network(|| TcpListener::bind("198.51.100.7:7")).unwrap();
    std::thread::spawn(move || {
        for client in server.incoming() {
            let _ = client.unwrap().write_all(b"hello\n");
        }
    });
    (space, world)
}

/// Older versions of pasta(1) now and then lose the end of a connection; so only the first line is waited for.
const HELLO: &str = "{ busybox nc 198.51.100.7 7 & } | { read line; echo $line; }";
const BRIDGE: [&str; 2] = ["--network", "bridge"];

fn address(running: &mut Running) -> String {
    running.say("hostname -i");
    running.line()
}

/// A shell in a bridged container, whose lines are said to it.
fn shell(space: &Space) -> Running {
    let mut running = space.start(&BRIDGE, &["sh", "-c", "echo ready; while read l; do eval \"$l\"; done"]);
    running.expect("ready");
    running
}

/// What the host's `ps` knows of processes whose command line names one of the programs, of the space's person.
fn ways_out(space: &Space) -> Vec<u32> {
    let words = ["pgrep", "-u", &uid_of(Who::User).to_string(), "-f", "(pasta|slirp4netns) .*/ns/net"]
        .map(str::to_owned);
    let output = Command::new(&words[0]).args(&words[1..]).output().unwrap();
    let all = String::from_utf8(output.stdout).unwrap();
    let host = namespace_of(space.host().pid(), "mnt");
    let here = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let cmdline = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        !status.contains("State:\tZ") && !cmdline.is_empty() && in_host_network(*pid, space)
    };
    assert!(!host.is_empty());
    all.lines().map(|pid| pid.parse().unwrap()).filter(here).collect()
}

fn in_host_network(pid: u32, space: &Space) -> bool {
    std::fs::read_link(format!("/proc/{pid}/ns/net"))
        .is_ok_and(|link| link.to_string_lossy() == namespace_of(space.host().pid(), "net"))
}

/// The namespaces of a kind that some process of the person's containers is in, and no process of this test's.
fn owner_of(pid: u32) -> String {
    namespace_of(pid, "user")
}

fn assert_nothing_left(space: &Space) {
    assert_eq!(space.containers(), [""; 0]);
    assert!(!space.root().join("shared/state.json").exists());
    assert_eq!(ways_out(space), [0; 0]);
    let links = space.host().links();
    assert!(links.iter().all(|link| ["lo", "eth0"].contains(&link.as_str())), "{links:?}");
}

fn they_share_two_namespaces_and_reach_each_other() {
    let space = islanders();
    let mut one = shell(&space);
    let two = shell(&space);
    assert_eq!(owner_of(one.pid()), owner_of(two.pid()));
    assert_ne!(owner_of(one.pid()), owner_of(std::process::id()));
    assert_ne!(namespace_of(one.pid(), "net"), namespace_of(two.pid(), "net"));
    let supervisors = [&one, &two].map(|running| namespace_of(parent_of(running.pid()), "net"));
    assert_eq!(supervisors[0], supervisors[1]);
    assert_ne!(supervisors[0], namespace_of(space.host().pid(), "net"), "the host's own is left alone");
    let map = one.read("uid_map");
    let numbers: Vec<&str> = map.split_whitespace().collect();
    assert_eq!(numbers, ["0", &uid_of(Who::User).to_string(), "1", "1", &FIRST.to_string(), "65536"]);
    let target = address(&mut one);
    let said = space.base(&BRIDGE, &["ping", "-c", "1", "-W", "5", &target]);
    assert_eq!(said.status, 0, "{}", said.err);
    assert_eq!(space.host().links(), ["lo"], "no bridge on the host");
    drop((one.end(), two.end()));
    assert_nothing_left(&space);
}

fn parent_of(pid: u32) -> u32 {
    crate::common::container::status_of(pid, "PPid").parse().unwrap()
}

fn one_id_is_enough() {
    let space = islanders();
    let empty = space.file("none", "");
    let empty = empty.display();
    space.host().sh(&format!("mount --bind {empty} /etc/subuid; mount --bind {empty} /etc/subgid"));
    let mut one = shell(&space);
    assert_eq!(one.read("uid_map").split_whitespace().last(), Some("1"));
    let target = address(&mut one);
    assert_eq!(space.base(&BRIDGE, &["ping", "-c", "1", "-W", "5", &target]).status, 0);
    drop(one.end());
    assert_nothing_left(&space);
}

fn the_first_may_end_and_the_last_takes_all_along() {
    let space = islanders();
    let (first, mut second) = (shell(&space), shell(&space));
    let namespace = owner_of(first.pid());
    drop(first.end());
    let mut third = shell(&space);
    assert_eq!(owner_of(third.pid()), namespace);
    let target = address(&mut second);
    third.say(&format!("ping -c 1 -W 5 {target} > /dev/null && echo reached"));
    third.expect("reached");
    drop((second.end(), third.end()));
    assert_nothing_left(&space);
    assert_ne!(owner_of(shell(&space).pid()), "", "and it begins anew");
}

fn many_that_start_at_once_find_each_other() {
    let space = islanders();
    let words = [&["run", "--rm"][..], &BRIDGE, &["base", "sh", "-c"]].concat();
    let script = "readlink /proc/self/ns/user; hostname -i; sleep 1";
    let start = |_| Running::start(space.command().args(&words).arg(script));
    let running: Vec<Running> = (0..8).map(start).collect();
    let said: Vec<String> = running.into_iter().map(|one| one.end().out).collect();
    let namespaces: BTreeSet<&str> = said.iter().filter_map(|text| text.lines().next()).collect();
    let addresses: BTreeSet<&str> = said.iter().filter_map(|text| text.lines().nth(1)).collect();
    assert_eq!((namespaces.len(), addresses.len()), (1, 8), "{said:?}");
    assert_nothing_left(&space);
}

fn a_killed_supervisor_leaves_nothing_that_prune_does_not_find() {
    let space = islanders();
    let one = shell(&space);
    let supervisor = parent_of(one.pid());
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(supervisor as i32), nix::sys::signal::SIGKILL).unwrap();
    drop(one);
    let pruned = space.minidocker(&["prune"]);
    assert_eq!((pruned.status, pruned.err.as_str()), (0, ""));
    assert_nothing_left(&space);
    let again = space.base(&BRIDGE, &["hostname", "-i"]);
    assert_eq!(again.status, 0, "{}", again.err);
}

fn without_a_program_they_reach_each_other_and_a_note_says_so() {
    let space = islanders();
    let outcome = space.base(&BRIDGE, &["true"]);
    assert_eq!((outcome.status, outcome.err.trim_end().lines().count()), (0, 1), "{}", outcome.err);
    assert!(outcome.err.contains("pasta") && outcome.err.contains("passt"), "{}", outcome.err);
    let outcome = space.minidocker(&["run", "--rm", "base", "ls", "/sys/class/net"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "lo\n"), "the default");
    assert!(outcome.err.contains("no network") && outcome.err.contains("passt"), "{}", outcome.err);
}

fn a_state_file_that_lies_is_not_believed() {
    let space = islanders();
    let shared = space.root().join("shared");
    std::fs::create_dir(&shared).unwrap();
    nix::unistd::chown(&shared, Some(uid_of(Who::User).into()), None).unwrap();
    let own = std::process::id();
    for text in [
        "{".to_owned(),
        // A pid that another process has now.
        format!(
            r#"{{"user":[4,1],"net":[4,2],"inside":[{{"pid":{own},"started":1}}],"outbound":{{"pid":{own},"started":1}}}}"#
        ),
    ] {
        std::fs::write(shared.join("state.json"), text).unwrap();
        let outcome = space.base(&BRIDGE, &["echo", "on its own"]);
        assert_eq!((outcome.status, outcome.out.as_str()), (0, "on its own\n"), "{}", outcome.err);
    }
    assert_nothing_left(&space);
}

fn leads_out(way: &str) {
    let (space, _world) = connected(way);
    let outcome = space.base(&BRIDGE, &["sh", "-c", HELLO]);
    assert_eq!((outcome.status, outcome.out.as_str(), outcome.err.as_str()), (0, "hello\n", ""));
    assert_nothing_left(&space);
    let (one, two) = (shell(&space), shell(&space));
    assert_eq!(ways_out(&space).len(), 1, "one for all");
    drop(one.end());
    assert_eq!(ways_out(&space).len(), 1, "it does not go with the first");
    drop(two.end());
    assert_nothing_left(&space);
    let killed = shell(&space);
    let supervisor = parent_of(killed.pid());
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(supervisor as i32), nix::sys::signal::SIGKILL).unwrap();
    drop(killed);
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    assert_nothing_left(&space);
}

fn pasta_leads_out() {
    leads_out("pasta");
}

fn slirp4netns_leads_out() {
    leads_out("slirp4netns");
}

fn a_killed_pasta_is_noticed_by_the_next() {
    let (space, _world) = connected("pasta");
    let mut one = shell(&space);
    let pasta = ways_out(&space)[0];
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pasta as i32), nix::sys::signal::SIGKILL).unwrap();
    let two = shell(&space);
    assert_eq!(ways_out(&space).len(), 1);
    assert_ne!(ways_out(&space)[0], pasta);
    one.say(HELLO);
    one.expect("hello");
    drop((one.end(), two.end()));
    assert_nothing_left(&space);
}

fn the_bridge_is_the_default_where_something_leads_out() {
    let (space, _world) = connected("pasta");
    let outcome = space.minidocker(&["run", "--rm", "base", "sh", "-c", HELLO]);
    assert_eq!((outcome.status, outcome.out.as_str(), outcome.err.as_str()), (0, "hello\n", ""));
}

/// A container that serves: whatever a client says to its port 80 comes back.
fn server(space: &Space, publish: &[&str]) -> Running {
    let script = "busybox nc -ll -p 80 -e cat & echo ready; read line; exit 0";
    let mut running = space.start(&[&BRIDGE, publish].concat(), &["sh", "-c", script]);
    running.expect("ready");
    running
}

/// The pid of the first process of the only container, as its state has it.
fn first_process(space: &Space) -> u32 {
    let id = space.containers().pop().unwrap();
    let text = std::fs::read_to_string(space.root().join("containers").join(id).join("state.json")).unwrap();
    let (_, rest) = text.split_once("\"pid\":").unwrap();
    rest.split(|character: char| !character.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// What comes back when somebody on the host says something there.
fn echo_by_tcp(space: &Space, address: &'static str) -> std::io::Result<String> {
    space.host().in_network(move || {
        let mut client = TcpStream::connect_timeout(&address.parse().unwrap(), PATIENCE)?;
        client.set_read_timeout(Some(PATIENCE))?;
        client.write_all(b"hello\n")?;
        let mut said = [0; 6];
        client.read_exact(&mut said)?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    })
}

const PATIENCE: Duration = Duration::from_secs(10);

fn a_published_port_is_carried_across() {
    let space = islanders();
    space.host().sh("ip link set lo up; ip addr add 10.9.9.9/32 dev lo");
    let running = server(&space, &["-p", "8080:80", "-p", "127.0.0.1:8081:80/tcp", "-p", "5353:53/udp"]);
    for address in ["127.0.0.1:8080", "10.9.9.9:8080", "127.0.0.1:8081"] {
        // The server may not listen yet; then nobody is there to answer.
        let said = (0..100).find_map(|_| echo_by_tcp(&space, address).ok());
        assert_eq!(said.as_deref(), Some("hello\n"), "{address}");
    }
    let refused = echo_by_tcp(&space, "10.9.9.9:8081").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused, "published at 127.0.0.1 alone");
    // The base image has no program that answers datagrams; a thread in the container's network does.
    let namespace = std::fs::File::open(format!("/proc/{}/ns/net", first_process(&space))).unwrap();
    std::thread::spawn(move || {
        nix::sched::setns(&namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        let socket = UdpSocket::bind("0.0.0.0:53").unwrap();
        let mut block = [0; 16];
        while let Ok((length, from)) = socket.recv_from(&mut block) {
            if block[..length] == *b"end" {
                break;
            }
            socket.send_to(&block[..length], from).unwrap();
        }
    });
    let said = space.host().in_network(|| {
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut block = [0; 16];
        (0..50).find_map(|_| {
            client.send_to(b"hi", "127.0.0.1:5353").unwrap();
            client.recv(&mut block).ok().map(|length| block[..length].to_vec())
        })
    });
    space.host().in_network(|| {
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"end", "127.0.0.1:5353").unwrap();
    });
    assert_eq!(said.as_deref(), Some(&b"hi"[..]));
    drop(running.end());
    assert_nothing_left(&space);
}

fn a_port_of_roots_is_refused() {
    let space = islanders();
    let outcome = space.base(&["--network", "bridge", "-p", "80:80"], &["true"]);
    outcome.assert_refused(&["80", "1024"]);
    assert_nothing_left(&space);
}

fn a_published_port_goes_with_the_container() {
    let space = islanders();
    space.host().sh("ip link set lo up");
    let running = server(&space, &["-p", "8080:80"]);
    space.base(&["--network", "bridge", "-p", "8080:80"], &["true"]).assert_refused(&["8080"]);
    drop(running.end());
    let gone = echo_by_tcp(&space, "127.0.0.1:8080").unwrap_err();
    assert_eq!(gone.kind(), std::io::ErrorKind::ConnectionRefused);
    drop(server(&space, &["-p", "8080:80"]).end());
    assert_nothing_left(&space);
}

fn other_containers_reach_a_published_port_at_the_hosts_address() {
    let (space, _world) = connected("pasta");
    let running = server(&space, &["-p", "8080:80"]);
    let ask = "for i in 1 2 3 4 5 6 7 8 9; do \
                   said=$({ echo hello; busybox sleep 1; } | busybox nc -w 3 10.9.0.2 8080) && break; done; echo $said";
    let outcome = space.base(&BRIDGE, &["sh", "-c", ask]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "hello\n"), "{}", outcome.err);
    drop(running.end());
    assert_nothing_left(&space);
}

/// What a verb says. It must succeed.
fn verb(space: &Space, words: &[&str]) -> String {
    let outcome = space.minidocker(words);
    assert_eq!(outcome.status, 0, "{words:?}: {}", outcome.err);
    outcome.out
}

/// Start a container that writes nothing, waits to be told to end, and is there until then.
fn detached(space: &Space, options: &[&str]) {
    let script = "exec > /dev/null 2>&1; trap 'exit 4' TERM; while :; do sleep 0.05; done";
    verb(space, &[&["run", "-d"], options, &["base", "sh", "-c", script]].concat());
}

fn reaches(space: &Space, from: &str, target: &str) -> bool {
    space.minidocker(&["exec", from, "ping", "-c", "1", "-W", "2", target]).status == 0
}

fn networks_that_she_defines_know_names() {
    let space = islanders();
    verb(&space, &["network", "create", "front"]);
    verb(&space, &["network", "create", "back"]);
    detached(&space, &["--name", "one", "--network", "front"]);
    detached(&space, &["--name", "two", "--network", "front"]);
    detached(&space, &["--name", "three", "--network", "back"]);
    assert!(reaches(&space, "one", "two") && reaches(&space, "two", "one"));
    assert!(!reaches(&space, "one", "three"));
    let address = verb(&space, &["exec", "three", "hostname", "-i"]);
    assert!(!reaches(&space, "one", address.trim()), "what is on another network");
    assert_eq!(space.host().links(), ["lo"]);
    verb(&space, &["rm", "-f", "one", "two", "three"]);
    assert!(verb(&space, &["network", "ls"]).contains("front"), "the definition stays");
    verb(&space, &["network", "rm", "front", "back"]);
    assert_nothing_left(&space);
}

fn a_running_container_is_connected_and_disconnected() {
    let space = islanders();
    verb(&space, &["network", "create", "other"]);
    detached(&space, &["--name", "one", "--network", "other"]);
    detached(&space, &["--name", "two", "--network", "bridge"]);
    assert!(!reaches(&space, "two", "one"));
    verb(&space, &["network", "connect", "other", "two"]);
    assert!(reaches(&space, "two", "one") && reaches(&space, "one", "two"));
    assert_eq!(verb(&space, &["exec", "two", "ls", "/sys/class/net"]), "eth0\neth1\nlo\n");
    verb(&space, &["network", "disconnect", "other", "two"]);
    assert!(!reaches(&space, "two", "one"));
    assert_eq!(verb(&space, &["exec", "two", "ls", "/sys/class/net"]), "eth0\nlo\n");
    verb(&space, &["rm", "-f", "one", "two"]);
    verb(&space, &["network", "rm", "other"]);
    assert_nothing_left(&space);
}

fn whoever_is_started_again_is_on_the_bridge_again() {
    let space = islanders();
    space.host().sh("ip link set lo up");
    // It serves one client and ends with an error, so it is started again.
    let script = "exec > /dev/null 2>&1; echo hello | busybox nc -l -p 80; exit 1";
    let words = ["run", "-d", "--name", "web", "--restart", "always", "--network", "bridge", "-p", "8080:80"];
    verb(&space, &[&words[..], &["base", "sh", "-c", script]].concat());
    for _ in 0..3 {
        let said = (0..200).find_map(|_| {
            std::thread::sleep(Duration::from_millis(20));
            space.host().in_network(|| {
                let mut client = TcpStream::connect("127.0.0.1:8080").ok()?;
                client.set_read_timeout(Some(PATIENCE)).ok()?;
                let mut said = [0; 6];
                client.read_exact(&mut said).ok().map(|()| said)
            })
        });
        assert_eq!(said.as_ref(), Some(b"hello\n"));
    }
    verb(&space, &["stop", "--time", "1", "web"]);
    assert!(!space.root().join("shared/state.json").exists());
    verb(&space, &["start", "web"]);
    verb(&space, &["rm", "-f", "web"]);
    assert_nothing_left(&space);
}

fn a_container_joins_the_network_of_a_bridged_one() {
    let space = islanders();
    detached(&space, &["--name", "one", "--network", "bridge"]);
    let address = verb(&space, &["exec", "one", "hostname", "-i"]);
    let joined = space.base(&["--network", "container:one"], &["ip", "-4", "-o", "addr", "show", "eth0"]);
    assert!(joined.status == 0 && joined.out.contains(address.trim()), "{joined:?}");
    verb(&space, &["rm", "-f", "one"]);
    assert_nothing_left(&space);
}

/// The `at`-th request of the process with this role kills it. Whether it made so many.
fn killed_at(space: &Space, role: &str, at: usize) -> bool {
    let fired = space.file("fired", "");
    let mut command = space.command();
    command.args(["run", "--rm", "--network", "bridge", "-p", "8080:80", "base", "true"]);
    command.env("MINIDOCKER_FAULT", format!("{role}:{at}:kill")).env("MINIDOCKER_FAULT_FIRED", &fired);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap();
    std::fs::metadata(fired).unwrap().len() > 0
}

fn whoever_is_killed_leaves_nothing_that_prune_does_not_find() {
    let (space, _world) = connected("pasta");
    for (role, step) in [("runtime", 9), ("init", 17), ("founder", 1), ("outbound", 2), ("relay", 2)] {
        let requests = (1..).step_by(step).take_while(|at| {
            let reached = killed_at(&space, role, *at);
            let pruned = space.minidocker(&["prune"]);
            assert_eq!((pruned.status, pruned.err.as_str()), (0, ""), "{role} {at}");
            assert_nothing_left(&space);
            reached
        });
        assert_ne!(requests.count(), 0, "{role}");
    }
}
