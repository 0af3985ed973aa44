//! What separates a container from the host: its namespaces, its mounts, its root, /dev, /proc and /sys.

use crate::common::container::{Running, namespace_of};
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], the_eight_namespaces_are_its_own),
        as_both(&[], no_mount_travels_out_or_in),
        as_both(&[], the_root_is_an_overlay_and_the_old_root_is_gone),
        as_both(&[], dev_has_these_nodes_and_links_and_no_others),
        as_both(&[], terminals_shared_memory_and_queues_are_new_mounts),
        as_both(&[], proc_shows_its_own_processes_alone),
        as_both(&[], what_tells_too_much_is_masked),
        as_both(&[], settings_of_the_machine_are_read_only),
        as_root(&[], privileged_masks_nothing),
        as_both(&[], the_clocks_start_at_zero),
        as_both(&[], no_descriptor_comes_along),
        as_both(&[], queues_and_segments_of_the_host_are_not_seen),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn the_eight_namespaces_are_its_own(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&[]);
    let outside = running.runtime();
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "uts", "user"] {
        let same = running.namespace(kind) == namespace_of(outside, kind);
        assert_eq!(same, kind == "user" && who == Who::Root, "{kind}");
    }
    // Children born inside stay inside.
    for kind in ["pid", "time"] {
        assert_eq!(running.namespace(&format!("{kind}_for_children")), running.namespace(kind));
    }
    let other = space.hold(&[]);
    assert_ne!(other.namespace("mnt"), running.namespace("mnt"));
}

/// The table of mounts of whoever runs `minidocker`.
fn mountinfo_outside(space: &Space) -> String {
    match &space.host {
        Some(host) => host.mountinfo(),
        None => std::fs::read_to_string("/proc/self/mountinfo").unwrap(),
    }
}

/// The lines of a table of mounts, each cut into the part before the ` - ` and the part after.
fn mounts(mountinfo: &str) -> Vec<(Vec<&str>, Vec<&str>)> {
    mountinfo
        .lines()
        .map(|line| {
            let (mount, filesystem) = line.split_once(" - ").unwrap();
            (mount.split(' ').collect(), filesystem.split(' ').collect())
        })
        .collect()
}

fn no_mount_travels_out_or_in(who: Who) {
    let space = Space::new(who);
    let before = mountinfo_outside(&space);
    let volume = format!("{}:/data", space.file("data/file", "x").parent().unwrap().display());
    let running = space.hold(&["-v", &volume]);
    assert_eq!(mountinfo_outside(&space), before, "while it runs");
    let inside = running.read("mountinfo");
    for (mount, _) in mounts(&inside) {
        assert_eq!(mount.get(6), None, "a mount with propagation: {mount:?}");
    }
    if let Some(host) = &space.host {
        assert!(before.contains(" shared:"), "the throw-away host is meant to share its mounts");
        host.sh(&format!("mount -t tmpfs tmpfs {}", space.path("data").display()));
        assert_eq!(running.read("mountinfo"), inside, "a mount of the host's came in");
        host.sh(&format!("umount {}", space.path("data").display()));
    }
    assert_eq!(running.end().status, 0);
    assert_eq!(mountinfo_outside(&space), before, "afterwards");
}

fn the_root_is_an_overlay_and_the_old_root_is_gone(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&[]);
    let mountinfo = running.read("mountinfo");
    let mounts = mounts(&mountinfo);
    let roots: Vec<_> = mounts.iter().filter(|(mount, _)| mount[4] == "/").collect();
    assert_eq!(roots.len(), 1, "{mountinfo}");
    let (_, overlay) = roots[0];
    assert_eq!(overlay[0], "overlay");
    let own = space.root().join("containers").join(&space.containers()[0]);
    let upper = format!("upperdir={}", own.join("upper").display());
    assert!(overlay[2].split(',').any(|option| option == upper), "{overlay:?}");
    assert!(
        overlay[2].split(',').any(|option| option.starts_with("lowerdir=") && option.contains("/layers/"))
    );
    // Nothing stands on a disk but the three files of /etc.
    let of_the_host: Vec<&str> = mounts
        .iter()
        .filter(|(_, filesystem)| filesystem[1].starts_with('/'))
        .map(|(mount, _)| mount[4])
        .collect();
    let etc = |point: &&str| ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"].contains(point);
    assert!(of_the_host.iter().all(etc), "{of_the_host:?}");
    let inside = std::fs::metadata(running.proc("root/")).unwrap();
    assert_ne!(inside.dev(), std::fs::metadata("/").unwrap().dev());
    assert_eq!(std::fs::read_link(running.proc("cwd")).unwrap(), Path::new("/"));
}

