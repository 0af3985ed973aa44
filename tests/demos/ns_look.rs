//! `ns-demo list`, `show`, `matrix` and `enter`, beside lsns(8), the links in `/proc/PID/ns` and nsenter(1).

use super::told::{play, snapshots};
use crate::common::container::{Running, namespace_of};
use crate::common::need::Need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root, as_user};
use std::process::Command;

const LSNS: Need = Need::Program("lsns", "util-linux");

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], list_is_told),
        as_both(&[], show_is_told),
        as_both(&[], matrix_is_told),
        as_both(&[], enter_is_told),
        as_root(&[LSNS], list_says_what_lsns_says),
        as_both(&[], show_says_what_the_links_say),
        as_root(&[], matrix_gives_equal_letters_to_equal_namespaces),
        as_both(&[], enter_runs_a_command_in_a_container),
        as_root(&[], enter_joins_just_what_is_named),
        as_both(&[], enter_ends_as_the_command_does),
        as_both(&[], what_is_not_there_is_refused_in_one_sentence),
        as_user(&[], a_process_of_root_is_closed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn list_is_told(who: Who) {
    snapshots(who, "ns-demo", &["list"], MACHINE);
}

fn show_is_told(who: Who) {
    snapshots(who, "ns-demo", &["show"], MACHINE);
}

fn matrix_is_told(who: Who) {
    snapshots(who, "ns-demo", &["matrix"], &[]);
}

fn enter_is_told(who: Who) {
    snapshots(who, "ns-demo", &["enter"], &[(r"(\[INODE\])\s+", "$1  ")]);
}

/// What depends on who else is on the machine.
const MACHINE: &[(&str, &str)] = &[
    (r"(?m)^ +NS +TYPE +NPROCS +PID +USER +COMMAND\n( +\d{10} .*\n)+", "     NAMESPACES\n"),
    (r"(?m)^   (Processes not shown|另有)[^─]*", "\n"),
    (r"Namespaces:\s+\d+,\s+of\s+kinds:\s+8[^✓]*", "COUNTS\n   "),
    (r"\d+ 个 Namespace，共 8 种[^✓]*", "COUNTS\n   "),
    (r"\b40\d{8}\b", "INODE"),
];

/// The fields of the rows of a table that begin with `inode`.
fn fields(told: &str, inode: &str) -> Vec<String> {
    let row = told.lines().find(|line| line.trim().starts_with(inode));
    row.unwrap_or_else(|| panic!("no {inode} in: {told}")).split_whitespace().map(str::to_owned).collect()
}

fn list_says_what_lsns_says() {
    let space = Space::new(Who::Root);
    let running = space.hold(&[]);
    for kind in ["uts", "pid", "mnt", "net", "ipc", "cgroup"] {
        let inode: String = running.namespace(kind).chars().filter(char::is_ascii_digit).collect();
        let told = play(&space, "ns-demo", &["list", "-t", kind]);
        let output = Command::new("lsns").args(["-n", "-t", kind]).output().unwrap();
        let theirs = fields(&String::from_utf8(output.stdout).unwrap(), &inode);
        assert_eq!(fields(&told, &inode)[..5], theirs[..5], "{told}");
        assert!(told.lines().filter(|line| line.contains(" 40")).all(|line| line.contains(kind)), "{told}");
    }
}

fn show_says_what_the_links_say(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&[]);
    let pid = running.pid().to_string();
    // A user's container is non-dumpable to others, and so its links are root's alone to read.
    if who == Who::User {
        return what_a_user_may_show(&space);
    }
    let told = play(&space, "ns-demo", &["show", &pid]);
    for kind in ["uts", "pid", "mnt", "net", "ipc", "cgroup", "user"] {
        let link = namespace_of(running.pid(), kind);
        let row = fields(&told, kind);
        assert_eq!(row[1], link, "{told}");
        let own = namespace_of(space.host().pid(), kind);
        assert_eq!(row[3] == "=", link == own, "{kind}: {told}");
    }
}

fn what_a_user_may_show(space: &Space) {
    let told = play(space, "ns-demo", &["show"]);
    let row = fields(&told, "uts");
    assert_eq!(row[1], format!("uts:[{}]", row[2]), "{told}");
}

fn matrix_gives_equal_letters_to_equal_namespaces() {
    let space = Space::new(Who::Root);
    let (one, two) = (space.hold(&[]), space.hold(&["--network", "host"]));
    let host = space.host().pid();
    let pids = [host, one.pid(), two.pid()];
    let words: Vec<String> = pids.iter().map(u32::to_string).collect();
    let told = play(&space, "ns-demo", &["matrix", &words[0], &words[1], &words[2]]);
    let kinds = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];
    let rows: Vec<Vec<&str>> = pids
        .iter()
        .map(|pid| {
            let is_row = |line: &&str| line.split_whitespace().nth(8) == Some(&pid.to_string());
            told.lines().find(is_row).unwrap_or_else(|| panic!("{pid}: {told}")).split_whitespace().collect()
        })
        .collect();
    for (place, kind) in kinds.iter().enumerate() {
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let same = namespace_of(pids[a], kind) == namespace_of(pids[b], kind);
            assert_eq!(
                rows[a][place] == rows[b][place],
                same,
                "{kind} of {} and {}: {told}",
                pids[a],
                pids[b]
            );
        }
    }
}

