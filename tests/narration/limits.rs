//! What the explanation says of cgroups, on whichever layout this machine has, beside what the kernel has.

use super::text::{Chapter, chapter, chapters, joined};
use crate::common::need::Need;
use crate::common::space::{self, Space, Who};
use crate::common::{Test, as_root};

pub fn tests() -> Vec<Test> {
    [
        as_root(&[Need::Controller("memory")], the_group_is_made_limited_joined_and_removed),
        as_root(&[Need::Controller("memory")], the_container_sees_its_group_as_the_root),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Where the kernel keeps the memory limit of a group, and under what name.
fn memory() -> (String, u8, &'static str) {
    let (mount, version) = space::cgroup_mount("memory").unwrap();
    let file = if version == 1 { "memory.limit_in_bytes" } else { "memory.max" };
    (mount.display().to_string(), version, file)
}

fn explained() -> (Vec<Chapter>, String) {
    let space = Space::new(Who::Root);
    let outcome = space.base(&["-m", "64m", "--explain"], &["hostname"]);
    assert_eq!(outcome.status, 0, "{}", outcome.err);
    (chapters(&outcome.err), outcome.out.trim().to_owned())
}

/// Whether a step has a line that begins and ends like this, wherever it was broken.
fn says(chapter: &Chapter, begin: &str, end: &str) -> bool {
    let says = |line: &String| {
        let line = joined(line.trim_start());
        line.starts_with(begin) && line.ends_with(end)
    };
    chapter.lines.iter().any(says)
}

fn the_group_is_made_limited_joined_and_removed() {
    let (steps, id) = explained();
    let (mount, version, file) = memory();
    let group = format!("{mount}/minidocker-{id}");
    let made = chapter(&steps, "cgroup");
    assert!(says(made, &format!("mkdir(\"{group}\", 0755)"), "= 0"), "{}", made.text());
    assert!(says(made, &format!("write(\"{group}/{file}\", "), "\"67108864\") = 0"), "{}", made.text());
    // The evidence is the kernel's: before there was no limit, and in version 2 it is called that.
    let before = if version == 1 { "9223372036854771712" } else { "max" };
    assert!(says(made, &format!("{file} "), &format!("{before} → 67108864")), "{}", made.text());
    let joined = chapter(&steps, "cgroup-join");
    assert!(says(joined, "ns/cgroup  ", "]"), "{}", joined.text());
    if version == 1 {
        assert!(says(joined, &format!("write(\"{group}/tasks\", \"0\")"), "= 0"), "{}", joined.text());
        assert!(says(joined, "cgroup memory ", &format!("→ /minidocker-{id}")), "{}", joined.text());
    } else {
        let clone = chapter(&steps, "clone");
        assert!(says(clone, "clone3(", &format!("\"{group}\") = {}", joined.pid())), "{}", clone.text());
        assert!(clone.text().contains("CLONE_INTO_CGROUP"), "{}", clone.text());
    }
    let removed = chapter(&steps, "cleanup");
    assert!(says(removed, &format!("rmdir(\"{group}\")"), "= 0"), "{}", removed.text());
    assert!(says(removed, &group, "→ nothing"), "{}", removed.text());
}

fn the_container_sees_its_group_as_the_root() {
    let (steps, _) = explained();
    let (_, version, _) = memory();
    let root = chapter(&steps, "root");
    let (call, fact) = match version {
        1 => ("mount(\"cgroup\", \"/sys/fs/cgroup/memory\", \"cgroup\",", "mount /sys/fs/cgroup/memory "),
        _ => ("mount(\"cgroup\", \"/sys/fs/cgroup\", \"cgroup2\",", "mount /sys/fs/cgroup "),
    };
    assert!(says(root, call, "= 0"), "{}", root.text());
    assert!(says(root, fact, "ro,nosuid,nodev,noexec, private"), "{}", root.text());
}
