//! What the kernel must say of the parts of lesson `harden`: the probe attacks the student's container from within, as root
//! there.

use crate::lab::bench::{self, Bench, Ran, Subject};
use crate::lab::lesson::{Check, Lesson, Part};
use crate::lab::need::Need;
use crate::lab::probe;
use crate::lab::verdict::{Diagnosis, Outcome, Said, Stop, ensure, wrong};
use crate::lab::witness;
use crate::narrate::words::Text;
use crate::said;
use crate::security::capabilities::Capabilities;
use crate::sys::errno::{ENOSYS, EPERM};
use crate::sys::knock;
use crate::sys::syscalls::*;
use serde_json::{Value, json};

#[path = "attacks.rs"]
mod attacks;
#[path = "masks.rs"]
mod masks;
#[path = "words.rs"]
mod words;

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "harden",
    title: Text {
        en: "what root may still do: capabilities, seccomp, no_new_privs, masked paths",
        zh: "root 还能做什么：capability、seccomp、no_new_privs、被遮住的路径",
    },
    parts: &[
        Part {
            function: "mask",
            field: "mask",
            ours: &[("src/rootfs/mask.rs", "mask"), ("src/rootfs/mask.rs", "hide")],
        },
        Part { function: "limit", field: "limit", ours: &[("src/security/capabilities.rs", "bound")] },
        Part {
            function: "filter",
            field: "filter",
            ours: &[("src/security/mod.rs", "filter"), ("src/security/seccomp.rs", "container")],
        },
    ],
    needs: &[Need::UserNamespaces, Need::Seccomp],
    checks: &[
        Check {
            name: "ceiling",
            title: Text {
                en: "root inside has Docker's fourteen capabilities, and can never have another",
                zh: "容器里的 root 只有 Docker 的十四个 capability，也永远得不到别的",
            },
            points: 2,
            about: &["limit"],
            needs: &[],
            look: "minidocker run --rm lab cat /proc/self/status | grep Cap",
            run: ceiling,
        },
        Check {
            name: "options-count",
            title: Text {
                en: "--cap-add and --cap-drop decide, for the ceiling and for the filter",
                zh: "--cap-add 和 --cap-drop 说了算，上限和过滤器都听它们的",
            },
            points: 1,
            about: &["limit", "filter"],
            needs: &[],
            look: "minidocker run --rm --cap-add SYS_ADMIN --cap-drop CHOWN lab cat /proc/self/status | grep CapBnd",
            run: options_count,
        },
        Check {
            name: "no-new-privs",
            title: Text {
                en: "no program gains rights when it is executed, setuid or not",
                zh: "执行任何程序都不会增加权利，setuid 的也不例外",
            },
            points: 1,
            about: &["filter"],
            needs: &[],
            look: "minidocker run --rm --cap-add SYS_ADMIN lab cat /proc/self/status | grep NoNewPrivs",
            run: no_new_privs,
        },
        Check {
            name: "no-new-namespaces",
            title: Text {
                en: "clone, clone3 and unshare make no user namespace, in which root would have every capability again",
                zh: "clone、clone3、unshare 都造不出 User Namespace：在那里面 root 又会拥有所有 capability",
            },
            points: 2,
            about: &["filter"],
            needs: &[],
            look: "minidocker run --rm lab cat /proc/self/status | grep Seccomp",
            run: no_new_namespaces,
        },
        Check {
            name: "closed-doors",
            title: Text {
                en: "calls that no namespace separates (keys, io_uring, ...) are refused with EPERM",
                zh: "没有 namespace 隔离的调用（密钥、io_uring 等）一律以 EPERM 拒绝",
            },
            points: 1,
            about: &["filter"],
            needs: &[],
            look: "minidocker run --rm lab cat /proc/self/status | grep Seccomp",
            run: closed_doors,
        },
        Check {
            name: "programs-run",
            title: Text {
                en: "ordinary programs still run: threads, children, and calls newer than the list",
                zh: "普通程序照常运行：线程、子进程，以及比名单更新的调用",
            },
            points: 1,
            about: &["filter"],
            needs: &[],
            look: "minidocker run --rm lab sh -c 'ls / & wait'",
            run: programs_run,
        },
        Check {
            name: "hidden",
            title: Text {
                en: "what tells too much of the machine is hidden: /proc/keys, /proc/timer_list, /sys/firmware, ...",
                zh: "泄露机器信息的地方被遮住：/proc/keys、/proc/timer_list、/sys/firmware 等",
            },
            points: 1,
            about: &["mask"],
            needs: &[],
            look: "minidocker run --rm lab cat /proc/self/mountinfo | grep -E ' /(proc|sys)/'",
            run: masks::hidden,
        },
        Check {
            name: "read-only",
            title: Text {
                en: "settings of the kernel cannot be written, not even by who holds the capability for it",
                zh: "内核的设置写不了，拥有相应 capability 的也写不了",
            },
            points: 1,
            about: &["mask"],
            needs: &[],
            look: "minidocker run --rm --cap-add NET_ADMIN lab sh -c 'echo 65 > /proc/sys/net/ipv4/ip_default_ttl'",
            run: masks::read_only,
        },
    ],
    mistakes: words::MISTAKES,
    hints: words::HINTS,
    acts: attacks::ACTS,
    page: "security",
};

