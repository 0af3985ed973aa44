//! The image `base`: what is in it works.

use crate::common::need;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], it_is_made_offline_on_first_use),
        as_both(&[], it_has_the_programs_that_this_machine_has),
        as_both(&[], its_programs_run),
        as_both(&[], names_of_users_are_known),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn it_is_made_offline_on_first_use(who: Who) {
    let space = Space::bare(who);
    // The throw-away host has no network; an ordinary user makes it wherever she is.
    let outcome = space.base(&[], &["echo", "made"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "made\n"), "{}", outcome.err);
    assert!(outcome.err.contains("base") && outcome.err.lines().count() == 1, "{}", outcome.err);
    assert!(space.root().join("images/base:latest.json").is_file());
}

/// The programs that the base image was promised to have, if the machine has them.
const PROMISED: &str = "sh ps ip hostname mount id env sleep busybox cat cp ls mkdir mv rm ln chmod chown echo head tail \
                        sort uniq wc cut tr tee touch date df du stat dd seq kill grep sed find";

fn it_has_the_programs_that_this_machine_has(who: Who) {
    let space = Space::new(who);
    let said = space.sh(&[], &format!("for p in {PROMISED}; do command -v $p > /dev/null || echo $p; done"));
    let there =
        |name: &&str| need::works(&["sh", "-c", &format!("PATH=$PATH:/usr/sbin:/sbin; command -v {name}")]);
    let missing: Vec<&str> = said.lines().filter(there).collect();
    assert_eq!(missing, [""; 0], "this machine has them");
}

fn its_programs_run(who: Who) {
    let space = Space::new(who);
    let script = "set -e; id -u; hostname; env | grep -c PATH; mount | grep -c ' / '; sleep 0; ls / | head -1; \
                  ls -l /bin/sh > /dev/null; df / > /dev/null; date +%Y > /dev/null; find /etc -name passwd";
    let said = space.sh(&["--hostname", "box"], script);
    assert_eq!(said, "0\nbox\n1\n1\nbin\n/etc/passwd\n");
    if need::works(&["ps"]) {
        let said = space.sh(&[], "ps -e -o pid=,comm=");
        let first: Vec<&str> = said.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(first, ["1", "sh"], "{said}");
    }
    if need::works(&["sh", "-c", "PATH=$PATH:/usr/sbin:/sbin ip link"]) {
        assert!(space.sh(&[], "ip link; ip addr").contains("lo: <LOOPBACK,UP"));
    }
    if need::works(&["busybox", "true"]) {
        assert_eq!(space.sh(&[], "busybox echo yes"), "yes\n");
    }
}

fn names_of_users_are_known(who: Who) {
    let space = Space::new(who);
    assert_eq!(space.sh(&[], "id -un; id -gn; ls -ld /root | cut -d' ' -f3"), "root\nroot\nroot\n");
    assert_eq!(space.sh(&[], "stat -c '%U %a' /home/student /tmp").lines().nth(1), Some("root 1777"));
}
