//! Scripts as two processes print them, and whether a shell takes them.

use super::*;
use crate::sys::flags::{self, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUTS};
use crate::sys::netlink::{Netns, Rtnetlink};
use std::io::Write;
use std::process::{Command, Stdio};

/// What the runtime and the child print, in the order in which a run prints it.
fn script(before: &[Call<'_>], attach: &[Call<'_>], inside: &[Call<'_>], after: &[Call<'_>]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let shell = || Shell { out: Out::File(file.reopen().unwrap()), ..Shell::new(Lang::En) };
    let place = |role| Place { role, pid: 7, step: None, sealed: false };
    let tell = |shell: &mut Shell, role, call: &Call<'_>, answer| {
        shell.asking(&place(role), call);
        shell.answered(&place(role), call, &answer, &[]);
    };
    let (mut runtime, mut init) = (shell(), shell());
    let mut tell_all = |calls: &[Call<'_>]| {
        calls.iter().for_each(|call| tell(&mut runtime, Role::Runtime, call, Answer::Done));
    };
    let clone = Call::Clone3 { flags: flags::clone(CLONE_NEWPID | CLONE_NEWNET), cgroup: None };
    tell_all(before);
    tell(&mut runtime, Role::Runtime, &clone, Answer::Number(4242));
    attach.iter().for_each(|call| tell(&mut runtime, Role::Runtime, call, Answer::Done));
    tell(&mut runtime, Role::Runtime, &Call::WritePipe { bytes: 1 }, Answer::Number(1));
    // The three parts share one file, and each begins at its start.
    let first = std::fs::read_to_string(file.path()).unwrap();
    file.as_file().set_len(0).unwrap();
    init.became(&place(Role::Init));
    inside.iter().for_each(|call| tell(&mut init, Role::Init, call, Answer::Done));
    let second = std::fs::read_to_string(file.path()).unwrap();
    file.as_file().set_len(0).unwrap();
    runtime.out = Out::File(file.reopen().unwrap());
    tell(&mut runtime, Role::Runtime, &Call::ReadPipe, Answer::Number(0));
    after.iter().for_each(|call| tell(&mut runtime, Role::Runtime, call, Answer::Done));
    first + &second + &std::fs::read_to_string(file.path()).unwrap()
}

/// Whether a shell finds no fault with the script's syntax.
fn is_sound(script: &str) -> bool {
    let mut shell = Command::new("sh").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    shell.wait().unwrap().success()
}

#[test]
fn nested_here_documents_are_closed_after_the_command() {
    let argv = ["sh".to_owned(), "-c".to_owned(), "echo it's".to_owned()];
    let text = script(
        &[Call::Mkdir { path: Path::new("/a b"), mode: 0o700 }],
        &[],
        &[
            Call::Unshare { flags: flags::clone(CLONE_NEWTIME) },
            Call::Unshare { flags: flags::clone(CLONE_NEWUTS) },
            Call::Sethostname { name: "web" },
            Call::Execve { path: Path::new("/bin/sh"), argv: &argv, environment: &[] },
        ],
        &[Call::Rmdir { path: Path::new("/a b") }],
    );
    let expected = r#"#!/bin/sh
set -eu
PATH=$PATH:/usr/sbin:/sbin
exec 3<&0
status=0
mkdir -p -m 700 '/a b'

# clone: A child in namespaces of its own
unshare --fork --pid --net sh -eu <<'INIT' || status=$?
exec unshare --time sh -eu <<'TIME'
exec unshare --uts sh -eu <<'UTS'
hostname web
exec env -i /bin/sh -c 'echo it'\''s' <&3 3<&-
UTS
TIME
INIT
trap 'exit "$status"' EXIT
rmdir '/a b'
"#;
    assert_eq!(text, expected);
    assert!(is_sound(&text));
}

#[test]
fn what_the_runtime_does_for_the_waiting_child_stands_behind_it() {
    let veth = Rtnetlink::NewVeth { name: "md1", group: 1, master: 3, peer: "eth0", netns: Netns::Of(4242) };
    let argv = ["true".to_owned()];
    let text = script(
        &[],
        &[Call::Rtnetlink(veth)],
        &[Call::Execve { path: Path::new("/bin/true"), argv: &argv, environment: &[] }],
        &[],
    );
    assert!(text.contains("<<'INIT' &\necho > \"$run/born\"\nread -r _ < \"$run/go\"\n"), "{text}");
    let tail = "INIT\ninit=$!\nread -r _ < \"$run/born\"\nip link add md1 group 1 master if3 type veth peer name eth0 \
                netns \"$init\"\nip link set md1 up\n\necho > \"$run/go\"\nwait \"$init\" || status=$?\n";
    assert!(text.contains(tail), "{text}");
    assert!(is_sound(&text));
}

#[test]
fn refused_calls_are_no_part_of_the_script() {
    let mut shell = Shell { out: Out::Stderr, ..Shell::new(Lang::En) };
    let place = Place { role: Role::Runtime, pid: 7, step: None, sealed: false };
    shell.answered(&place, &Call::Setsid, &Answer::Refused(1, "EPERM", "Operation not permitted"), &[]);
    assert!(!shell.begun);
}
