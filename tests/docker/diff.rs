//! diff: what a container changed of its image, told as Docker tells it.

use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [as_both(&[], changes_are_told), as_both(&[], what_is_mounted_is_no_change)]
        .into_iter()
        .flatten()
        .collect()
}

const CHANGES: &str = "echo x > /etc/new; echo y >> /etc/passwd; rm /etc/group; mkdir -p /a/b; ln -s /etc /a/l; \
                       mkdir -m 0 /zero; rm -r /tmp && mkdir /tmp && echo z > /tmp/z";

fn told(space: &Space, name: &str) -> Vec<String> {
    let outcome = space.minidocker(&["diff", name]);
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""));
    outcome.out.lines().map(str::to_owned).collect()
}

const TOLD: [&str; 10] = [
    "A /a",
    "A /a/b",
    "A /a/l",
    "C /etc",
    "D /etc/group",
    "A /etc/new",
    "C /etc/passwd",
    "C /tmp",
    "A /tmp/z",
    "A /zero",
];

/// Of a container that runs, and of one that has ended.
fn changes_are_told(who: Who) {
    let space = Space::new(who);
    let script = format!("{CHANGES}; echo ready; read line; exit 0");
    let words = ["run", "-i", "--name", "one", "--network", "none", "base", "sh", "-c", &script];
    let mut running = crate::common::container::Running::start(space.command().args(words));
    running.expect("ready");
    assert_eq!(told(&space, "one"), TOLD);
    assert_eq!(running.end().status, 0);
    assert_eq!(told(&space, "one"), TOLD);
    space.minidocker(&["diff", "two"]).assert_failed(&["two"]);
}

/// The files that we mount in /etc, and the contents of volumes, are not the container's.
fn what_is_mounted_is_no_change(who: Who) {
    let space = Space::new(who);
    let file = space.file("shared/file", "text");
    let volume = format!("{}:/shared", file.parent().unwrap().display());
    let script = "echo mine > /shared/mine; cat /etc/hosts /etc/hostname > /dev/null";
    let words = ["run", "--name", "one", "--network", "none", "-v", &volume, "base", "sh", "-c", script];
    assert_eq!(space.minidocker(&words).status, 0);
    assert_eq!(told(&space, "one"), ["A /shared"]);
}
