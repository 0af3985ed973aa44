//! `exec`: a command in a running container is in everything that its first process is in, and has no more rights.

use crate::common::container::{Running, children_of, namespace_of, status_of};
use crate::common::need::Need;
use crate::common::space::{Space, Who, cgroup_mount, directory_for};
use crate::common::{Test, as_both, as_root};
use nix::sys::signal::Signal;
use std::path::PathBuf;

pub fn tests() -> Vec<Test> {
    [
        as_both(&[], it_is_where_the_first_process_is),
        as_both(&[], with_init_too),
        as_both(&[], no_descriptor_of_the_hosts_comes_along),
        as_both(&[], its_status_is_the_commands),
        as_both(&[], it_has_the_containers_environment_and_what_was_asked_for),
        as_root(&[], it_is_the_user_that_was_asked_for),
        as_both(&[], only_with_i_it_reads_our_input),
        as_both(&[], what_does_not_run_is_refused),
        as_root(&[Need::Controller("freezer")], what_is_paused_is_refused),
        as_both(&[], no_working_directory_leads_out),
        as_root(&[], privileged_gives_every_capability_and_keeps_the_filter),
        as_both(&[], a_signal_reaches_the_command),
        as_both(&[], detached_it_goes_on_alone),
        as_both(&[], it_ends_with_the_container),
        as_both(&[], a_container_that_is_killed_meanwhile_is_one_error),
        as_both(&[], another_program_than_the_runtimes_is_out_of_reach),
        as_both(&[], each_step_is_explained),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A container called `box` that is there until its input ends.
fn hold(space: &Space, options: &[&str]) -> Running {
    space.hold(&[&["--name", "box"], options].concat())
}

/// `minidocker exec OPTIONS box COMMAND`, started.
fn start(space: &Space, options: &[&str], command: &[&str]) -> Running {
    Running::start(space.command().arg("exec").args(options).arg("box").args(command))
}

/// What `sh -c SCRIPT` writes in `box`; it must succeed.
fn sh(space: &Space, options: &[&str], script: &str) -> String {
    let outcome = start(space, options, &["sh", "-c", script]).end();
    assert_eq!((outcome.status, outcome.err.as_str()), (0, ""), "{script}");
    outcome.out
}

fn assert_alike(space: &Space, options: &[&str]) {
    let container = hold(space, options);
    let mut visitor = start(space, &["-i"], &["sh", "-c", "echo ready; read line; exit 0"]);
    visitor.expect("ready");
    let (first, own) = (container.pid(), visitor.pid());
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        assert_eq!(namespace_of(own, kind), namespace_of(first, kind), "{kind}");
    }
    for key in
        ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups"]
    {
        assert_eq!(status_of(own, key), status_of(first, key), "{key}");
    }
    let read = |pid: u32, name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap();
    // On a machine with both versions, a container has a group of its own in those hierarchies that limit something.
    let groups = |pid| {
        read(pid, "cgroup")
            .lines()
            .filter(|line| line.contains("minidocker-"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(groups(own), groups(first));
    assert_eq!(read(own, "mountinfo"), read(first, "mountinfo"));
    assert_eq!(status_of(own, "Umask"), "0022");
    let session = read(own, "stat").rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap().to_owned();
    assert_eq!(session, own.to_string(), "a session of its own");
    assert_eq!((visitor.end().status, container.end().status), (0, 0));
}

fn it_is_where_the_first_process_is(who: Who) {
    let space = Space::new(who);
    assert_alike(&space, &[]);
    assert_alike(&space, &["--cap-drop", "ALL", "--cap-add", "NET_ADMIN", "--network", "host"]);
}

fn with_init_too(who: Who) {
    assert_alike(&Space::new(who), &["--init"]);
}

fn no_descriptor_of_the_hosts_comes_along(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    assert_eq!(sh(&space, &[], "echo $(ls /proc/self/fd)"), "0 1 2 3\n", "3 is the directory that ls reads");
    assert_eq!(sh(&space, &["-i"], "readlink /proc/self/fd/0 | cut -d: -f1"), "pipe\n");
    assert_eq!(sh(&space, &[], "readlink /proc/self/fd/0"), "/dev/null\n");
}

fn its_status_is_the_commands(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    for status in [0, 1, 42, 255] {
        let outcome = start(&space, &[], &["sh", "-c", &format!("exit {status}")]).end();
        assert_eq!((outcome.status, outcome.err.as_str()), (status, ""));
    }
    assert_eq!(start(&space, &[], &["sh", "-c", "kill -KILL $$"]).end().status, 137);
    for (command, status) in
        [("no-such-program", 127), ("/no/such", 127), ("/etc/passwd", 126), ("/etc", 126)]
    {
        let outcome = start(&space, &[], &[command]).end();
        assert_eq!((outcome.status, outcome.out.as_str()), (status, ""), "{}", outcome.err);
        assert!(outcome.err.contains(command) && outcome.err.lines().count() == 1, "{}", outcome.err);
    }
    assert_eq!(space.minidocker(&["exec", "box"]).status, 125);
}

fn it_has_the_containers_environment_and_what_was_asked_for(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &["-e", "A=run", "-e", "B=run", "-w", "/usr", "--hostname", "here"]);
    let file = space.file("variables", "# a note\n\nB=file\n  C=file with blanks\n").display().to_string();
    let said = sh(
        &space,
        &["--env-file", &file, "-e", "A=exec"],
        "echo $A $B $C; pwd; hostname; echo $HOME $HOSTNAME",
    );
    assert_eq!(said, "exec file file with blanks\n/usr\nhere\n/root here\n");
    assert_eq!(sh(&space, &["-w", "/tmp", "-e", "HOME=/x"], "pwd; echo $HOME"), "/tmp\n/x\n");
    let missing = start(&space, &["--env-file", "/no/such/file"], &["true"]).end();
    assert_eq!((missing.status, missing.err.contains("/no/such/file")), (1, true), "{}", missing.err);
    for workdir in ["/no/such", "relative"] {
        let outcome = start(&space, &["-w", workdir], &["true"]).end();
        assert_eq!((outcome.status, outcome.err.contains(workdir)), (126, true), "{}", outcome.err);
    }
}

fn it_is_the_user_that_was_asked_for() {
    let space = Space::new(Who::Root);
    let _box = hold(&space, &["--user", "1000:50"]);
    assert_eq!(
        sh(&space, &[], "id -u; id -g; grep CapEff /proc/self/status"),
        "1000\n50\nCapEff:\t0000000000000000\n"
    );
    assert_eq!(sh(&space, &["-u", "0"], "id -u; id -G"), "0\n0\n");
    assert_eq!(sh(&space, &["-u", "student"], "id -un; echo $HOME"), "student\n/home/student\n");
    // The pipe that we read can be opened anew by whoever may write into it.
    assert_eq!(sh(&space, &[], "echo anew > /dev/stdout"), "anew\n");
    let outcome = start(&space, &["-u", "nobody-here"], &["true"]).end();
    assert_eq!((outcome.status, outcome.err.contains("nobody-here")), (126, true), "{}", outcome.err);
}

fn only_with_i_it_reads_our_input(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    for (options, expected) in [(&["-i"][..], "line\n"), (&[], "")] {
        let mut visitor = start(&space, options, &["cat"]);
        if !options.is_empty() {
            visitor.say("line");
        }
        assert_eq!(visitor.end().out, expected);
    }
}

fn what_does_not_run_is_refused(who: Who) {
    let space = Space::new(who);
    space.minidocker(&["exec", "box", "true"]).assert_failed(&["\"box\""]);
    let ended =
        Running::start(space.command().args(["run", "--name", "box", "--network", "none", "base", "true"]));
    assert_eq!(ended.end().status, 0);
    space.minidocker(&["exec", "box", "true"]).assert_failed(&["container box is not running"]);
}

fn what_is_paused_is_refused() {
    let space = Space::new(Who::Root);
    let first = hold(&space, &[]);
    let (_, version) = cgroup_mount("freezer").unwrap();
    let group = first.cgroup("freezer");
    let (file, frozen, thawed) = match version {
        1 => ("freezer.state", "FROZEN", "THAWED"),
        _ => ("cgroup.freeze", "1", "0"),
    };
    std::fs::write(group.join(file), frozen).unwrap();
    let refused = space.minidocker(&["exec", "box", "true"]);
    std::fs::write(group.join(file), thawed).unwrap();
    refused.assert_failed(&["container box is paused", "unpause"]);
    assert_eq!(start(&space, &[], &["true"]).end().status, 0);
}

fn no_working_directory_leads_out(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    // Whatever a process has open on its way in is no place to stand in: CVE-2024-21626.
    for number in 0..24 {
        for path in [format!("/proc/self/fd/{number}"), format!("/proc/self/fd/{number}/..")] {
            let outcome = start(&space, &["-w", &path], &["cat", "etc/passwd"]).end();
            assert_eq!((outcome.status, outcome.out.as_str()), (126, ""), "{path}: {}", outcome.err);
        }
    }
    assert_eq!(sh(&space, &["-w", "/proc/self/cwd"], "pwd"), "/\n");
}

fn privileged_gives_every_capability_and_keeps_the_filter() {
    let space = Space::new(Who::Root);
    let _box = hold(&space, &[]);
    let set = |options: &[&str]| {
        let text = sh(&space, options, "grep CapEff /proc/self/status | cut -f2");
        u64::from_str_radix(text.trim(), 16).unwrap()
    };
    let ours = u64::from_str_radix(&status_of(std::process::id(), "CapBnd"), 16).unwrap();
    assert_eq!(set(&["--privileged"]), ours & ((1 << 41) - 1));
    assert_eq!(set(&[]).count_ones(), 14);
    assert_eq!(sh(&space, &["--privileged"], "mount -t tmpfs none /mnt && echo mounted"), "mounted\n");
    assert_eq!(sh(&space, &["--privileged"], "grep Seccomp: /proc/self/status"), "Seccomp:\t2\n");
}

fn a_signal_reaches_the_command(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    let mut visitor = start(
        &space,
        &[],
        &["sh", "-c", "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; done"],
    );
    visitor.expect("ready");
    visitor.signal(Signal::SIGTERM);
    visitor.expect("caught");
    assert_eq!(visitor.end().status, 9);
}

fn detached_it_goes_on_alone(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    let script = "echo unheard; exec 3<> /tmp/pipe; echo in > /tmp/in; read line <&3; echo $line > /tmp/out";
    assert_eq!(sh(&space, &[], "mkfifo /tmp/pipe; mkfifo /tmp/in; mkfifo /tmp/out"), "");
    let outcome = start(&space, &["-d"], &["sh", "-c", script]).end();
    assert_eq!((outcome.status, outcome.out.as_str(), outcome.err.as_str()), (0, "", ""));
    assert_eq!(sh(&space, &[], "cat /tmp/in; echo go > /tmp/pipe; cat /tmp/out"), "in\ngo\n");
    // What cannot begin is told all the same.
    let outcome = start(&space, &["-d"], &["no-such-program"]).end();
    assert_eq!((outcome.status, outcome.err.contains("no-such-program")), (127, true), "{}", outcome.err);
}

fn it_ends_with_the_container(who: Who) {
    let space = Space::new(who);
    let first = hold(&space, &[]);
    let mut visitor = start(&space, &[], &["sh", "-c", "echo ready; sleep 1000"]);
    visitor.expect("ready");
    assert_eq!(first.end().status, 0);
    assert_eq!(visitor.end().status, 137);
}

fn a_container_that_is_killed_meanwhile_is_one_error(who: Who) {
    for round in 0..12 {
        let space = Space::new(who);
        let first = hold(&space, &[]);
        let visitor = start(&space, &[], &["sleep", "1000"]);
        std::thread::sleep(std::time::Duration::from_micros(700 * round));
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(first.pid() as i32), Signal::SIGKILL).unwrap();
        assert_eq!(first.end().status, 137);
        let outcome = visitor.end();
        match outcome.status {
            137 => assert_eq!(outcome.err, ""),
            _ => outcome.assert_failed(&["box"]),
        }
    }
}

fn another_program_than_the_runtimes_is_out_of_reach(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    let exe = |pid: u32| std::fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    let mut same = start(&space, &["-i"], &["sh", "-c", "echo ready; read line"]);
    same.expect("ready");
    assert_eq!(exe(same.runtime()), crate::common::space::program());
    let elsewhere = directory_for(who).unwrap();
    let copy: PathBuf = elsewhere.path().join("minidocker");
    std::fs::copy(crate::common::space::program(), &copy).unwrap();
    let words = [copy.to_str().unwrap()];
    let mut other = space.program_of_the_machine(&words);
    let mut other =
        Running::start(other.args(["exec", "-i", "box", "sh", "-c", "echo ready; read line; exit 5"]));
    other.expect("ready");
    let exe = exe(other.runtime());
    assert!(exe.to_string_lossy().starts_with("/memfd:minidocker"), "{}", exe.display());
    assert_eq!(children_of(other.runtime()).len(), 1);
    assert_eq!(other.end().status, 5);
}

fn each_step_is_explained(who: Who) {
    let space = Space::new(who);
    let _box = hold(&space, &[]);
    let outcome = space.minidocker(&["--explain", "exec", "box", "true"]);
    assert_eq!(outcome.status, 0, "{}", outcome.err);
    for word in ["spawn", "cgroup-join", "join", "harden", "exec"] {
        assert!(
            outcome.err.contains(&format!("── {word}  ")) || (who == Who::User && word == "cgroup-join"),
            "{word}"
        );
    }
    assert!(outcome.err.contains("setns(\"/proc/") && outcome.err.contains("CLONE_NEWPID) = 0"));
}
