//! What a container's processes may do: capabilities, no_new_privs, and the seccomp filter.

use super::probe;
use crate::common::container::status_of;
use crate::common::space::{Space, Who};
use crate::common::{Test, as_both, as_root};

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], the_capabilities_are_dockers_fourteen),
        as_both(&[], cap_add_and_cap_drop_change_the_sets),
        as_root(&[], privileged_gives_all_and_filters_nothing),
        as_both(&[], the_filter_is_on_and_no_privilege_can_be_gained),
        as_both(&[], init_is_filtered_too),
        as_both(&[], a_user_namespace_cannot_be_made),
        as_both(&[], what_the_filter_forbids),
        as_root(&[], sys_admin_brings_back_what_needs_it),
        as_both(&[], a_setuid_program_gains_nothing),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD,
/// AUDIT_WRITE and SETFCAP, by their numbers in linux/capability.h.
const DEFAULT: [u32; 14] = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31];
const SYS_ADMIN: u32 = 21;
const NET_ADMIN: u32 = 12;

fn set(numbers: &[u32]) -> u64 {
    numbers.iter().map(|number| 1 << number).sum()
}

fn assert_sets(pid: u32, expected: u64) {
    for (name, expected) in
        [("CapEff", expected), ("CapPrm", expected), ("CapBnd", expected), ("CapInh", 0), ("CapAmb", 0)]
    {
        let found = u64::from_str_radix(&status_of(pid, name), 16).unwrap();
        assert_eq!(found, expected, "{name}: {found:#x} instead of {expected:#x}");
    }
}

fn the_capabilities_are_dockers_fourteen(who: Who) {
    let space = Space::new(who);
    assert_sets(space.hold(&[]).pid(), set(&DEFAULT));
}

fn cap_add_and_cap_drop_change_the_sets(who: Who) {
    let space = Space::new(who);
    let without_chown = set(&DEFAULT) & !1;
    for (options, expected) in [
        (&["--cap-drop", "ALL"][..], 0),
        (&["--cap-drop", "CHOWN"], without_chown),
        (&["--cap-drop", "all", "--cap-add", "net_admin"], set(&[NET_ADMIN])),
        (
            &["--cap-add", "CAP_SYS_ADMIN", "--cap-add", "NET_ADMIN"],
            set(&DEFAULT) | set(&[NET_ADMIN, SYS_ADMIN]),
        ),
    ] {
        assert_sets(space.hold(options).pid(), expected);
    }
    let outcome = space.base(&["--cap-drop", "CHOWN"], &["chown", "1:1", "/tmp"]);
    assert!(outcome.err.contains("Operation not permitted") || who == Who::User, "{outcome:?}");
}

fn privileged_gives_all_and_filters_nothing() {
    let space = Space::new(Who::Root);
    let running = space.hold(&["--privileged"]);
    let ours = u64::from_str_radix(&status_of(std::process::id(), "CapBnd"), 16).unwrap();
    let found = u64::from_str_radix(&running.status("CapEff"), 16).unwrap();
    assert_eq!(found, ours & ((1 << 41) - 1), "all that the tests themselves may have");
    assert_eq!(running.status("Seccomp"), status_of(std::process::id(), "Seccomp"));
}

fn the_filter_is_on_and_no_privilege_can_be_gained(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&[]);
    assert_eq!((running.status("Seccomp").as_str(), running.status("NoNewPrivs").as_str()), ("2", "1"));
}

fn init_is_filtered_too(who: Who) {
    let space = Space::new(who);
    let running = space.hold(&["--init"]);
    assert_eq!((running.status("Seccomp").as_str(), running.status("NoNewPrivs").as_str()), ("2", "1"));
    assert_sets(running.pid(), set(&DEFAULT));
}

fn a_user_namespace_cannot_be_made(who: Who) {
    let space = Space::new(who);
    assert_eq!(probe::ask(&space, &[], "unshare-user"), "EPERM");
    assert_eq!(probe::ask(&space, &[], "clone-user"), "EPERM");
    // clone3 has its flags in memory, which no filter can read, so all of it is said not to exist.
    assert_eq!(probe::ask(&space, &[], "clone3"), "ENOSYS");
}

fn what_the_filter_forbids(who: Who) {
    let space = Space::new(who);
    for call in [
        "mount",
        "keyctl",
        "bpf",
        "perf_event_open",
        "kexec_load",
        "open_by_handle_at",
        "socket-alg",
        "socket-vsock",
    ] {
        let said = probe::ask(&space, &[], call);
        assert!(["EPERM", "ENOSYS"].contains(&said.as_str()), "{call}: {said}");
    }
    assert_eq!(probe::ask(&space, &[], "getpid"), "ok");
}

fn sys_admin_brings_back_what_needs_it() {
    let space = Space::new(Who::Root);
    let add = ["--cap-add", "SYS_ADMIN"];
    assert_eq!(probe::ask(&space, &add, "unshare-uts"), "ok");
    assert_eq!(probe::ask(&space, &[], "unshare-uts"), "EPERM");
    assert_eq!(space.sh(&add, "mount -t tmpfs none /mnt && echo mounted"), "mounted\n");
}

fn a_setuid_program_gains_nothing(who: Who) {
    let space = Space::new(who);
    let script = "cp /bin/id /tmp/id && chmod 4755 /tmp/id && ";
    let script = match who {
        Who::Root => format!("{script} setpriv --reuid 1000 --clear-groups /tmp/id -u"),
        Who::User => format!("{script} grep NoNewPrivs /proc/self/status | tr -dc 1"),
    };
    assert_eq!(space.sh(&[], &script).trim(), if who == Who::Root { "1000" } else { "1" });
}
