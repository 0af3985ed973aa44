//! The network modes that need no bridge: none, host, another container's.

use super::probe;
use crate::common::container::{links_of, namespace_of};
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_user};
use std::time::Duration;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], none_has_a_loopback_link_alone),
        as_both(&[], host_is_the_hosts_own),
        as_both(&[], another_containers_is_shared_with_it),
        as_both(&[], a_namespace_is_opened_while_its_container_is_held),
        as_both(&[], a_pid_that_is_anothers_now_is_not_joined),
        as_both(&[], a_container_outlives_the_one_whose_network_it_joined),
        as_user(&[], none_is_an_ordinary_users_default),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn none_has_a_loopback_link_alone(who: Who) {
    let space = Space::new(who);
    for name in ["none", "null"] {
        let running = space.hold(&["--network", name]);
        assert_ne!(running.namespace("net"), namespace_of(running.runtime(), "net"));
        assert_eq!(links_of(running.pid()), ["lo"]);
        // Up, with 127.0.0.1 and nothing else: every address is in this table.
        let local = running.read("net/fib_trie");
        assert!(local.contains("|-- 127.0.0.1"), "{local}");
        assert!(!running.read("net/route").contains("eth0"));
    }
    assert_eq!(space.sh(&[], "cat /sys/class/net/lo/flags; ls /sys/class/net"), "0x9\nlo\n");
}

fn host_is_the_hosts_own(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&["--network", "host"]);
    assert_eq!(running.namespace("net"), namespace_of(running.runtime(), "net"));
    let hostname = nix::unistd::gethostname().unwrap();
    let said = space.sh(&["--network", "host"], "cat /proc/sys/kernel/hostname /etc/hosts");
    let (name, hosts) = said.split_once('\n').unwrap();
    assert_eq!(name, hostname.to_string_lossy(), "with the host's network goes its name");
    assert_eq!(hosts, std::fs::read_to_string("/etc/hosts").unwrap_or_default());
    assert_ne!(running.namespace("uts"), namespace_of(running.runtime(), "uts"));
}

fn another_containers_is_shared_with_it(who: Who) {
    let space = Space::new(who);
    let mut first = probe::start(&space, &["--name", "first"], "serve", "7000");
    first.expect("ready");
    let second = space.hold(&["--network", "container:first"]);
    assert_eq!(second.namespace("net"), first.namespace("net"));
    assert_eq!(second.namespace("user"), first.namespace("user"), "who owns the network namespace");
    for kind in ["mnt", "pid", "uts", "ipc", "cgroup"] {
        assert_ne!(second.namespace(kind), first.namespace(kind), "{kind}");
    }
    let id = &std::fs::read_link(space.root().join("names/first")).unwrap();
    let by_id = space.hold(&["--network", &format!("container:{}", id.display())]);
    assert_eq!(by_id.namespace("net"), first.namespace("net"));
    // They meet on the loopback address.
    let greeting = probe::start(&space, &["--network", "container:first"], "greet", "127.0.0.1:7000").end();
    assert_eq!((greeting.status, greeting.out.as_str()), (0, "welcome, 127.0.0.1\n"), "{}", greeting.err);
    first.expect("hello");
}

fn a_namespace_is_opened_while_its_container_is_held(who: Who) {
    let space = Space::new(who);
    let first = space.hold(&["--name", "first"]);
    let path = space.file("trace.jsonl", "");
    let trace = path.display().to_string();
    let outcome = space.base(&["--network", "container:first", "--trace", &trace], &["true"]);
    assert_eq!(outcome.status, 0, "{}", outcome.err);
    let text = std::fs::read_to_string(path).unwrap();
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let opened = format!("/proc/{}/ns/", first.pid());
    let is_door = |event: &serde_json::Value| {
        event["call"] == "open" && event["args"]["path"].as_str().unwrap().starts_with(&opened)
    };
    // All doors are opened by the runtime when it claims; then it looks whether the other's runtime holds it.
    let doors: Vec<usize> = (0..events.len()).filter(|index| is_door(&events[*index])).collect();
    assert_eq!(doors.len(), if who == Who::Root { 1 } else { 2 });
    for index in &doors {
        assert_eq!((&events[*index]["step"], &events[*index]["role"]), (&"claim".into(), &"runtime".into()));
    }
    let id = std::fs::read_link(space.root().join("names/first")).unwrap();
    let looked = events[doors[doors.len() - 1]..].iter().find(|event| event["call"] == "fcntl").unwrap();
    assert!(looked["args"]["path"].as_str().unwrap().contains(&*id.to_string_lossy()), "{looked}");
    assert_eq!(looked["answer"]["ok"], first.runtime());
    assert_eq!(first.end().status, 0);
}

fn a_pid_that_is_anothers_now_is_not_joined(who: Who) {
    let space = Space::new(who);
    let first = space.hold(&["--name", "first"]);
    let id = std::fs::read_link(space.root().join("names/first")).unwrap();
    let path = space.root().join("containers").join(id).join("state.json");
    let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(record["phase"]["running"]["pid"], first.pid());
    // As if the container's first process had ended, and its pid been given to another's. No pid comes around within
    // the tick in which the kernel counts the start of a process.
    std::thread::sleep(Duration::from_millis(20));
    let second = space.hold(&[]);
    record["phase"]["running"]["pid"] = second.pid().into();
    std::fs::write(&path, record.to_string()).unwrap();
    space.base(&["--network", "container:first"], &["true"]).assert_refused(&["first", "not running"]);
    assert_eq!(first.end().status, 0);
}

fn a_container_outlives_the_one_whose_network_it_joined(who: Who) {
    let space = Space::new(who);
    let first = space.hold(&["--name", "first"]);
    let mut second = space.start(
        &["--network", "container:first"],
        &["sh", "-c", "echo ready; read x; cat /sys/class/net/lo/flags"],
    );
    second.expect("ready");
    assert_eq!(first.end().status, 0);
    second.say("go on");
    let outcome = second.end();
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "0x9\n"), "{}", outcome.err);
}

fn none_is_an_ordinary_users_default() {
    let space = Space::new(Who::User);
    let outcome = space.run(&["base", "sh", "-c", "ls /sys/class/net"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "lo\n"), "{}", outcome.err);
}