/// As [`Bench::run`], but a filter that could not be loaded is known by what the kernel answered.
fn run(bench: &Bench, options: &[&str]) -> Outcome<Subject> {
    match bench.try_run(options)? {
        Ran::Probe(subject) => Ok(subject),
        Ran::Ended(finished) => {
            if finished.status == probe::UNHEARD {
                return Err(wrong(
                    said!("the command could not connect to a socket", "命令连不上套接字"),
                    said!(
                        "ordinary programs may: socket(2) for ordinary address families",
                        "普通程序可以：普通地址族的 socket(2)"
                    ),
                ))
                .known_as("sockets-refused");
            }
            // Not even what ends a process was allowed, or not what executes a program.
            let ended_by_itself = finished.status > 128 && finished.status != 137;
            if ended_by_itself || finished.status == 126 && finished.stderr.contains("= EPERM") {
                return Err(bench::no_probe(&finished)).known_as("everyday-refused");
            }
            let refused = finished.stderr.contains("seccomp") && finished.stderr.contains("EACCES");
            let stop = Err(bench::no_probe(&finished));
            if refused { stop.known_as("without-no-new-privs") } else { stop }
        }
    }
}

/// A set of `/proc/PID/status`: `CapBnd`, …
fn set(subject: &Subject, name: &str) -> Outcome<Capabilities> {
    let text = witness::status(subject.probe.pid(), name)?;
    Ok(Capabilities(u64::from_str_radix(&text, 16).unwrap_or(u64::MAX)))
}

/// The five sets must be what they should be for a command that may hold `keep`.
fn sets_are(
    subject: &Subject,
    keep: Capabilities,
    mistake: impl Fn(Capabilities) -> &'static str,
) -> Outcome {
    for (name, want) in [
        ("CapBnd", keep),
        ("CapPrm", keep),
        ("CapEff", keep),
        ("CapInh", Capabilities(0)),
        ("CapAmb", Capabilities(0)),
    ] {
        let found = set(subject, name)?;
        let (too_many, missing) = (Capabilities(found.0 & !want.0), Capabilities(want.0 & !found.0));
        let [too_many_names, missing_names] = [too_many, missing].map(listed);
        let (bits, right) = (found.0, want.0);
        let saw = if too_many.0 == 0 {
            said!("{name}: {bits:016x}, without {missing_names}", "{name}：{bits:016x}，少了 {missing_names}")
        } else {
            said!("{name}: {bits:016x}, with {too_many_names}", "{name}：{bits:016x}，多了 {too_many_names}")
        };
        ensure(found == want, saw, Said::plain(format!("{name}: {right:016x}")))
            .known_as(mistake(too_many))?;
    }
    Ok(())
}

/// The names in the set, or the first of them.
fn listed(set: Capabilities) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = set.names().collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}

/// The first capability that is not in the lower half of the kernel's two words.
const HIGH: u64 = !0 << 32;

fn ceiling(bench: &Bench) -> Outcome {
    let subject = run(bench, &[])?;
    sets_are(&subject, Capabilities::DEFAULT, trace_of_the_ceiling)
}

fn trace_of_the_ceiling(too_many: Capabilities) -> &'static str {
    if too_many.0 != 0 && too_many.0 & !HIGH == 0 { "first-32" } else { "held-alone" }
}

/// CAP_CHOWN and CAP_SYS_ADMIN.
const CHOWN: u64 = 1;
const ADMIN: u64 = Capabilities::SYS_ADMIN.0;

fn options_count(bench: &Bench) -> Outcome {
    let subject = run(bench, &["--cap-add", "SYS_ADMIN", "--cap-drop", "CHOWN"])?;
    let keep = Capabilities(Capabilities::DEFAULT.0 & !CHOWN | ADMIN);
    sets_are(&subject, keep, |too_many| match too_many.0 {
        0 | CHOWN => "options-ignored",
        _ => trace_of_the_ceiling(too_many),
    })?;
    let answer = subject.probe.ask::<Value>("mount", Value::Null)?;
    let said = answer.as_ref().err().and_then(|error| error.errno()).map(name_of).unwrap_or_default();
    ensure(
        answer.is_ok(),
        said!(
            "mount(2) inside: {said}, though it holds CAP_SYS_ADMIN",
            "容器里的 mount(2)：{said}，虽然它有 CAP_SYS_ADMIN"
        ),
        said!("a file system is mounted", "挂载成功"),
    )
    .known_as("options-ignored")
}