/// What stands in /dev of a container, seen from outside: name, and what it is.
fn devices(running: &Running) -> Vec<String> {
    let directory = running.proc("root/dev");
    let mut found: Vec<String> =
        std::fs::read_dir(&directory).unwrap().map(|entry| describe(&entry.unwrap().path())).collect();
    found.sort();
    found
}

fn describe(path: &PathBuf) -> String {
    let name = path.file_name().unwrap().to_string_lossy();
    let status = std::fs::symlink_metadata(path).unwrap();
    let mode = status.mode() & 0o7777;
    let (major, minor) = (nix::sys::stat::major(status.rdev()), nix::sys::stat::minor(status.rdev()));
    match status.file_type() {
        kind if kind.is_symlink() => format!("{name} -> {}", std::fs::read_link(path).unwrap().display()),
        kind if kind.is_dir() => format!("{name}/ {mode:o}"),
        kind if kind.is_char_device() => format!("{name} {mode:o} c {major}:{minor}"),
        _ => format!("{name} {mode:o}"),
    }
}

fn dev_has_these_nodes_and_links_and_no_others(who: Who) {
    let running_in = Space::new(who);
    let running = running_in.hold(&[]);
    let mut found = devices(&running);
    // An ordinary user is shown the host's own nodes, and the host's tty may have another mode.
    if who == Who::User {
        found
            .iter_mut()
            .filter(|one| one.starts_with("tty "))
            .for_each(|one| *one = "tty 666 c 5:0".to_owned());
    }
    assert_eq!(
        found,
        [
            "fd -> /proc/self/fd",
            "full 666 c 1:7",
            "mqueue/ 1777",
            "null 666 c 1:3",
            "ptmx -> pts/ptmx",
            "pts/ 755",
            "random 666 c 1:8",
            "shm/ 1777",
            "stderr -> /proc/self/fd/2",
            "stdin -> /proc/self/fd/0",
            "stdout -> /proc/self/fd/1",
            "tty 666 c 5:0",
            "urandom 666 c 1:9",
            "zero 666 c 1:5",
        ]
    );
    let script = "echo x > /dev/null; head -c 3 /dev/zero | od -An -c; head -c 2 /dev/urandom | wc -c; \
                  echo x 2> /dev/null > /dev/full || echo full; echo y | cat /dev/stdin";
    let outcome = running_in.base(&[], &["sh", "-c", script]);
    assert!(outcome.out.contains("\\0  \\0  \\0") && outcome.out.ends_with("2\nfull\ny\n"), "{outcome:?}");
}

fn terminals_shared_memory_and_queues_are_new_mounts(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&[]);
    let mountinfo = running.read("mountinfo");
    let mounts = mounts(&mountinfo);
    for (point, kind) in [
        ("/proc", "proc"),
        ("/sys", "sysfs"),
        ("/dev", "tmpfs"),
        ("/dev/pts", "devpts"),
        ("/dev/shm", "tmpfs"),
        ("/dev/mqueue", "mqueue"),
    ] {
        let (mount, filesystem) = mounts.iter().find(|(mount, _)| mount[4] == point).unwrap();
        assert_eq!(filesystem[0], kind, "{point}");
        assert!(mount[5].contains("nosuid"), "{mount:?}");
    }
    let script = "echo shared > /dev/shm/x && cat /dev/shm/x; ls /dev/pts; ls /dev/mqueue";
    assert_eq!(space.sh(&[], script), "shared\nptmx\n");
    assert!(!Path::new("/dev/shm/x").exists());
}

fn proc_shows_its_own_processes_alone(who: Who) {
    let space = Space::new(who);
    let script = "ls /proc | grep '^[0-9]' | sort -n | tr '\\n' ' '; cat /proc/1/comm";
    let said = space.sh(&[], script);
    let pids: Vec<u32> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(pids[0] == 1 && pids.len() <= 6 && pids.iter().all(|pid| *pid < 20), "{said}");
    assert!(said.ends_with("sh\n"), "{said}");
}