/// `ns-demo`, with room for a long command on one line and a PATH of directories that everybody may enter.
fn enter(space: &Space) -> Command {
    let mut demo = space.demo("ns-demo");
    demo.env("COLUMNS", "132").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    demo
}

/// A process of `who` in namespaces of its own, that ends with its standard input.
fn resident(space: &Space) -> Running {
    let script = "hostname web && echo ready && read line";
    let words = [
        "unshare",
        "--user",
        "--map-root-user",
        "--uts",
        "--pid",
        "--fork",
        "--kill-child",
        "--net",
        "sh",
        "-c",
        script,
    ];
    let mut running = Running::start(&mut space.program_of_the_machine(&words));
    running.expect("ready");
    running
}

fn enter_runs_a_command_in_a_container(who: Who) {
    let space = Space::new(who);
    let resident = resident(&space);
    let pid = crate::common::container::children_of(resident.client())[0].to_string();
    let script = "hostname; echo $$; id -u; readlink /proc/self/ns/uts";
    let outcome =
        Running::start(enter(&space).args(["enter", "-t", &pid, "--all", "--", "sh", "-c", script]));
    let outcome = outcome.end();
    let lines: Vec<&str> = outcome.out.lines().collect();
    assert_eq!(outcome.status, 0, "{}", outcome.out);
    let uts = namespace_of(pid.parse().unwrap(), "uts");
    assert_eq!(lines[0].trim(), format!("$ nsenter -t {pid} -a sh -c '{script}'"));
    let shell: u32 = lines[2].parse().unwrap();
    assert!(shell < 10, "no pid of a young pid namespace: {}", outcome.out);
    assert_eq!([lines[1], lines[3], lines[4]], ["web", "0", uts.as_str()], "{}", outcome.out);
}

fn enter_joins_just_what_is_named() {
    let space = Space::new(Who::Root);
    let running = space.hold(&[]);
    let pid = running.pid().to_string();
    let script = "readlink /proc/self/ns/uts /proc/self/ns/net /proc/self/ns/ipc";
    let outcome =
        Running::start(enter(&space).args(["enter", "-t", &pid, "-u", "--", "sh", "-c", script])).end();
    let host = space.host().pid();
    let expected = [running.namespace("uts"), namespace_of(host, "net"), namespace_of(host, "ipc")];
    assert_eq!(outcome.out.lines().skip(1).collect::<Vec<_>>(), expected, "{}", outcome.out);
}

fn enter_ends_as_the_command_does(who: Who) {
    let space = Space::new(who);
    let resident = resident(&space);
    let pid = crate::common::container::children_of(resident.client())[0].to_string();
    let commands: [(&[&str], i32); 4] = [
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -TERM $$"], 143),
        (&["no-such-command"], 127),
        (&["/etc/passwd"], 126),
    ];
    for (command, status) in commands {
        let words = [&["enter", "-t", &pid, "-a", "--"], command].concat();
        let outcome = Running::start(enter(&space).args(words)).end();
        assert_eq!(outcome.status, status, "{command:?}: {}", outcome.out);
    }
}

fn what_is_not_there_is_refused_in_one_sentence(who: Who) {
    let space = Space::new(who);
    let absent = "4194305"; // PID_MAX_LIMIT is 2^22
    for words in [vec!["show", absent], vec!["enter", "-t", absent, "true"], vec!["matrix", absent]] {
        let outcome = Running::start(space.demo_apart("ns-demo").args(&words)).end();
        assert_eq!(outcome.status, 125, "{words:?}");
        assert_eq!(outcome.err.lines().count(), 1, "{words:?}: {}", outcome.err);
        assert!(outcome.err.contains("there is no process 4194305"), "{}", outcome.err);
    }
    let outcome = Running::start(space.demo_apart("ns-demo").args(["list", "-t", "disk"])).end();
    assert_eq!((outcome.status, outcome.out.as_str()), (125, ""));
}

fn a_process_of_root_is_closed() {
    let space = Space::new(Who::User);
    for words in [vec!["show", "1"], vec!["enter", "-t", "1", "true"], vec!["matrix", "1"]] {
        let outcome = Running::start(space.demo_apart("ns-demo").args(&words)).end();
        assert_eq!(outcome.status, 125, "{words:?}");
        assert!(outcome.err.contains("you may not look at the namespaces of process 1"), "{}", outcome.err);
    }
}
