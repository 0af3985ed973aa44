//! `cgroup-demo`: the house that its walks play in, and those of memory, processor time and hierarchy.

use super::told::{play, snapshots, with_leftovers};
use crate::common::container::{Running, children_of};
use crate::common::need::Need;
use crate::common::space::{Space, Who, cgroup_mount, names_in};
use crate::common::{Test, as_both, as_root, as_user};
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal::{SIGINT, SIGKILL};
use std::path::{Path, PathBuf};
use std::time::Duration;

const MEMORY: &[Need] = &[Need::Controller("memory")];

pub fn tests() -> Vec<Test> {
    [
        as_root(&[Need::Controller("memory"), Need::CgroupV1], hierarchy_is_told),
        as_root(&[Need::Controller("memory"), Need::CgroupV1], memory_is_told),
        as_root(MEMORY, memory_is_limited_as_seen_from_outside),
        as_root(MEMORY, the_course_of_memory_is_drawn),
        as_root(&[Need::Controller("cpu"), Need::Controller("cpuacct"), Need::CgroupV1], cpu_is_told),
        as_root(&[Need::Controller("cpu")], time_is_rationed_as_seen_from_outside),
        as_root(&[Need::Controller("cpu")], the_course_of_time_is_drawn),
        as_both(&[], controllers_are_told),
        as_both(&[], controllers_are_those_of_the_kernel),
        as_root(MEMORY, tree_and_stat_show_what_the_kernel_says),
        as_both(&[], what_is_no_cgroup_is_refused_in_one_sentence),
        as_root(MEMORY, a_killed_demo_is_cleared_away_by_the_next_demo),
        as_root(MEMORY, a_killed_demo_is_cleared_away_by_prune),
        as_root(MEMORY, a_killed_demo_is_cleared_away_by_run),
        as_root(MEMORY, killed_at_any_instant_a_demo_leaves_nothing_for_long),
        as_root(MEMORY, a_living_demo_is_left_alone),
        as_root(MEMORY, an_interrupted_demo_clears_up_after_itself),
        as_user(&[], without_the_right_one_sentence_says_how_to_get_it),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What differs from run to run in the demos of cgroups.
const VOLATILE: &[(&str, &str)] = &[
    (r"minidocker-demo-[0-9a-f]{8}", "minidocker-demo-ID"),
    (r"(echo )\d+( > \S+(?:tasks|cgroup.procs))", "${1}PID$2"),
    (r#"((?:tasks|cgroup.procs)",)\s+"\d+"\)\s+= "#, r#"$1 "PID") = "#),
];

fn hierarchy_is_told() {
    let peaks = [VOLATILE, &[(r"(max_usage_in_bytes +memory.peak +)\d+ +\d+", "${1}PEAK PEAK")]].concat();
    snapshots(Who::Root, "cgroup-demo", &["hierarchy"], &peaks);
}

fn memory_is_told() {
    let numbers: &[(&str, &str)] = &[
        (r"(/proc/)\d+(/stat)", "${1}PID$2"),
        (r#"(cgroup.event_control",\s+)"\d+ \d+""#, r#"$1"EVENTFD FD""#),
        (r"((?:program's|本程序的)  )/\S*", "$1/CGROUP"),
        (r"((?:MiB|back|归还) +)\d{4,} +\d{4,}", "${1}BYTES  BYTES"),
        (r"(memory.current +)\d+", "${1}BYTES"),
        (r"(memory.peak +)\d+", "${1}BYTES"),
        (r"(memory.events max +)\d+", "${1}TIMES"),
    ];
    snapshots(Who::Root, "cgroup-demo", &["memory"], &[VOLATILE, numbers].concat());
}

fn controllers_are_told(who: Who) {
    let facts: &[(&str, &str)] = &[
        (
            r"(?:yes|no|unknown|有|无|未知)  +([\d.-]+) +([\d.-]+) +\S+ +\S+\n",
            "BUILT  $1  $2  USED  MOUNTED\n",
        ),
        (r"has \d+, and \d+ that", "has N, and N that"),
        (r"内核有 \d+ 个，后来的有 \d+ 个", "内核有 N 个，后来的有 N 个"),
    ];
    snapshots(who, "cgroup-demo", &["controllers"], facts);
}

fn controllers_are_those_of_the_kernel(who: Who) {
    let space = Space::new(who);
    let told = play(&space, "cgroup-demo", &["controllers"]);
    let row = |name: &str| -> Vec<String> {
        let rows = told.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        rows.into_iter()
            .find(|row| row.len() == 6 && row[0] == name)
            .unwrap_or_else(|| panic!("{name}: {told}"))
    };
    for line in
        std::fs::read_to_string("/proc/cgroups").unwrap().lines().filter(|line| !line.starts_with('#'))
    {
        let name = line.split_whitespace().next().unwrap();
        if name != "debug" {
            assert_eq!(row(name)[1], "yes", "{name}");
        }
    }
    assert_eq!(row("ns")[1], "no");
    for name in ["memory", "cpu", "pids"] {
        if let Some((mount, version)) = cgroup_mount(name) {
            assert_eq!(row(name)[4..], [format!("v{version}"), mount.display().to_string()]);
        }
    }
}

fn tree_and_stat_show_what_the_kernel_says() {
    let space = Space::new(Who::Root);
    let (mount, version) = cgroup_mount("memory").unwrap();
    let name = format!("minidocker-look-{}", std::process::id());
    let group = mount.join(&name);
    std::fs::create_dir(&group).unwrap();
    let limit = if version == 1 { "memory.limit_in_bytes" } else { "memory.max" };
    std::fs::write(group.join(limit), "50331648").unwrap();
    let tree = play(&space, "cgroup-demo", &["tree", mount.to_str().unwrap()]);
    let by_path = play(&space, "cgroup-demo", &["stat", group.to_str().unwrap()]);
    let by_name = play(&space, "cgroup-demo", &["stat", &format!("/{name}")]);
    let user = play(&Space::new(Who::User), "cgroup-demo", &["stat", &name]);
    std::fs::remove_dir(&group).unwrap();
    assert!(tree.contains(&name), "{tree}");
    for told in [by_path, by_name, user] {
        let line = told.lines().find(|line| line.contains("memory.max ")).unwrap();
        assert_eq!(line.split_whitespace().last(), Some("50331648"), "{told}");
        assert!(told.contains(&format!(" {}", group.display())), "{told}");
    }
}

fn what_is_no_cgroup_is_refused_in_one_sentence(who: Who) {
    let space = Space::new(who);
    for bad in ["nonsense", "/tmp", "/sys/fs/cgroup/../.."] {
        for verb in ["stat", "tree"] {
            let outcome = Running::start(space.demo_apart("cgroup-demo").args([verb, bad])).end();
            outcome.assert_refused(&["is no cgroup"]);
        }
    }
}

/// The number in a file of a room, under the name that it has in this version.
fn number(room: &Path, v1: &str, v2: &str) -> u64 {
    let name = if room.join(v1).exists() { v1 } else { v2 };
    std::fs::read_to_string(room.join(name)).unwrap().trim().parse().unwrap()
}

fn memory_is_limited_as_seen_from_outside() {
    let space = Space::new(Who::Root);
    // What the third scene tells of has not been done.
    let (running, group) = demo(&space, "memory", "── Beyond the limit");
    let room = group.join("eater");
    assert_eq!(number(&room, "memory.limit_in_bytes", "memory.max"), 32 << 20);
    assert!(number(&room, "memory.usage_in_bytes", "memory.current") < 12 << 20);
    let most = number(&room, "memory.max_usage_in_bytes", "memory.peak");
    assert!((24 << 20..=32 << 20).contains(&most), "{most}");
    let helpers = std::fs::read_to_string(room.join("cgroup.procs")).unwrap();
    assert_eq!(helpers.lines().count(), 1, "{helpers:?}");
    let outcome = running.end();
    assert_eq!(outcome.status, 0, "{}", outcome.out);
    assert!(!PathBuf::from("/proc").join(helpers.trim()).exists());
}

fn the_course_of_memory_is_drawn() {
    let space = Space::new(Who::Root);
    let file = space.path("memory.svg");
    play(&space, "cgroup-demo", &["memory", "--plot", file.to_str().unwrap()]);
    let picture = std::fs::read_to_string(file).unwrap();
    for part in
        ["<title", "<desc", "prefers-color-scheme: dark", "time, ms", "memory, MiB", "class=\"limit\""]
    {
        assert!(picture.contains(part), "{part}: {picture}");
    }
    let curve =
        picture.lines().find(|line| line.contains("class=\"series a\"") && line.contains("points")).unwrap();
    assert!(curve.matches(',').count() > 50, "{curve}");
}

fn cpu_is_told() {
    let numbers: &[(&str, &str)] = &[
        (
            r"((?:usage_usec|user_usec|system_usec|nr_periods|nr_throttled|throttled_usec) +)\d+( +\d+)?",
            "${1}N",
        ),
        (r"\d+\.\d ms", "N ms"),
        (r"heavy +light", "heavy  light"),
        (r"3072 +1024", "3072  1024"),
        (r"[#.]{40,}", "##..##"),
        (r"got \d+\.\d times the", "got N times the"),
        (r"得到了 \d+\.\d 倍", "得到了 N 倍"),
        (r"(sched_setaffinity\(0, )0x[0-9a-f]+", "${1}CPU"),
    ];
    snapshots(Who::Root, "cgroup-demo", &["cpu"], &[VOLATILE, numbers].concat());
}

fn time_is_rationed_as_seen_from_outside() {
    let space = Space::new(Who::Root);
    let (running, group) = demo(&space, "cpu", "── Shares");
    let stat = std::fs::read_to_string(group.join("worker/cpu.stat")).unwrap();
    let field = |key: &str| -> u64 {
        stat.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok()).unwrap()
    };
    assert!(field("nr_throttled") >= 2 && field("nr_periods") >= field("nr_throttled"), "{stat}");
    let outcome = running.end();
    assert_eq!(outcome.status, 0, "{}", outcome.out);
    assert_gone(&group);
}

fn the_course_of_time_is_drawn() {
    let space = Space::new(Who::Root);
    let file = space.path("cpu.svg");
    play(&space, "cgroup-demo", &["cpu", "--plot", file.to_str().unwrap()]);
    let picture = std::fs::read_to_string(file).unwrap();
    for part in ["<title", "<desc", "processor time, ms", "class=\"limit\"", "class=\"series b\""] {
        assert!(picture.contains(part), "{part}: {picture}");
    }
}

/// The groups of demos in the hierarchy of the memory controller.
fn groups() -> Vec<PathBuf> {
    let (mount, _) = cgroup_mount("memory").unwrap();
    let names = names_in(&mount).into_iter().filter(|name| name.starts_with("minidocker-demo-"));
    names.map(|name| mount.join(name)).collect()
}

/// A demo that has made its group, which is returned with it, and waits for Enter at this heading.
fn demo(space: &Space, walk: &str, heading: &str) -> (Running, PathBuf) {
    let mut running = Running::start(space.demo_by_steps("cgroup-demo").args([walk, "--step"]));
    loop {
        let line = running.line();
        if line.starts_with(heading) {
            break;
        }
        if line.starts_with("── ") {
            running.say("");
        }
    }
    // Its group is the one that its player holds.
    let player = children_of(running.client())[0];
    let descriptors = names_in(&PathBuf::from(format!("/proc/{player}/fd")));
    let open = descriptors.iter().filter_map(|fd| std::fs::read_link(format!("/proc/{player}/fd/{fd}")).ok());
    let open: Vec<PathBuf> = open.collect();
    let (mount, _) = cgroup_mount(if walk == "cpu" { "cpu" } else { "memory" }).unwrap();
    let ours = |path: &&PathBuf| {
        path.parent() == Some(&mount) && path.to_string_lossy().contains("minidocker-demo-")
    };
    let group = open.iter().find(ours).unwrap().clone();
    (running, group)
}

/// One that waits at its second scene.
fn waiting_demo(space: &Space) -> (Running, PathBuf) {
    demo(space, "hierarchy", "── 48 MiB")
}

/// The same, killed; what it has left is returned.
fn killed_demo(space: &Space) -> PathBuf {
    let (running, group) = waiting_demo(space);
    running.signal(SIGKILL);
    // Standard output ends with the last process that had it.
    assert_eq!(running.wait().status, 137);
    group
}

/// It is gone, or just being cleared away by the command of another test.
fn assert_gone(group: &Path) {
    let gone = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(2));
        !group.exists()
    });
    assert!(gone, "{}", group.display());
}

