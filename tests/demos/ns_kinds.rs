//! `ns-demo pid`, `mnt`, `user`, `break-it`.

use super::told::{play, snapshots};
use crate::common::space::{Space, Who, uid_of};
use crate::common::{Test, as_both, as_root};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], pid_is_told),
        as_both(&[], mnt_is_told),
        as_both(&[], user_is_told),
        as_both(&[], break_it_is_told),
        as_both(&[], an_orphan_is_adopted_by_the_first_process),
        as_both(&[], the_mounts_of_the_machine_stay),
        as_both(&[], ids_are_those_of_the_person),
        as_both(&[], each_mistake_can_be_made_alone),
        as_root(&[], on_the_host_too_nothing_of_it_is_touched),
        as_both(&[], a_mistake_nobody_knows_is_refused),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What differs from run to run: numbers of processes, peer groups, devices, ids.
const FILTERS: &[(&str, &str)] = &[
    // A process that was just born may run still, or wait already.
    (r"(R \(running\)|S \(sleeping\))", "ALIVE"),
    (r"(shared|master):\d+", "$1:N"),
    (r"device \d+:\d+, inode \d+", "device N:N, inode N"),
    (r"\d{16} \(\d\d\)", "ALL (NN)"),
    (r"0000[0-9a-f]{12} \([1-9]\d\)", "ALL (NN)"),
    // Columns are as wide as those numbers were.
    (r"(\S) {2,}", "$1  "),
];

fn pid_is_told(who: Who) {
    snapshots(who, "ns-demo", &["pid"], FILTERS);
}

fn mnt_is_told(who: Who) {
    snapshots(who, "ns-demo", &["mnt"], FILTERS);
}

fn user_is_told(who: Who) {
    let filters = [
        // Root becomes an ordinary user first.
        (
            r"(?m)(^ *person ▸ (setgroups|setresgid|setresuid|prctl\(PR_SET_DUMPABLE).*\n)+ *person ▸ prctl.*\n",
            "",
        ),
        (r"0 \d+ 1\b", "0 ID 1"),
        (r"(before|之前)( +)\d+ +\d+ \d+ \d+", "$1$2 ID  THE MAP OUTSIDE"),
        (r"(outside|Uid) +\d+ \d+ \d+ \d+", "$1  ID ID ID ID"),
        (r"(seen outside|外面看到的属主)  \d+", "$1  ID"),
        (r"/proc/\d+/root", "/proc/PID/root"),
    ];
    snapshots(who, "ns-demo", &["user"], &[FILTERS, &filters].concat());
}

fn break_it_is_told(who: Who) {
    snapshots(who, "ns-demo", &["break-it"], FILTERS);
}

fn an_orphan_is_adopted_by_the_first_process(who: Who) {
    let told = play(&Space::new(who), "ns-demo", &["pid"]);
    let after = |words: &str| {
        let line =
            told.lines().find_map(|line| line.trim().strip_prefix(words)).unwrap_or_else(|| panic!("{told}"));
        line.trim().to_owned()
    };
    let outer = after("pid 1, seen from here");
    assert_eq!(after("NSpid, read outside"), format!("{outer} 1"));
    assert!(after("its parent has exited").ends_with(&format!(" {outer}")), "{told}");
    assert!(after("it has exited").starts_with("Z (zombie)"), "{told}");
}

fn the_mounts_of_the_machine_stay(who: Who) {
    let table = || std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let (space, before) = (Space::new(who), table());
    let of_host = matches!(who, Who::Root).then(|| space.host().mountinfo());
    play(&space, "ns-demo", &["mnt"]);
    assert_eq!(table(), before);
    if let Some(of_host) = of_host {
        assert_eq!(space.host().mountinfo(), of_host);
    }
}

fn ids_are_those_of_the_person(who: Who) {
    let told = play(&Space::new(who), "ns-demo", &["user"]);
    let uid = match who {
        // What root becomes.
        Who::Root => 1000,
        Who::User => uid_of(who),
    };
    assert!(
        told.contains(&format!("uid_map    0 {uid} 1  0\n")) || told.contains(&format!("0 {uid} 1")),
        "{told}"
    );
    assert!(told.contains(&format!("owner, seen outside  {uid}\n")), "{told}");
}

fn each_mistake_can_be_made_alone(who: Who) {
    let space = Space::new(who);
    let name = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let before = name();
    for (mistake, evidence) in [
        ("chroot", "/tmp/secret  can be read"),
        ("proc", "/proc/self →  nothing (ENOENT)"),
        ("hostname", "outside  host → web"),
    ] {
        let told = play(&space, "ns-demo", &["break-it", mistake]);
        assert!(told.contains(evidence), "{told}");
        assert_eq!(told.matches('✓').count(), 1, "{told}");
    }
    assert_eq!(name(), before);
}

fn on_the_host_too_nothing_of_it_is_touched() {
    let space = Space::new(Who::Root);
    let state = || {
        let host = space.host();
        (
            host.mountinfo(),
            host.sh("hostname; ls -d /tmp/jail /tmp/wall /tmp/secret 2>&1 || ls -d /proc/self"),
        )
    };
    let before = state();
    for walk in ["pid", "mnt", "user", "break-it"] {
        play(&space, "ns-demo", &[walk, "--on-host"]);
    }
    assert_eq!(state(), before);
}

fn a_mistake_nobody_knows_is_refused(who: Who) {
    let space = Space::new(who);
    let mut command = space.demo("ns-demo");
    let outcome = crate::common::container::Running::start(command.args(["break-it", "nothing"])).end();
    assert_eq!(outcome.status, 125, "{}", outcome.out);
}