fn no_new_privs(bench: &Bench) -> Outcome {
    // With CAP_SYS_ADMIN a filter can be loaded without it: only the kernel's own word counts.
    let subject = run(bench, &["--cap-add", "SYS_ADMIN"])?;
    let found = witness::status(subject.probe.pid(), "NoNewPrivs")?;
    ensure(found == "1", Said::plain(format!("NoNewPrivs: {found}")), Said::plain("NoNewPrivs: 1"))
        .known_as("without-no-new-privs")
}

/// A container whose command passes through a filter, or else the mistake is known.
fn filtered(bench: &Bench) -> Outcome<Subject> {
    let subject = run(bench, &[])?;
    let found = witness::status(subject.probe.pid(), "Seccomp")?;
    ensure(
        found == "2",
        Said::plain(format!("Seccomp: {found}")),
        said!("Seccomp: 2, a filter", "Seccomp: 2，有过滤器"),
    )
    .known_as("never-loaded")?;
    Ok(subject)
}

fn no_new_namespaces(bench: &Bench) -> Outcome {
    let subject = filtered(bench)?;
    for way in ["clone3", "clone", "unshare"] {
        let errno: i32 = subject.probe.ask("new-user-namespace", json!(way))??;
        ensure(
            errno != 0,
            said!(
                "{way}(CLONE_NEWUSER) made a user namespace",
                "{way}(CLONE_NEWUSER) 造出了一个 User Namespace"
            ),
            said!("it is refused", "被拒绝"),
        )
        .known_as(match way {
            "clone3" => "clone3-allowed",
            _ => "namespaces-allowed",
        })?;
    }
    Ok(())
}

/// Calls that Docker's profile refuses, whatever the capabilities a container has at first.
const DOORS: [(&str, u32); 6] = [
    ("add_key", SYS_add_key),
    ("request_key", SYS_request_key),
    ("keyctl", SYS_keyctl),
    ("io_uring_setup", SYS_io_uring_setup),
    ("userfaultfd", SYS_userfaultfd),
    ("bpf", SYS_bpf),
];

fn closed_doors(bench: &Bench) -> Outcome {
    // A door that is closed before any filter proves nothing of this one.
    let open: Vec<_> = DOORS.into_iter().filter(|(_, number)| !closed(knock::answer(*number))).collect();
    if open.is_empty() {
        return Err(Stop::Cannot(said!(
            "a filter around the grader closes them already",
            "评分程序外面的过滤器已经关上了它们"
        )));
    }
    let subject = filtered(bench)?;
    for (name, number) in open {
        let errno: i32 = subject.probe.ask("knock", json!(number))??;
        let shown = name_of(errno);
        ensure(
            errno == EPERM,
            said!("{name}(2): {shown}, the kernel's own answer", "{name}(2)：{shown}，是内核自己的回答"),
            said!("{name}(2): EPERM, the filter's", "{name}(2)：EPERM，过滤器的回答"),
        )
        .known_as("list-of-evils")?;
    }
    Ok(())
}

/// Whether this is how a filter answers, or a kernel that lacks the call.
fn closed(errno: i32) -> bool {
    errno == EPERM || errno == ENOSYS
}

/// So many calls Linux will not have for a long time.
const FROM_THE_FUTURE: u32 = 1000;

fn programs_run(bench: &Bench) -> Outcome {
    let subject = run(bench, &[])?;
    let new: i32 = subject.probe.ask("knock", json!(FROM_THE_FUTURE))??;
    let shown = name_of(new);
    ensure(
        new == ENOSYS,
        said!(
            "a call that is not made yet, number {FROM_THE_FUTURE}: {shown}",
            "还不存在的 {FROM_THE_FUTURE} 号调用：{shown}"
        ),
        said!("ENOSYS, as an older kernel would say", "ENOSYS，就像旧内核那样"),
    )
    .known_as("new-calls-refused")?;
    let clone3: i32 = subject.probe.ask("knock", json!(SYS_clone3))??;
    let shown = name_of(clone3);
    ensure(
        clone3 != EPERM,
        said!("clone3(2): {shown}", "clone3(2)：{shown}"),
        said!(
            "clone3(2): ENOSYS, so that the C library falls back to clone(2)",
            "clone3(2)：ENOSYS，让 C 库退回 clone(2)"
        ),
    )
    .known_as("clone3-refused")?;
    for way in ["child", "thread"] {
        let errno: i32 = subject.probe.ask("live", json!(way))??;
        let shown = name_of(errno);
        ensure(
            errno == 0,
            said!("a new {way}: {shown}", "新的 {way}：{shown}"),
            said!("it is made, runs and ends", "造得出来，能跑，会结束"),
        )
        .known_as("clone-refused")?;
    }
    Ok(())
}

/// An errno by its name, as far as one is expected here.
fn name_of(errno: i32) -> String {
    match errno {
        0 => "0".to_owned(),
        errno => knock::name(errno),
    }
}
