//! Resource limits, read in the host's cgroup files; which hierarchy has the controller is found by looking.

use crate::common::container::Running;
use crate::common::need::Need;
use crate::common::space::{Space, Who, cgroup_mount};
use crate::common::{Test, as_both, as_root, as_user};
use std::os::unix::fs::MetadataExt;
use std::process::Command;

const MEMORY: Need = Need::Controller("memory");
const CPU: Need = Need::Controller("cpu");
const CPUSET: Need = Need::Controller("cpuset");
const PIDS: Need = Need::Controller("pids");
const BLKIO: Need = Need::Controller("blkio");

pub fn tests() -> Vec<Test> {
    [
        as_root(&[MEMORY], the_container_is_in_a_cgroup_of_its_own),
        as_root(&[MEMORY], the_cgroup_is_the_top_of_what_is_seen_inside),
        as_root(&[MEMORY], memory_limits_memory_and_swap),
        as_root(&[CPU], cpus_limit_the_time_on_processors),
        as_root(&[CPU], cpu_shares_weigh),
        as_root(&[CPUSET], cpuset_cpus_binds_to_processors),
        as_root(&[PIDS], pids_limit_counts_processes),
        as_root(&[PIDS], pids_limit_bites),
        as_root(&[BLKIO, Need::LoopDevice], device_rates_limit_a_block_device),
        as_root(&[MEMORY], the_out_of_memory_killer_is_told_of),
        as_root(&[MEMORY], only_the_devices_of_the_table_can_be_opened),
        as_user(&[], a_limit_is_set_or_refused_but_never_left_out),
        as_both(&[], without_a_limit_none_is_needed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What stands in the file of the container's group that version 1 or 2 of `controller` has for it.
fn limit(running: &Running, controller: &str, v1: &str, v2: &str) -> String {
    let (_, version) = cgroup_mount(controller).unwrap();
    let path = running.cgroup(controller).join(if version == 1 { v1 } else { v2 });
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.trim().to_owned()
}

fn is_v1(controller: &str) -> bool {
    cgroup_mount(controller).is_some_and(|(_, version)| version == 1)
}

fn the_container_is_in_a_cgroup_of_its_own() {
    let space = Space::new(Who::Root);
    let running = space.hold(&[]);
    let name = format!("minidocker-{}", space.containers()[0]);
    let controllers = ["memory", "cpu", "pids", "freezer", "blkio", "devices"];
    let mounted: Vec<_> = controllers.into_iter().filter(|one| cgroup_mount(one).is_some()).collect();
    for controller in &mounted {
        let group = running.cgroup(controller);
        assert_eq!(group.file_name().unwrap().to_string_lossy(), name, "{controller}");
        let members = std::fs::read_to_string(group.join("cgroup.procs")).unwrap();
        assert_eq!(members.trim(), running.pid().to_string(), "{controller}");
    }
    let groups: Vec<_> = mounted.iter().map(|controller| running.cgroup(controller)).collect();
    assert_eq!(running.end().status, 0);
    assert_eq!(groups.iter().find(|group| group.exists()), None, "the group goes with the container");
}

fn the_cgroup_is_the_top_of_what_is_seen_inside() {
    let space = Space::new(Who::Root);
    let file = if is_v1("memory") { "memory/memory.limit_in_bytes" } else { "memory.max" };
    let script = format!(
        "grep -e memory -e ^0: /proc/self/cgroup | head -1; cat /sys/fs/cgroup/{file}; \
                          echo max 2>&1 > /sys/fs/cgroup/{file} || :"
    );
    let said = space.base(&["--memory", "64m"], &["sh", "-c", &script]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].ends_with(":/"), "{said:?}");
    assert_eq!(lines[1], (64 << 20).to_string(), "{said:?}");
    assert!(said.out.contains("Read-only file system"), "{said:?}");
}

fn memory_limits_memory_and_swap() {
    let space = Space::new(Who::Root);
    for (option, text, bytes) in [("--memory", "64m", 64 << 20), ("-m", "33554432", 32 << 20)] {
        let running = space.hold(&[option, text]);
        assert_eq!(limit(&running, "memory", "memory.limit_in_bytes", "memory.max"), bytes.to_string());
        let (swap, twice) = if is_v1("memory") {
            ("memory.memsw.limit_in_bytes", bytes * 2)
        } else {
            ("memory.swap.max", bytes)
        };
        // A kernel without accounting of swap lacks the file.
        if let Ok(text) = std::fs::read_to_string(running.cgroup("memory").join(swap)) {
            assert_eq!(text.trim(), twice.to_string());
        }
    }
}

fn cpus_limit_the_time_on_processors() {
    let space = Space::new(Who::Root);
    let running = space.hold(&["--cpus", "0.5"]);
    let expected = if is_v1("cpu") { "50000" } else { "50000 100000" };
    assert_eq!(limit(&running, "cpu", "cpu.cfs_quota_us", "cpu.max"), expected);
    if is_v1("cpu") {
        assert_eq!(limit(&running, "cpu", "cpu.cfs_period_us", ""), "100000");
    }
}

fn cpu_shares_weigh() {
    let space = Space::new(Who::Root);
    let running = space.hold(&["--cpu-shares", "512"]);
    let expected = if is_v1("cpu") { "512" } else { "20" };
    assert_eq!(limit(&running, "cpu", "cpu.shares", "cpu.weight"), expected);
}

fn cpuset_cpus_binds_to_processors() {
    let space = Space::new(Who::Root);
    let running = space.hold(&["--cpuset-cpus", "0"]);
    assert_eq!(limit(&running, "cpuset", "cpuset.cpus", "cpuset.cpus"), "0");
    assert_eq!(running.status("Cpus_allowed_list"), "0");
}

fn pids_limit_counts_processes() {
    let space = Space::new(Who::Root);
    for (text, expected) in [("7", "7"), ("-1", "max"), ("0", "max")] {
        let running = space.hold(&["--pids-limit", text]);
        assert_eq!(limit(&running, "pids", "pids.max", "pids.max"), expected);
    }
}

fn pids_limit_bites() {
    let space = Space::new(Who::Root);
    let outcome =
        space.base(&["--pids-limit", "3"], &["sh", "-c", "sleep 9 & sleep 9 & sleep 9 & echo forked"]);
    assert!(outcome.status != 0 && !outcome.out.contains("forked"), "{outcome:?}");
    assert!(outcome.err.to_lowercase().contains("fork"), "{outcome:?}");
}

/// A loop device on a file; detached when dropped.
struct Loop(String);

impl Loop {
    fn on(file: &std::path::Path) -> Self {
        let output = Command::new("losetup").args(["--find", "--show"]).arg(file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Loop(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    fn numbers(&self) -> String {
        let device = std::fs::metadata(&self.0).unwrap().rdev();
        format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

fn device_rates_limit_a_block_device() {
    let space = Space::new(Who::Root);
    let file = space.file("disk", "");
    std::fs::File::options().write(true).open(&file).unwrap().set_len(4 << 20).unwrap();
    let device = Loop::on(&file);
    let (read, write) = (format!("{}:1mb", device.0), format!("{}:65536", device.0));
    let running = space.hold(&["--device-read-bps", &read, "--device-write-bps", &write]);
    let numbers = device.numbers();
    if is_v1("blkio") {
        let file = "blkio.throttle.read_bps_device";
        assert_eq!(limit(&running, "blkio", file, ""), format!("{numbers} 1048576"));
        let file = "blkio.throttle.write_bps_device";
        assert_eq!(limit(&running, "blkio", file, ""), format!("{numbers} 65536"));
    } else {
        let expected = format!("{numbers} rbps=1048576 wbps=65536 riops=max wiops=max");
        assert_eq!(limit(&running, "blkio", "", "io.max"), expected);
    }
}

fn the_out_of_memory_killer_is_told_of() {
    let space = Space::new(Who::Root);
    let outcome = space.base(&["--memory", "16m"], &["tail", "/dev/zero"]);
    assert_eq!(outcome.status, 137, "{outcome:?}");
    let said = outcome.err.to_lowercase();
    assert!(said.contains("memory") && said.matches("16").count() >= 2, "limit and peak: {outcome:?}");
    // With --init it is not pid 1 that is killed.
    let outcome = space.base(&["--init", "--memory", "16m"], &["tail", "/dev/zero"]);
    assert!(outcome.status == 137 && outcome.err.matches("16").count() >= 2, "{outcome:?}");
    // One that was not killed is not spoken of.
    assert_eq!(space.sh(&["--memory", "16m"], "exit 0"), "");
}

fn only_the_devices_of_the_table_can_be_opened() {
    let space = Space::new(Who::Root);
    // On v2 no file shows the rule, which is a program. 1:1 is /dev/mem. Making the node is allowed, opening it is not.
    let script =
        "mknod /tmp/mem c 1 1 && mknod /tmp/zero c 1 5 && head -c 1 /tmp/zero | wc -c; head -c 1 /tmp/mem";
    let outcome = space.base(&[], &["sh", "-c", script]);
    assert_eq!(outcome.out, "1\n", "{outcome:?}");
    assert!(outcome.err.contains("Operation not permitted"), "{outcome:?}");
    if is_v1("devices") {
        let running = space.hold(&[]);
        let list = limit(&running, "devices", "devices.list", "");
        let mut list: Vec<&str> = list.lines().collect();
        list.sort_unstable();
        let nodes = ["1:3", "1:5", "1:7", "1:8", "1:9", "136:*", "5:0", "5:2"];
        let mut expected: Vec<String> = nodes.iter().map(|node| format!("c {node} rwm")).collect();
        expected.extend(["b *:* m".to_owned(), "c *:* m".to_owned()]);
        expected.sort_unstable();
        assert_eq!(list, expected);
    }
}

fn a_limit_is_set_or_refused_but_never_left_out() {
    let space = Space::new(Who::User);
    for words in [["--memory", "64m"], ["--cpus", "0.5"], ["--pids-limit", "10"], ["--cpuset-cpus", "0"]] {
        let outcome = space.base(&words, &["true"]);
        if outcome.status != 0 {
            // Not delegated to this user; or delegated, and these tests are in it too, which bars its controllers.
            let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
            let own = own.lines().find_map(|line| line.strip_prefix("0::/")).filter(|own| !own.is_empty());
            let busy = own.filter(|own| outcome.err.contains(own));
            outcome.assert_refused(&[busy.unwrap_or(words[0]), "cgroup"]);
        } else if words[0] == "--memory" {
            // A cgroup was delegated to this user.
            let running = space.hold(&words);
            let bytes = limit(&running, "memory", "memory.limit_in_bytes", "memory.max");
            assert_eq!(bytes, (64 << 20).to_string());
        }
    }
    assert_eq!(space.containers(), [""; 0]);
}

fn without_a_limit_none_is_needed(who: Who) {
    assert_eq!(Space::new(who).sh(&[], "echo fine"), "fine\n");
}