fn what_tells_too_much_is_masked(who: Who) {
    let space = Space::new(who);
    let files =
        "/proc/kcore /proc/keys /proc/timer_list /proc/interrupts /proc/latency_stats /proc/sched_debug";
    let directories = "/proc/acpi /proc/scsi /proc/asound /sys/firmware /sys/devices/virtual/powercap";
    let script = format!(
        "for f in {files}; do [ ! -e $f ] || [ $(head -c 9 $f | wc -c) = 0 ] || echo $f; done; \
         for d in {directories}; do [ ! -e $d ] || [ -z \"$(ls $d)\" ] || echo $d; done; ls -d /sys/firmware"
    );
    assert_eq!(space.sh(&[], &script), "/sys/firmware\n");
}

fn settings_of_the_machine_are_read_only(who: Who) {
    let space = Space::new(who);
    let script = "for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/kernel/mm/transparent_hugepage/enabled; \
                  do [ ! -e $f ] || ( echo x > $f ) 2>&1; done; mkdir /sys/fs/x 2>&1";
    let outcome = space.base(&[], &["sh", "-c", script]);
    let complaints: Vec<&str> = outcome.out.lines().collect();
    assert!(complaints.len() >= 2, "{outcome:?}");
    for complaint in complaints {
        let expected = ["Read-only file system", "Permission denied"];
        assert!(expected.iter().any(|words| complaint.contains(words)), "{complaint}");
    }
    let running = space.hold(&[]);
    let mountinfo = running.read("mountinfo");
    for point in ["/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sysrq-trigger", "/sys"] {
        let inside = running.proc(&format!("root{point}"));
        if !inside.exists() {
            continue;
        }
        let mounts = mounts(&mountinfo);
        let (mount, _) =
            mounts.iter().rfind(|(mount, _)| mount[4] == point).unwrap_or_else(|| panic!("{point}"));
        assert!(mount[5].split(',').any(|option| option == "ro"), "{mount:?}");
    }
}

fn privileged_masks_nothing() {
    let space = Space::new(Who::Root);
    let running = space.hold(&["--privileged"]);
    let mountinfo = running.read("mountinfo");
    for (mount, _) in mounts(&mountinfo) {
        assert!(!mount[4].starts_with("/proc/"), "{mount:?}");
        assert!(mount[5].split(',').any(|option| option == "rw"), "{mount:?}");
    }
    // The node of a device that is not in the table opens: the kernel's log, 1:11.
    let said = space.sh(&["--privileged"], "mknod /tmp/kmsg c 1 11 && : < /tmp/kmsg && echo opened");
    assert_eq!(said, "opened\n");
}

fn the_clocks_start_at_zero(who: Who) {
    let space = Space::new(who);
    let uptime = |text: &str| text.split('.').next().unwrap().parse::<u64>().unwrap();
    let before = uptime(&std::fs::read_to_string("/proc/uptime").unwrap());
    let inside = uptime(&space.sh(&[], "cat /proc/uptime"));
    assert!(inside < 5, "{inside} s");
    assert!(uptime(&std::fs::read_to_string("/proc/uptime").unwrap()) >= before);
    let running = space.hold(&[]);
    let offsets = running.read("timens_offsets");
    for line in offsets.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(words[1].starts_with('-'), "{offsets}");
    }
}

fn no_descriptor_comes_along(who: Who) {
    let space = Space::new(who);
    let words =
        ["run", "--rm", "-i", "--network", "none", "base", "sh", "-c", "echo ready; read line; exit 0"];
    let mut running = Running::start(space.command_after("exec 7< /etc 8< /").args(words));
    running.expect("ready");
    let mut open: Vec<String> = std::fs::read_dir(running.proc("fd"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    open.sort();
    assert_eq!(open, ["0", "1", "2"]);
    assert_eq!(running.end().status, 0);
}

fn queues_and_segments_of_the_host_are_not_seen(who: Who) {
    let space = Space::new(who);
    let said = space
        .sh(&[], "tail -n +2 /proc/sysvipc/msg; tail -n +2 /proc/sysvipc/shm; tail -n +2 /proc/sysvipc/sem");
    assert_eq!(said, "");
}
