//! What the kernel must say of the parts of lab `pid`.
//!
//! The acts at the end are done by the probe, inside the container; everything else looks from outside.

use crate::lab::bench::{Bench, Subject};
use crate::lab::lesson::{Act, Check, Lesson, Part};
use crate::lab::need::Need;
use crate::lab::verdict::{Diagnosis, Outcome, Said, ensure};
use crate::lab::witness;
use crate::narrate::words::Text;
use crate::process::signals;
use crate::said;
use crate::sys::process::{self, Child};
use crate::sys::signal::{self, SIGCONT, SIGHUP, SIGKILL, SIGSTOP, SIGTERM, SIGWINCH};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

mod acts;
mod words;

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "pid",
    title: Text {
        en: "pid 1, its /proc and its duties: clone3, wait, signals",
        zh: "1 号进程、它的 /proc 和职责：clone3、wait、信号",
    },
    parts: &[
        Part {
            function: "birth",
            field: "birth",
            ours: &[("src/container/parts.rs", "birth"), ("src/namespace/pid.rs", "birth")],
        },
        Part { function: "proc", field: "proc", ours: &[("src/rootfs/virtualfs.rs", "mount_proc")] },
        Part { function: "reap", field: "reap", ours: &[("src/namespace/pid.rs", "reap")] },
    ],
    needs: &[Need::UserNamespaces],
    checks: CHECKS,
    mistakes: words::MISTAKES,
    hints: words::HINTS,
    acts: &[
        Act { name: "orphans", act: acts::orphans },
        Act { name: "hold-signals", act: acts::hold_signals },
        Act { name: "next-signal", act: acts::next_signal },
    ],
    page: "namespaces/pid",
};

const CHECKS: &[Check] = &[
    Check {
        name: "first-process",
        title: Text {
            en: "the command is pid 1 of a pid namespace of its own",
            zh: "命令是自己的 pid namespace 里的 1 号",
        },
        points: 1,
        about: &["birth"],
        needs: &[],
        look: "minidocker run --rm lab sh -c 'echo $$; ls -l /proc/self/ns/pid'; ls -l /proc/self/ns/pid",
        run: first_process,
    },
    Check {
        name: "runtime-stays",
        title: Text { en: "the runtime itself stays where it was", zh: "运行时自己留在原处" },
        points: 1,
        about: &["birth"],
        needs: &[],
        look: "minidocker run -d lab sh -c 'while :; do :; done'; ls -l /proc/self/ns /proc/$(pgrep -o minidocker)/ns",
        run: runtime_stays,
    },
    Check {
        name: "network-as-asked",
        title: Text {
            en: "a network namespace of its own for `--network none`, the host's for `--network host`",
            zh: "`--network none` 有自己的网络 namespace，`--network host` 用主机的",
        },
        points: 1,
        about: &["birth"],
        needs: &[],
        look: "for n in none host; do minidocker run --rm --network $n lab ls -l /proc/self/ns/net; done; ls -l /proc/self/ns/net",
        run: network_as_asked,
    },
    Check {
        name: "own-proc",
        title: Text {
            en: "/proc shows the container's processes and no others",
            zh: "/proc 只显示容器自己的进程",
        },
        points: 1,
        about: &["proc"],
        needs: &[],
        look: "minidocker run --rm lab ls /proc",
        run: own_proc,
    },
    Check {
        name: "harmless-proc",
        title: Text {
            en: "/proc is mounted nosuid, nodev and noexec",
            zh: "/proc 以 nosuid、nodev、noexec 挂载",
        },
        points: 1,
        about: &["proc"],
        needs: &[],
        look: "minidocker run --rm lab cat /proc/self/mountinfo",
        run: harmless_proc,
    },
    Check {
        name: "orphans",
        title: Text {
            en: "with --init, eight orphans that end at once leave no zombie, and the command lives on",
            zh: "有 --init 时，八个孤儿同时结束也不留僵尸，命令照常运行",
        },
        points: 2,
        about: &["reap"],
        needs: &[],
        look: "minidocker run --rm --init lab sh -c '(sh -c : & :); (sh -c : & :); cat /proc/[0-9]*/stat'",
        run: orphans,
    },
    Check {
        name: "signals",
        title: Text {
            en: "with --init, the command gets what pid 1 is sent",
            zh: "有 --init 时，发给 1 号的信号命令都收得到",
        },
        points: 1,
        about: &["reap"],
        needs: &[],
        look: "minidocker run -d --init --name moon lab sh -c 'trap \"echo usr1\" USR1; while :; do :; done'; minidocker kill -s USR1 moon; minidocker logs moon",
        run: signals_passed_on,
    },
    Check {
        name: "status",
        title: Text {
            en: "with --init, `run` ends with the command's status, or 128 and the signal that ended it",
            zh: "有 --init 时，`run` 以命令的状态结束；命令被信号结束时是 128 加信号的编号",
        },
        points: 1,
        about: &["reap"],
        needs: &[],
        look: "minidocker run --rm --init lab sh -c 'exit 42'; echo $?; minidocker run --rm --init lab sh -c 'kill -9 $$'; echo $?",
        run: status,
    },
    Check {
        name: "end-of-the-command",
        title: Text {
            en: "with --init, the container ends with its command, whoever else still lives in it",
            zh: "有 --init 时，命令一结束容器就结束，不管里面还有谁活着",
        },
        points: 1,
        about: &["reap"],
        needs: &[],
        look: "minidocker run --rm --init lab sh -c 'sh -c \"while :; do :; done\" & exit 0'",
        run: end_of_the_command,
    },
];

