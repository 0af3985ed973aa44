//! Machines that lack something: each lack is made, on a throw-away host or by the fault hook, and each gets one line
//! that says what is lacking and what to do, exit status 125, and nothing left.

use super::probe;
use crate::common::container::{Outcome, Running};
use crate::common::need::Need;
use crate::common::space::{self, Space, Who, names_in};
use crate::common::{Test, as_both, as_root, as_user};
use std::os::unix::fs::PermissionsExt;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], a_state_directory_that_cannot_be_used),
        as_user(&[], a_state_directory_that_cannot_be_read),
        as_root(&[], without_iptables_there_is_no_bridge),
        as_root(&[], without_iptables_the_default_is_none_and_says_so),
        as_both(&[Need::FaultHook], without_overlay_in_the_kernel),
        as_both(&[Need::Root], a_state_directory_on_an_overlay),
        as_both(&[], a_state_directory_whose_name_is_no_text),
        as_both(&[Need::Root], without_proc),
        as_user(&[], user_namespaces_forbidden_by_their_number),
        as_user(&[Need::FaultHook], user_namespaces_forbidden_by_a_security_module),
        as_both(&[], inside_another_container),
        as_root(&[Need::Rootless], root_without_its_power_is_an_ordinary_user),
        as_root(&[], inside_a_privileged_container_it_works),
        as_root(&[Need::Controller("memory")], where_cgroups_are_read_only_a_limit_is_refused),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn a_state_directory_that_cannot_be_used(who: Who) {
    let space = Space::bare(who);
    let file = space.file("state", "a file in the place of the directory");
    let path = file.display().to_string();
    for words in [&["run", "base", "true"][..], &["prune"]] {
        space.minidocker(words).assert_refused(&[&path, "ENOTDIR"]);
    }
    std::fs::remove_file(file).unwrap();
}

fn a_state_directory_that_cannot_be_read() {
    let space = Space::new(Who::User);
    assert_eq!(space.sh(&[], "echo fine"), "fine\n");
    let mode = |mode| std::fs::set_permissions(space.root(), PermissionsExt::from_mode(mode)).unwrap();
    mode(0o000);
    let outcome = space.run(&["base", "true"]);
    mode(0o711);
    outcome.assert_refused(&[&space.root().display().to_string(), "EACCES"]);
}

/// Hide the program on the throw-away host, wherever `minidocker` would look for it.
fn hide_iptables(space: &Space) {
    space.host().sh("for d in $(echo $PATH | tr : ' ') /usr/sbin /sbin; do [ ! -e $d/iptables-restore ] || \
         mount --bind /dev/null $d/iptables-restore; done");
}

fn without_iptables_there_is_no_bridge() {
    let space = Space::new(Who::Root);
    hide_iptables(&space);
    space.run(&["--network", "bridge", "base", "true"]).assert_refused(&["iptables"]);
    assert_eq!(space.containers(), [""; 0]);
    assert_eq!(space.host().links(), ["lo"]);
}

fn without_iptables_the_default_is_none_and_says_so() {
    let space = Space::new(Who::Root);
    hide_iptables(&space);
    let outcome = space.run(&["base", "sh", "-c", "ls /sys/class/net"]);
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "lo\n"), "{}", outcome.err);
    assert!(outcome.err.contains("iptables") && outcome.err.lines().count() == 1, "{}", outcome.err);
}

/// The outcome of the run in which the request that `is_meant` recognises by its error failed with `errno`: the
/// requests of `role` are made to fail one by one until then.
fn with_fault(space: &Space, role: &str, errno: &str, is_meant: impl Fn(&str) -> bool) -> Outcome {
    for number in 1..400 {
        let fired = space.path("fired");
        let mut command = space.command();
        command
            .env("MINIDOCKER_FAULT", format!("{role}:{number}:{errno}"))
            .env("MINIDOCKER_FAULT_FIRED", &fired);
        let outcome =
            Running::start(command.args(["run", "--rm", "--network", "none", "base", "true"])).end();
        if is_meant(&outcome.err) {
            return outcome;
        }
        assert!(fired.exists(), "{role} made fewer than {number} requests, and none was meant");
        std::fs::remove_file(fired).unwrap();
    }
    panic!("too many requests");
}

fn without_overlay_in_the_kernel(who: Who) {
    let space = Space::new(who);
    // 19 is ENODEV: what mount(2) answers when the kernel has no such file system.
    let outcome = with_fault(&space, "init", "19", |err| err.contains("mount(") && err.contains("overlay"));
    outcome.assert_refused(&["overlay", "ENODEV"]);
    assert_eq!(space.containers(), [""; 0]);
}

fn a_state_directory_on_an_overlay(who: Who) {
    let space = Space::new(who);
    let root = space.root().display().to_string();
    for name in ["upper", "work"] {
        space.file(&format!("{name}/file"), "");
    }
    space.host().sh(&format!(
        "cd {root}/.. && rm work/file && \
         mount -t overlay overlay -o lowerdir=state,upperdir=upper,workdir=work state"
    ));
    space.base(&[], &["true"]).assert_refused(&[&root, "EINVAL", "MINIDOCKER_ROOT"]);
    let script = format!("[ -z \"$(ls {root}/containers)\" ]; umount {root}");
    space.host().sh(&script);
}

