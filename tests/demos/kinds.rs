//! `ns-demo`: the walks `ipc`, `net`, `cgroup` and `time`.

use super::told::{play, snapshots};
use crate::common::need::Need;
use crate::common::space::{Space, Who, cgroup_mount, names_in};
use crate::common::{Test, as_both, as_root, as_user};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], ipc_is_told),
        as_both(&[], net_is_told),
        as_both(&[], time_is_told),
        as_both(&[], queues_are_seen_on_one_side_only),
        as_root(&[], queues_end_with_the_demo_on_the_real_host_too),
        as_both(&[], a_connection_reaches_its_own_side_only),
        as_both(&[], uptimes_differ_by_the_offset),
        as_root(&[Need::Controller("freezer"), Need::CgroupV1], cgroup_is_told),
        as_root(&[Need::Controller("freezer")], paths_begin_at_the_own_group),
        as_user(&[], an_ordinary_user_sees_two_views_of_the_own_group),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn ipc_is_told(who: Who) {
    snapshots(who, "ns-demo", &["ipc"], &[]);
}

fn net_is_told(who: Who) {
    snapshots(who, "ns-demo", &["net"], &[]);
}

/// What the clocks show.
const CLOCKS: [(&str, &str); 2] = [
    (r" +/proc/uptime +BOOTTIME +MONOTONIC +REALTIME", "  /proc/uptime BOOTTIME MONOTONIC REALTIME"),
    (r"(the caller, outside|its child, inside|调用者，外面|子进程，里面)( +\d+){4}", "$1 CLOCKS"),
];

fn time_is_told(who: Who) {
    snapshots(who, "ns-demo", &["time"], &CLOCKS);
}

/// The words of each line that begins with `head`, without it.
fn lines<'a>(told: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let lines = told.lines().filter_map(|line| line.trim_start().strip_prefix(head));
    lines.map(|line| line.split_whitespace().collect()).collect()
}

/// The keys of the System V queues of this IPC namespace, as the kernel lists them.
fn keys_here() -> Vec<String> {
    let table = std::fs::read_to_string("/proc/sysvipc/msg").unwrap();
    table.lines().skip(1).filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

fn queues_are_seen_on_one_side_only(who: Who) {
    let before = keys_here();
    let told = play(&Space::new(who), "ns-demo", &["ipc"]);
    let namespaces = lines(&told, "/proc/self/ns/ipc ");
    assert_eq!(namespaces[0][0], namespaces[0][1], "{told}");
    assert_ne!(namespaces[1][0], namespaces[1][1], "{told}");
    let own = std::fs::read_link("/proc/self/ns/ipc").unwrap();
    assert!(!told.contains(own.to_str().unwrap()), "{told}");
    assert_eq!(lines(&told, "msgget(0x6d640001, 0) ")[1], ["found", "ENOENT"], "{told}");
    assert_eq!(lines(&told, "mq_open(\"/minidocker\", O_RDWR) ")[1], ["found", "ENOENT"], "{told}");
    assert_eq!(keys_here(), before);
}

fn queues_end_with_the_demo_on_the_real_host_too() {
    let before = keys_here();
    let told = play(&Space::new(Who::Root), "ns-demo", &["ipc", "--on-host"]);
    assert_eq!(told.matches('✓').count(), 3, "{told}");
    assert_eq!(keys_here(), before);
}

fn a_connection_reaches_its_own_side_only(who: Who) {
    let space = Space::new(who);
    let told = play(&space, "ns-demo", &["net"]);
    let namespaces = lines(&told, "/proc/self/ns/net ");
    assert_ne!(namespaces[0][0], namespaces[0][1], "{told}");
    assert_eq!(lines(&told, "connect from outside ")[0].join(" "), "a connection nobody", "{told}");
    assert_eq!(lines(&told, "connect from inside ")[0].join(" "), "nobody a connection", "{told}");
    assert_eq!(lines(&told, "ss -tln ").last().unwrap(), &["8080", "8081", "8080"], "{told}");
    if let Some(host) = &space.host {
        assert_eq!(host.links(), ["lo"]);
    }
}

fn uptimes_differ_by_the_offset(who: Who) {
    let seconds = || {
        let text = std::fs::read_to_string("/proc/uptime").unwrap();
        text.split('.').next().unwrap().parse::<u64>().unwrap()
    };
    let before = seconds();
    let told = play(&Space::new(who), "ns-demo", &["time"]);
    let after = seconds();
    let uptime = |head| lines(&told, head)[0][0].parse::<u64>().unwrap();
    assert!((before..=after).contains(&uptime("the caller, outside ")), "{told}");
    assert!((before..=after).contains(&(uptime("its child, inside ") - 86_400_000)), "{told}");
    assert!(told.contains("write(2)  EACCES"), "{told}");
}

fn cgroup_is_told() {
    let filters =
        [(r"minidocker-demo-[0-9a-f]{8}", "minidocker-demo-ID"), (r#""\d{2,}"\) = 0"#, r#""PID") = 0"#)];
    snapshots(Who::Root, "ns-demo", &["cgroup"], &filters);
}

fn paths_begin_at_the_own_group() {
    let told = play(&Space::new(Who::Root), "ns-demo", &["cgroup"]);
    let last = |head: &str| lines(&told, head)[0].last().unwrap().to_string();
    let there = last("after   outside, ");
    assert!(there.starts_with("/minidocker-demo-") && there.ends_with("/inside"), "{told}");
    assert_eq!((last("before  inside, "), last("after   inside, ")), (there, "/".to_owned()), "{told}");
    assert_eq!(told.matches('✓').count(), 3, "{told}");
    let (mount, _) = cgroup_mount("freezer").unwrap();
    let id = last("/proc/PID/cgroup ");
    let left = names_in(&mount).into_iter().filter(|name| id.contains(name.as_str()));
    assert_eq!(left.count(), 0, "{told}");
}

/// Where the reader of this test is, an ordinary user's demo is too.
fn an_ordinary_user_sees_two_views_of_the_own_group() {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let paths: Vec<&str> = own.lines().filter_map(|line| line.splitn(3, ':').nth(2)).collect();
    let told = play(&Space::new(Who::User), "ns-demo", &["cgroup"]);
    let joined: String = told.split_whitespace().collect();
    match paths.iter().find(|path| **path != "/") {
        Some(path) => {
            assert_eq!(joined.matches(path).count(), 3, "{told}");
            assert_eq!(lines(&told, "after   inside, ")[0].last(), Some(&"/"), "{told}");
        }
        None => assert!(!told.contains('✓'), "{told}"),
    }
}