/// So long is waited for what should come at once, where it may well not come.
const SOON: Duration = Duration::from_secs(2);

/// How many orphans end at once.
const ORPHANS: usize = 8;

/// Start a container, and say what an empty /proc means.
fn begin(bench: &Bench, options: &[&str]) -> Outcome<Subject> {
    use crate::lab::bench::{Ran, no_probe};
    match bench.try_run(options)? {
        Ran::Probe(subject) => Ok(subject),
        Ran::Ended(end) if end.stderr.contains("/proc/self/") => Err(no_probe(&end)).known_as("no-proc"),
        Ran::Ended(end) => Err(no_probe(&end)),
    }
}

/// That `pid` is the first of a pid namespace one below the grader's: `NSpid: N 1`.
fn is_first(pid: i32) -> Outcome {
    let line = witness::status(pid, "NSpid")?;
    let pids: Vec<&str> = line.split_whitespace().collect();
    let shown = pids.join(" ");
    ensure(
        pids.len() == 2 && pids[1] == "1",
        Said::plain(format!("NSpid: {shown}")),
        Said::plain(format!("NSpid: {pid} 1")),
    )
    .known_as("no-pid-namespace")
}

fn first_process(bench: &Bench) -> Outcome {
    let subject = begin(bench, &[])?;
    is_first(subject.probe.pid())?;
    let (host, inside) = (witness::namespace(1, "pid")?, witness::namespace(subject.probe.pid(), "pid")?);
    ensure(
        host != inside,
        witness::link("pid", inside),
        said!("not the host's pid:[{host}]", "不是主机的 pid:[{host}]"),
    )
}

fn runtime_stays(bench: &Bench) -> Outcome {
    let subject = begin(bench, &[])?;
    let runtime = witness::parent(subject.probe.pid())?;
    for kind in ["pid_for_children", "net"] {
        let (host, here) = (witness::namespace(1, kind)?, witness::namespace(runtime, kind)?);
        ensure(
            host == here,
            said!(
                "/proc/{runtime}/ns/{kind} of the runtime is [{here}]",
                "运行时的 /proc/{runtime}/ns/{kind} 是 [{here}]"
            ),
            said!("[{host}], where it was started", "[{host}]，即它启动的地方"),
        )
        .known_as("unshare-in-the-runtime")?;
    }
    Ok(())
}

