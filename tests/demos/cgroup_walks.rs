//! `cgroup-demo`: the walks of pids, cpuset, blkio, devices, freezer, net_cls and kill.

use super::told::{play, snapshots, with_leftovers};
use crate::common::container::{Running, children_of, namespace_of, status_of};
use crate::common::need::Need;
use crate::common::space::{Space, Who, cgroup_mount, names_in};
use crate::common::{Test, as_root};
use nix::sys::signal::Signal::SIGKILL;
use std::path::{Path, PathBuf};

const PIDS: Need = Need::Controller("pids");
const CPUSET: Need = Need::Controller("cpuset");
const BLKIO: Need = Need::Controller("blkio");
const FREEZER: Need = Need::Controller("freezer");
const DEVICES: Need = Need::Controller("devices");

pub fn tests() -> Vec<Test> {
    [
        as_root(&[PIDS, Need::Hybrid], pids_is_told),
        as_root(&[CPUSET, Need::Hybrid], cpuset_is_told),
        as_root(&[BLKIO, Need::LoopDevice, Need::Hybrid], blkio_is_told),
        as_root(&[DEVICES, Need::Hybrid], devices_is_told),
        as_root(&[FREEZER, Need::Hybrid], freezer_is_told),
        as_root(&[DEVICES, Need::Hybrid], net_cls_is_told),
        as_root(&[PIDS, FREEZER, Need::Hybrid], kill_is_told),
        as_root(&[PIDS], the_bomb_has_sixteen_processes_and_none_survives_the_demo),
        as_root(&[CPUSET], the_pinned_process_is_pinned),
        as_root(&[BLKIO, Need::LoopDevice], the_disk_goes_with_the_demo),
        as_root(&[DEVICES, Need::Hybrid], the_list_of_devices_is_the_groups),
        as_root(&[FREEZER], a_killed_demo_leaves_nobody_frozen),
        as_root(&[PIDS, FREEZER], a_killed_demo_leaves_no_family),
        as_root(&[DEVICES, Need::Hybrid], packets_are_refused_in_a_network_of_their_own),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What differs from run to run and from machine to machine. A group that was just left may be busy for a moment.
const VOLATILE: &[(&str, &str)] = &[
    (r" +rmdir\([^)]*\)\s+= -1\s+EBUSY\s+\(Device\s+or\s+resource\s+busy\)\n", ""),
    (r"minidocker-demo-[0-9a-f]{8}", "minidocker-demo-ID"),
    (r"pidfd_send_signal\(\d+,", "pidfd_send_signal(PID,"),
    (r"(pidfd_send_signal\(PID, 9\) = 0\n)(?: +pidfd_send_signal\(PID, 9\) = 0\n)+", "$1"),
];

fn told(walk: &str, filters: &[(&str, &str)]) {
    snapshots(Who::Root, "cgroup-demo", &[walk], &[VOLATILE, filters].concat());
}

fn pids_is_told() {
    told("pids", &[]);
}

fn cpuset_is_told() {
    told("cpuset", &[]);
}

fn blkio_is_told() {
    told(
        "blkio",
        &[
            (r"/dev/loop\d+", "/dev/loopN"),
            (r"7:\d+", "7:N"),
            (r"\d+ ms", "N ms"),
            (r"\d\.\d MiB/s", "N MiB/s"),
            (r"(LOOP_CTL_GET_FREE\) = )\d+", "${1}N"),
        ],
    );
}

fn devices_is_told() {
    told("devices", &[]);
}

fn freezer_is_told() {
    told("freezer", &[(r"(/proc/PID/stat  ).*", "${1}STATES")]);
}

fn net_cls_is_told() {
    told("net_cls", &[]);
}

fn kill_is_told() {
    // How many are left when each was sent a signal is a matter of who was faster.
    told(
        "kill",
        &[
            (r" +pidfd_send_signal\(PID, 9\) = [^\n]*\n", ""),
            (r"(busy/cgroup\.procs\)\n +\S+  13 → )\d+", "${1}LEFT"),
        ],
    );
}

/// A process and all below it.
fn family_of(pid: u32) -> Vec<u32> {
    let below = children_of(pid).into_iter().flat_map(family_of);
    std::iter::once(pid).chain(below).collect()
}

/// The group of a running demo in the hierarchy of `controller`: one of its processes holds it open.
fn house(running: &Running, controller: &str) -> PathBuf {
    // What v2 does without a controller is done in its own tree.
    let v2 = PathBuf::from("/sys/fs/cgroup/unified");
    let mount = cgroup_mount(controller).map_or(v2, |(mount, _)| mount);
    let open =
        |pid: u32| names_in(Path::new(&format!("/proc/{pid}/fd"))).into_iter().map(move |fd| (pid, fd));
    let held = family_of(running.client()).into_iter().flat_map(open);
    let mut paths = held.filter_map(|(pid, fd)| std::fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok());
    let is_house = |path: &PathBuf| {
        path.parent() == Some(&mount) && path.to_string_lossy().contains("/minidocker-demo-")
    };
    paths.find(is_house).unwrap()
}

/// A demo that waits for Enter at the scene with this heading, and its group in the hierarchy of `controller`.
fn paused(space: &Space, walk: &str, controller: &str, heading: &str) -> (Running, PathBuf) {
    let mut running = Running::start(space.demo_by_steps("cgroup-demo").args([walk, "--step"]));
    loop {
        let line = running.line();
        if line.starts_with(&format!("── {heading}")) {
            break;
        }
        if line.starts_with("── ") {
            running.say("");
        }
    }
    let house = house(&running, controller);
    (running, house)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The processes of a group.
fn members(group: &Path) -> Vec<u32> {
    read(&group.join("cgroup.procs")).lines().map(|pid| pid.parse().unwrap()).collect()
}

/// Kill the demo, its attendant first; the next command clears away the group.
fn kill_and_clear(space: &Space, running: Running, house: &Path) {
    let _leftovers = with_leftovers();
    let family = family_of(running.client());
    running.signal(SIGKILL);
    assert_eq!(running.wait().status, 137);
    // Each dies a moment after its parent, and its lock a moment after that.
    until(|| family.iter().all(|pid| has_ended(*pid)));
    assert_eq!(space.minidocker(&["prune"]).status, 0);
    // Unless another test's command was at it already.
    until(|| !house.exists());
}

/// Whether a process has ended. Orphans are pid 1's to reap, which may take its time.
fn has_ended(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.map_or(true, |status| status.contains("State:\tZ") || status.contains("State:\tX"))
}

/// Wait for what comes by itself, and fail where it does not within ten seconds.
fn until(come: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !come() {
        assert!(begun.elapsed().as_secs() < 10);
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

fn the_bomb_has_sixteen_processes_and_none_survives_the_demo() {
    let space = Space::new(Who::Root);
    let (running, house) = paused(&space, "pids", "pids", "Meanwhile");
    assert_eq!(read(&house.join("bomb/pids.current")).trim(), "16");
    let members = members(&house.join("bomb"));
    assert_eq!(members.len(), 16);
    kill_and_clear(&space, running, &house);
    assert!(members.iter().all(|pid| has_ended(*pid)));
}

fn the_pinned_process_is_pinned() {
    let space = Space::new(Who::Root);
    if !play(&space, "cgroup-demo", &["cpuset"]).contains("The process asks for another") {
        return; // one processor only: there is nothing to ask for
    }
    let (running, house) = paused(&space, "cpuset", "cpuset", "The process asks");
    let processor = read(&house.join("pinned/cpuset.cpus")).trim().to_owned();
    let members = members(&house.join("pinned"));
    assert_eq!(members.len(), 1);
    assert_eq!(status_of(members[0], "Cpus_allowed_list"), processor);
    kill_and_clear(&space, running, &house);
}

/// Loop devices on the file in memory of a demo.
fn disks() -> Vec<String> {
    let loops = names_in(Path::new("/sys/block")).into_iter().filter(|name| name.starts_with("loop"));
    let ours = |name: &String| {
        let file = std::fs::read_to_string(format!("/sys/block/{name}/loop/backing_file"));
        file.is_ok_and(|file| file.contains("minidocker-disk"))
    };
    loops.filter(ours).collect()
}

fn the_disk_goes_with_the_demo() {
    let space = Space::new(Who::Root);
    let before = disks();
    let (running, house) = paused(&space, "blkio", "blkio", "2 MiB again");
    let disk: Vec<String> = disks().into_iter().filter(|disk| !before.contains(disk)).collect();
    assert_eq!(disk.len(), 1);
    kill_and_clear(&space, running, &house);
    assert!(!disks().contains(&disk[0]));
}

fn the_list_of_devices_is_the_groups() {
    let space = Space::new(Who::Root);
    let (running, house) = paused(&space, "devices", "devices", "Version 2");
    let list = read(&house.join("list/devices.list"));
    let mut list: Vec<&str> = list.lines().collect();
    list.sort_unstable();
    assert_eq!(list, ["b *:* m", "c *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm"]);
    kill_and_clear(&space, running, &house);
}

fn a_killed_demo_leaves_nobody_frozen() {
    let space = Space::new(Who::Root);
    let (running, house) = paused(&space, "freezer", "freezer", "Version 2");
    // The demo is between two scenes; freeze what is there, as it does itself.
    let name = if house.join("freezer.state").exists() {
        ("freezer.state", "FROZEN")
    } else {
        ("cgroup.freeze", "1")
    };
    std::fs::write(house.join("v1").join(name.0), name.1).unwrap();
    kill_and_clear(&space, running, &house);
}

fn a_killed_demo_leaves_no_family() {
    let space = Space::new(Who::Root);
    let (running, house) = paused(&space, "kill", "pids", "Version 2");
    // The first family has been killed, and its groups are empty.
    assert_eq!(members(&house.join("family/busy")), [0; 0]);
    kill_and_clear(&space, running, &house);
}

fn packets_are_refused_in_a_network_of_their_own() {
    let space = Space::new(Who::Root);
    let rules =
        || String::from_utf8(std::process::Command::new("iptables-save").output().unwrap().stdout).unwrap();
    let (running, house) = paused(&space, "net_cls", "kill", "The answer is no");
    let helper = members(&house.join("asked"))[0];
    assert_ne!(namespace_of(helper, "net"), namespace_of(std::process::id(), "net"));
    assert!(!rules().contains("--cgroup"));
    kill_and_clear(&space, running, &house);
}