fn a_state_directory_whose_name_is_no_text(who: Who) {
    use std::os::unix::ffi::OsStringExt;
    let space = Space::new(who);
    let mut root = space.root().into_os_string().into_vec();
    root.extend(b"/\xff");
    let root = std::ffi::OsString::from_vec(root);
    let mut command = space.command();
    command.env("MINIDOCKER_ROOT", &root).args(["run", "--rm", "base", "true"]);
    Running::start(&mut command).end().assert_refused(&["UTF-8", "MINIDOCKER_ROOT"]);
    assert!(!std::path::Path::new(&root).exists());
}

fn without_proc(who: Who) {
    for (script, errno) in [("umount -l /proc", "ENOENT"), ("mount -t tmpfs -o mode=700 tmpfs /proc", "E")] {
        let (made, bare) = (Space::new(who), Space::bare(who));
        std::fs::create_dir(bare.root()).unwrap();
        std::fs::set_permissions(bare.root(), PermissionsExt::from_mode(0o777)).unwrap();
        for space in [made, bare] {
            space.host().sh(script);
            let outcome = space.base(&[], &["true"]);
            let last = outcome.err.lines().last().unwrap_or_default();
            assert!(last.contains("/proc, and") && last.contains(errno), "{}", outcome.err);
            assert_eq!((outcome.status, space.containers()), (125, vec![]));
        }
    }
}

fn user_namespaces_forbidden_by_their_number() {
    let space = Space::new(Who::User);
    space.sh(&[], "exit 0");
    // In a user namespace of its own, a person may set the limit for those below it.
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && \
                  exec setpriv --bounding-set -sys_admin --inh-caps -sys_admin -- \"$@\"";
    let through = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"];
    let words = ["run", "--rm", "--network", "none", "base", "true"];
    let outcome = Running::start(space.command_through(&through).args(words)).end();
    outcome.assert_refused(&["ENOSPC", "user.max_user_namespaces"]);
    assert_eq!(space.containers(), [""; 0]);
}

fn user_namespaces_forbidden_by_a_security_module() {
    let space = Space::new(Who::User);
    let outcome = with_fault(&space, "runtime", "EPERM", |err| err.contains("clone3("));
    outcome.assert_refused(&["EPERM", "user"]);
    assert_eq!(space.containers(), [""; 0]);
}

fn root_without_its_power_is_an_ordinary_user() {
    let space = Space::new(Who::Root);
    let through = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", "--"];
    let run = |words: &[&str]| {
        Running::start(space.command_through(&through).args(["run", "--rm"]).args(words)).end()
    };
    let outcome = run(&["base", "sh", "-c", "id -u; cat /proc/self/uid_map; ls /sys/class/net"]);
    let words: Vec<&str> = outcome.out.split_whitespace().collect();
    assert_eq!((outcome.status, words), (0, vec!["0", "0", "0", "1", "lo"]), "{}", outcome.err);
    let bridged = run(&["--network", "bridge", "base", "ls", "/sys/class/net"]);
    assert_eq!((bridged.status, bridged.out.as_str()), (0, "eth0\nlo\n"), "{}", bridged.err);
    assert_eq!(space.host().links(), ["lo"], "the bridge was in a namespace of its own");
}

/// What `minidocker run WORDS` says in a container with these options.
fn nested(space: &Space, options: &[&str], words: &str) -> Outcome {
    let state = space.path("nested");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::set_permissions(&state, PermissionsExt::from_mode(0o777)).unwrap();
    let mut volumes = probe::libraries();
    volumes.push(format!("{}:/state", state.display()));
    for name in ["images", "blobs", "layers"] {
        let made = space.root().join(name).canonicalize().unwrap();
        volumes.push(format!("{}:/state/{name}", made.display()));
    }
    volumes.push(format!("{}:/minidocker:ro", space::program().display()));
    let volumes: Vec<&str> = volumes.iter().flat_map(|volume| ["-v", volume.as_str()]).collect();
    let script = format!("/minidocker run --rm --network none {words}");
    let options = [options, &volumes, &["-e", "MINIDOCKER_ROOT=/state"]].concat();
    let outcome = space.base(&options, &["sh", "-c", &script]);
    assert_eq!(names_in(&state.join("containers")), [""; 0]);
    outcome
}

fn inside_another_container(who: Who) {
    let space = Space::new(who);
    nested(&space, &[], "base true").assert_refused(&["container"]);
}

fn inside_a_privileged_container_it_works() {
    let space = Space::new(Who::Root);
    let outcome = nested(&space, &["--privileged"], "base sh -c 'hostname; id -u' | tail -1");
    assert_eq!((outcome.status, outcome.out.as_str()), (0, "0\n"), "{}", outcome.err);
}

fn where_cgroups_are_read_only_a_limit_is_refused() {
    let space = Space::new(Who::Root);
    space
        .host()
        .sh("grep cgroup /proc/mounts | cut -d' ' -f2 | while read m; do mount -o remount,bind,ro $m; done");
    let outcome = space.base(&["--memory", "64m"], &["true"]);
    outcome.assert_refused(&["--memory", "EROFS"]);
    assert_eq!(space.containers(), [""; 0]);
    assert_eq!(space.sh(&[], "echo fine"), "fine\n");
}