fn network_as_asked(bench: &Bench) -> Outcome {
    let host = witness::namespace(1, "net")?;
    let none = begin(bench, &["--network", "none"])?;
    let inside = witness::namespace(none.probe.pid(), "net")?;
    ensure(
        inside != host,
        said!(
            "--network none: net:[{inside}] inside and on the host",
            "--network none：容器内外都是 net:[{inside}]"
        ),
        said!("another one than the host's", "与主机不同"),
    )
    .known_as("no-network-namespace")?;
    none.probe.end(0)?;
    none.wait()?;
    let shared = begin(bench, &["--network", "host"])?;
    let inside = witness::namespace(shared.probe.pid(), "net")?;
    ensure(
        inside == host,
        said!("--network host: net:[{inside}] inside", "--network host：容器里是 net:[{inside}]"),
        said!("the host's, net:[{host}]", "主机的 net:[{host}]"),
    )
    .known_as("network-for-everybody")
}

fn own_proc(bench: &Bench) -> Outcome {
    let subject = begin(bench, &[])?;
    let pid = subject.probe.pid();
    is_first(pid)?;
    let shown = witness::processes_in(Path::new(&format!("/proc/{pid}/root/proc")));
    let list = shown.iter().map(i32::to_string).collect::<Vec<_>>().join(" ");
    ensure(
        shown == [1],
        said!("/proc inside lists {list}", "容器里的 /proc 列出 {list}"),
        said!("1, and no others", "只有 1"),
    )
    .known_as("hosts-proc")
}

fn harmless_proc(bench: &Bench) -> Outcome {
    let subject = begin(bench, &[])?;
    let mounts = witness::mounts(subject.probe.pid())?;
    // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS …
    let line = mounts.iter().rev().find(|line| line.split(' ').nth(4) == Some("/proc"));
    let line = line.cloned().unwrap_or_default();
    let options: Vec<&str> = line.split(' ').nth(5).unwrap_or_default().split(',').collect();
    let missing = ["nosuid", "nodev", "noexec"].iter().any(|option| !options.contains(option));
    ensure(!missing, Said::plain(&*line), Said::plain("… /proc rw,nosuid,nodev,noexec,… - proc proc"))
        .known_as("proc-with-every-right")
}

/// A container with `--init`: the subject, and the process that is pid 1 in it.
fn with_init(bench: &Bench) -> Outcome<(Subject, Child)> {
    let subject = begin(bench, &["--init"])?;
    let pid = witness::parent(subject.probe.pid())?;
    let first = Child { pid, pidfd: process::pidfd_open(pid)? };
    Ok((subject, first))
}

fn orphans(bench: &Bench) -> Outcome {
    let (subject, first) = with_init(bench)?;
    is_first(first.pid)?;
    let _: Value = subject.probe.ask("hold-signals", Value::Null)??;
    let _: Value = subject.probe.ask("orphans", json!(ORPHANS))??;
    let children = witness::children(first.pid).into_iter().filter(|pid| *pid != subject.probe.pid());
    let hold = |pid| Ok(Child { pid, pidfd: process::pidfd_open(pid)? });
    let orphans: Vec<Child> = children.map(hold).collect::<Outcome<_>>()?;
    let count = orphans.len();
    ensure(
        count == ORPHANS,
        said!("{count} children of pid 1", "1 号有 {count} 个子进程"),
        said!("{ORPHANS} orphans", "{ORPHANS} 个孤儿"),
    )?;
    // While pid 1 stands still, the ends of all are one SIGCHLD; two, if it was just taking one.
    process::send_signal(&first, SIGSTOP)?;
    for orphan in &orphans {
        process::send_signal(orphan, SIGKILL)?;
        signal::watch_end(orphan, None)?;
    }
    process::send_signal(&first, SIGCONT)?;
    // A signal with a higher number is taken after SIGCHLD: when the probe has this one, pid 1 is done with the dead.
    let sent = process::send_signal(&first, SIGWINCH).is_ok();
    let answered =
        sent && subject.probe.ask::<Option<i32>>("next-signal", json!(SOON.as_millis() as u64)).is_ok();
    let ended = signal::watch_end(&first, Some(if answered { Duration::ZERO } else { SOON }))?;
    ensure(
        !ended,
        said!("pid 1 has ended, and the command with it", "1 号结束了，命令也跟着结束"),
        said!("it goes on until the command ends", "它一直运行到命令结束"),
    )
    .known_as("ends-with-anybody")?;
    let dead: Vec<String> = orphans.iter().filter_map(|orphan| zombie(orphan.pid, first.pid)).collect();
    let left = dead.len();
    let line = dead.first().cloned().unwrap_or_default();
    ensure(
        left == 0,
        said!(
            "{left} of {ORPHANS} are zombies, the first: {line}",
            "{ORPHANS} 个里有 {left} 个是僵尸，第一个：{line}"
        ),
        said!("none: pid 1 has waited for each", "一个也没有：1 号已经逐个 wait"),
    )
    .known_as(if left == ORPHANS { "waits-for-one" } else { "one-wait-a-signal" })
}