fn a_killed_demo_is_cleared_away_by_the_next_demo() {
    let _leftovers = with_leftovers();
    let space = Space::new(Who::Root);
    let group = killed_demo(&space);
    play(&space, "cgroup-demo", &["hierarchy"]);
    assert_gone(&group);
}

fn a_killed_demo_is_cleared_away_by_prune() {
    let _leftovers = with_leftovers();
    let space = Space::new(Who::Root);
    let group = killed_demo(&space);
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    assert_gone(&group);
}

fn a_killed_demo_is_cleared_away_by_run() {
    let _leftovers = with_leftovers();
    let space = Space::new(Who::Root);
    let group = killed_demo(&space);
    assert_eq!(space.base(&[], &["true"]).status, 0);
    assert_gone(&group);
}

/// At whatever instant it is killed, the next command clears away what it left.
fn killed_at_any_instant_a_demo_leaves_nothing_for_long() {
    let _leftovers = with_leftovers();
    let space = Space::new(Who::Root);
    let mut left = Vec::new();
    for instant in 0..40 {
        let running = Running::start(space.demo("cgroup-demo").arg("hierarchy"));
        std::thread::sleep(Duration::from_millis(instant));
        running.signal(SIGKILL);
        running.wait();
        left.extend(groups());
        assert_eq!(space.minidocker(&["prune"]).status, 0);
        // Those of other tests are alive, and have processes in them or a maker that holds them.
        left.retain(|group| group.exists());
    }
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    let held_by_nobody = |group: &PathBuf| {
        let directory = std::fs::File::open(group).ok()?;
        Flock::lock(directory, FlockArg::LockExclusiveNonblock).ok()
    };
    left.retain(|group| held_by_nobody(group).is_some());
    assert_eq!(left, Vec::<PathBuf>::new());
}

fn a_living_demo_is_left_alone() {
    let space = Space::new(Who::Root);
    let (running, group) = waiting_demo(&space);
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    play(&space, "cgroup-demo", &["hierarchy"]);
    assert!(group.join("parent/child").is_dir());
    let outcome = running.end();
    assert_eq!(outcome.status, 0, "{}", outcome.out);
    assert_gone(&group);
}

fn an_interrupted_demo_clears_up_after_itself() {
    let space = Space::new(Who::Root);
    let (running, group) = waiting_demo(&space);
    running.signal(SIGINT);
    assert_eq!(running.wait().status, 130);
    assert_gone(&group);
}

fn without_the_right_one_sentence_says_how_to_get_it() {
    let space = Space::new(Who::User);
    let outcome = Running::start(space.demo_apart("cgroup-demo").arg("hierarchy")).end();
    assert_eq!(outcome.status, 125, "{}", outcome.err);
    assert_eq!(outcome.err.trim_end().lines().count(), 1, "{}", outcome.err);
    assert!(
        outcome.err.contains("systemd-run --user --scope -p Delegate=yes cgroup-demo"),
        "{}",
        outcome.err
    );
}