/// What `/proc/PID/status` says, if that is a zombie and a child of `parent`.
fn zombie(pid: i32, parent: i32) -> Option<String> {
    let state = witness::status(pid, "State").ok()?;
    let its = witness::parent(pid).ok()?;
    (state.starts_with('Z') && its == parent).then(|| format!("pid {pid}, State: {state}, PPid: {its}"))
}

fn signals_passed_on(bench: &Bench) -> Outcome {
    let (subject, first) = with_init(bench)?;
    let _: Value = subject.probe.ask("hold-signals", Value::Null)??;
    let others = ["USR1", "WINCH", "RTMIN+3"].map(signals::parse);
    for number in [Ok(SIGTERM), Ok(SIGHUP)].into_iter().chain(others) {
        let number = number?;
        process::send_signal(&first, number)?;
        let got: Option<i32> = subject.probe.ask("next-signal", json!(SOON.as_millis() as u64))??;
        let (name, seconds) = (signals::name(number), SOON.as_secs());
        let saw = match got.map(signals::name) {
            Some(got) => said!(
                "pid 1 was sent SIG{name}, and the command got SIG{got}",
                "给 1 号发了 SIG{name}，命令收到的是 SIG{got}"
            ),
            None => said!(
                "pid 1 was sent SIG{name}; the command got nothing within {seconds} s",
                "给 1 号发了 SIG{name}，命令在 {seconds} 秒内什么也没收到"
            ),
        };
        ensure(got == Some(number), saw, said!("SIG{name}", "SIG{name}")).known_as(if number == SIGTERM {
            "signals-end-here"
        } else {
            "only-the-polite-ones"
        })?;
    }
    Ok(())
}

fn status(bench: &Bench) -> Outcome {
    const CHOSEN: i32 = 42;
    let (subject, _) = with_init(bench)?;
    subject.probe.end(CHOSEN)?;
    let got = subject.wait()?.status;
    ensure(
        i32::from(got) == CHOSEN,
        said!(
            "the command exited with {CHOSEN}, and `run` with {got}",
            "命令以 {CHOSEN} 退出，`run` 以 {got} 退出"
        ),
        Said::plain(CHOSEN.to_string()),
    )
    .known_as("status-lost")?;
    let (subject, _) = with_init(bench)?;
    process::kill(subject.probe.pid(), SIGKILL)?;
    let got = subject.wait()?.status;
    ensure(
        got == 128 + SIGKILL as u8,
        said!(
            "SIGKILL ended the command, and `run` exited with {got}",
            "SIGKILL 结束了命令，`run` 以 {got} 退出"
        ),
        said!("137, which is 128 + 9", "137，即 128 + 9"),
    )
    .known_as("killed-is-exited")
}

fn end_of_the_command(bench: &Bench) -> Outcome {
    let (subject, first) = with_init(bench)?;
    let _: Value = subject.probe.ask("orphans", json!(1))??;
    subject.probe.end(0)?;
    let ended = signal::watch_end(&first, Some(SOON))?;
    let (seconds, place) = (SOON.as_secs(), crate::lab::stuck::place(first.pid));
    ensure(
        ended,
        said!(
            "{seconds} s after the command's end pid 1 is still there: {place}",
            "命令结束 {seconds} 秒后 1 号还在：{place}"
        ),
        said!("it ends, and the kernel ends who is left", "它结束，其余的由内核结束"),
    )
    .known_as("waits-for-everybody")
}
