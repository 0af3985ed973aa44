//! What the kernel must say of the parts of lab `cgroup-memory`.

use crate::cgroup::Group;
use crate::cgroup::hierarchy::Version;
use crate::lab::bench::{Bench, Subject};
use crate::lab::lesson::{Act, Check, Lesson, Part};
use crate::lab::need::Need;
use crate::lab::ration;
use crate::lab::verdict::{Diagnosis, Outcome, Said, Stop, ensure, wrong};
use crate::lab::witness;
use crate::narrate::words::Text;
use crate::said;
use crate::sys::{file, process, signal};
use look::{content, group, must_read, read};
use serde_json::{Value, json};
use std::path::PathBuf;

#[path = "acts.rs"]
mod acts;
#[path = "look.rs"]
mod look;
#[path = "words.rs"]
mod words;

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "cgroup-memory",
    title: Text {
        en: "so much memory, so many processes, and the OOM killer",
        zh: "限制内存和进程数，以及 OOM killer",
    },
    parts: &[
        Part { function: "limit", field: "memory", ours: &[("src/cgroup/memory.rs", "limit")] },
        Part {
            function: "join",
            field: "join",
            ours: &[("src/cgroup/group.rs", "join"), ("src/namespace/cgroup.rs", "enter")],
        },
        Part { function: "oom_kills", field: "oom", ours: &[("src/cgroup/memory.rs", "oom_kills")] },
    ],
    needs: &[Need::UserNamespaces, Need::CgroupMemory, Need::CgroupPids],
    checks: CHECKS,
    mistakes: words::MISTAKES,
    hints: words::HINTS,
    acts: &[
        Act { name: "hog", act: acts::hog },
        Act { name: "keep", act: acts::keep },
        Act { name: "fork", act: acts::fork },
        Act { name: "place", act: acts::place },
    ],
    page: "cgroups/memory",
};

const CHECKS: &[Check] = &[
    Check {
        name: "memory-limited",
        title: Text {
            en: "the group's limit is the one asked for", zh: "组的内存限额就是要的那个"
        },
        points: 1,
        about: &["limit"],
        needs: &[],
        look: "minidocker run -d --name moon -m 32m lab sh -c 'cat </dev/zero >/dev/null'; \
               cat /sys/fs/cgroup/memory/minidocker-*/memory.limit_in_bytes /sys/fs/cgroup/minidocker-*/memory.max",
        run: memory_limited,
    },
    Check {
        name: "swap-limited",
        title: Text {
            en: "as much swap as memory, and no more", zh: "swap 和内存一样多，不能更多"
        },
        points: 1,
        about: &["limit"],
        needs: &[],
        look: "minidocker run -d --name moon -m 32m lab sh -c 'cat </dev/zero >/dev/null'; \
               cat /sys/fs/cgroup/memory/minidocker-*/memory.memsw.limit_in_bytes /sys/fs/cgroup/minidocker-*/memory.swap.max",
        run: swap_limited,
    },
    Check {
        name: "hog-killed",
        title: Text {
            en: "a process that takes more is killed, and nobody else",
            zh: "要得更多的进程被杀死，别人都没事",
        },
        points: 2,
        about: &["limit"],
        needs: &[],
        look: "minidocker run --rm -m 32m lab sh -c '(x=$(cat /dev/urandom)); echo \"I live: $?\"'",
        run: hog_killed,
    },
    Check {
        name: "forks-stop",
        title: Text { en: "beyond the number asked for, fork(2) fails", zh: "超过限额，fork(2) 失败" },
        points: 2,
        about: &["limit"],
        needs: &[],
        look: "minidocker run --rm --pids-limit 3 lab sh -c 'for i in 1 2 3 4; do cat /dev/zero >/dev/null & done'",
        run: forks_stop,
    },
    Check {
        name: "in-the-group",
        title: Text { en: "the command is in the group", zh: "命令在组里" },
        points: 1,
        about: &["join"],
        needs: &[],
        look: "minidocker run -d --name moon lab sh -c 'cat /dev/zero >/dev/null'; \
               cat /sys/fs/cgroup/memory/minidocker-*/cgroup.procs /sys/fs/cgroup/minidocker-*/cgroup.procs",
        run: in_the_group,
    },
    Check {
        name: "group-is-the-root",
        title: Text {
            en: "inside, the group is seen as the root `/`",
            zh: "在容器里，这个组看起来就是根 `/`",
        },
        points: 1,
        about: &["join"],
        needs: &[],
        look: "minidocker run --rm lab cat /proc/self/cgroup",
        run: group_is_the_root,
    },
    Check {
        name: "oom-told",
        title: Text {
            en: "a container that the OOM killer ended is told to be that",
            zh: "被 OOM killer 结束的容器会如实说明",
        },
        points: 1,
        about: &["oom_kills"],
        needs: &[],
        look: "minidocker run --name moon -m 16m lab sh -c 'x=$(cat /dev/urandom)'; \
               minidocker inspect --format '{{.State.OOMKilled}}' moon",
        run: oom_told,
    },
    Check {
        name: "plain-kill-not-told",
        title: Text {
            en: "one that was nearly full, and killed by somebody, is not",
            zh: "快满了、但被别人杀死的，不算",
        },
        points: 1,
        about: &["oom_kills"],
        needs: &[],
        look: "minidocker run -d --name moon -m 32m lab sh -c 'cat </dev/zero >/dev/null'; minidocker kill moon; \
               minidocker inspect --format '{{.State.OOMKilled}}' moon",
        run: plain_kill_not_told,
    },
];

const MIB: u64 = 1 << 20;

/// A limit that nobody could guess: some 24 to 39 MiB.
fn some_memory(bench: &Bench) -> u64 {
    (24 + number(bench) % 16) * MIB
}

/// A number made of the nonce.
fn number(bench: &Bench) -> u64 {
    let nonce = bench.nonce();
    nonce.rsplit('-').next().and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(7)
}

fn memory_limited(bench: &Bench) -> Outcome {
    let asked = some_memory(bench);
    let _subject = bench.run(&["--memory", &asked.to_string()])?;
    let (path, found) = must_read(&group()?, "memory", "memory.limit_in_bytes", "memory.max")?;
    ensure(found == asked.to_string(), content(&path, &found), content(&path, &asked.to_string()))
        .known_as(why_not_so_much(&found))
}

/// v1 says that there is no limit by a number beyond every machine's memory, v2 by a word.
fn is_limit(found: &str) -> bool {
    found.parse::<u64>().is_ok_and(|bytes| bytes < 1 << 60)
}

/// Why the limit on memory is not the one asked for.
fn why_not_so_much(found: &str) -> &'static str {
    if is_limit(found) { "not-in-bytes" } else { "memory-unlimited" }
}

fn swap_limited(bench: &Bench) -> Outcome {
    let asked = some_memory(bench);
    let _subject = bench.run(&["--memory", &asked.to_string()])?;
    let group = group()?;
    let version = group.directory_of("memory").map(|(_, version)| version);
    let wanted = if version == Some(Version::V1) { 2 * asked } else { asked };
    let Some((path, found)) = read(&group, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max")?
    else {
        return Err(Stop::Cannot(said!("this kernel does not account swap", "这个内核不统计 swap")));
    };
    let (_, memory) = must_read(&group, "memory", "memory.limit_in_bytes", "memory.max")?;
    let mistake = match (memory == asked.to_string(), is_limit(&found)) {
        (false, _) => why_not_so_much(&memory),
        (true, true) => "swap-counted-alone",
        (true, false) => "swap-forgotten",
    };
    ensure(found == wanted.to_string(), content(&path, &found), content(&path, &wanted.to_string()))
        .known_as(mistake)
}

/// How many of them the OOM killer has killed.
fn kills(group: &Group) -> Outcome<(PathBuf, u64)> {
    let (path, text) = must_read(group, "memory", "memory.oom_control", "memory.events")?;
    let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok());
    Ok((path, count.unwrap_or(0)))
}

fn hog_killed(bench: &Bench) -> Outcome {
    let asked = some_memory(bench);
    let subject = bench.run(&["--memory", &asked.to_string()])?;
    let group = group()?;
    let killed: bool = subject.probe.ask("hog", json!(3 * asked))??;
    let (path, count) = kills(&group)?;
    let mib = 3 * asked / MIB;
    let path = path.display();
    ensure(
        killed && count > 0,
        said!(
            "a process inside took {mib} MiB and lived; {path}: oom_kill {count}",
            "容器里的一个进程用了 {mib} MiB，还活着；{path}：oom_kill {count}"
        ),
        said!("it is killed, and {path} says oom_kill 1", "它被杀死，{path} 显示 oom_kill 1"),
    )
    .known_as(why_unlimited(&subject, &group)?)
}

/// Why a process was not limited in memory: it is not in the group, or the group has no limit that it met.
fn why_unlimited(subject: &Subject, group: &Group) -> Outcome<&'static str> {
    if !is_member(subject, group, "memory")? {
        return Ok("not-joined");
    }
    let (_, limit) = must_read(group, "memory", "memory.limit_in_bytes", "memory.max")?;
    Ok(why_not_so_much(&limit))
}

/// Whether the kernel counts the probe among the members of the group on which `controller` acts.
fn is_member(subject: &Subject, group: &Group, controller: &str) -> Outcome<bool> {
    let Some((directory, _)) = group.directory_of(controller) else { return Ok(false) };
    let members = file::read_text(&directory.join("cgroup.procs"))?;
    Ok(members.lines().any(|member| member == subject.probe.pid().to_string()))
}

fn forks_stop(bench: &Bench) -> Outcome {
    let asked = 5 + number(bench) % 8;
    let subject = bench.run(&["--pids-limit", &asked.to_string()])?;
    let group = group()?;
    let (path, limit) = must_read(&group, "pids", "pids.max", "pids.max")?;
    // The probe itself is one of them.
    let tries = asked + 8;
    let children: u64 = subject.probe.ask("fork", json!(tries))??;
    let processes = children + 1;
    let path = path.display();
    let mistake = if is_member(&subject, &group, "pids")? { "pids-unlimited" } else { "not-joined" };
    ensure(
        processes == asked && limit == asked.to_string(),
        said!(
            "{path}: {limit}; {processes} processes inside",
            "{path}：{limit}；容器里有 {processes} 个进程"
        ),
        said!(
            "{path}: {asked}; the fork(2) after {asked} processes fails with EAGAIN",
            "{path}：{asked}；到 {asked} 个进程之后，fork(2) 以 EAGAIN 失败"
        ),
    )
    .known_as(mistake)
}

fn in_the_group(bench: &Bench) -> Outcome {
    let subject = bench.run(&["--memory", &some_memory(bench).to_string()])?;
    let group = group()?;
    let pid = subject.probe.pid();
    let (mut inside, mut outside) = (0, Vec::new());
    for directory in group.directories() {
        let members = file::read_text(&directory.join("cgroup.procs"))?;
        match members.lines().any(|member| member == pid.to_string()) {
            true => inside += 1,
            false => outside.push(directory),
        }
    }
    let shown = outside.first().map(|path| path.display().to_string()).unwrap_or_default();
    ensure(
        outside.is_empty(),
        said!("process {pid} is not in {shown}/cgroup.procs", "进程 {pid} 不在 {shown}/cgroup.procs 里"),
        said!("it is in each of the group's directories", "它在这个组的每个目录里"),
    )
    .known_as(if inside == 0 { "not-joined" } else { "joined-one" })
}

fn group_is_the_root(bench: &Bench) -> Outcome {
    let subject = bench.run(&["--memory", &some_memory(bench).to_string()])?;
    let pid = subject.probe.pid();
    let seen: String = subject.probe.ask("place", Value::Null)??;
    let separate = witness::namespace(pid, "cgroup")? != witness::namespace(1, "cgroup")?;
    // v1 trees without controllers (name=systemd) are nobody's business here, nor is a v2 tree without any beside v1.
    let group = group()?;
    let named = |line: &&str| {
        let controllers = line.split(':').nth(1).unwrap_or_default();
        match controllers {
            "" => group.places.iter().any(|place| place.hierarchy.version == Version::V2),
            names => names.split(',').any(|name| group.directory_of(name).is_some()),
        }
    };
    let other = seen.lines().filter(named).find(|line| !line.ends_with(":/")).map(str::to_owned);
    let shown = other.clone().unwrap_or_else(|| "0::/".to_owned());
    ensure(
        other.is_none() && separate,
        said!(
            "inside, /proc/self/cgroup has the line {shown}",
            "容器里的 /proc/self/cgroup 有这一行：{shown}"
        ),
        said!(
            "a cgroup namespace of its own, in which every line ends in :/",
            "自己的 cgroup namespace，其中每一行都以 :/ 结尾"
        ),
    )
    .known_as(if separate { "namespace-before-join" } else { "no-cgroup-namespace" })
}

/// What `minidocker inspect` says of the container when it has ended: whether the OOM killer ended it, and the status.
fn inspected(bench: &Bench, subject: &Subject) -> Outcome<String> {
    subject.wait()?;
    // The kills are counted by the runtime, whose end nobody hears of; but nobody else takes the group away.
    if ration::only_group()?.is_some() {
        let saw = said!("the runtime died while it counted the kills", "运行时在数被杀的进程时死了");
        let wrong = wrong(saw, said!("it clears up", "它清理干净"));
        return Err(if bench.is_begun() { wrong } else { Stop::NotYet });
    }
    let nonce = bench.nonce();
    let format = "{{.State.OOMKilled}} {{.State.ExitCode}}";
    let said = bench.minidocker(&["inspect", "--format", format, &nonce])?;
    Ok(said.stdout.trim().to_owned())
}

fn oom_told(bench: &Bench) -> Outcome {
    let asked = some_memory(bench);
    let subject = bench.run_to_keep(&["--memory", &asked.to_string()])?;
    let group = group()?;
    // The evidence is counted, and goes with the group: so first a child, of which the kernel tells while it is there.
    let killed: bool = subject.probe.ask("hog", json!(3 * asked))??;
    let (path, count) = kills(&group)?;
    if !killed || count == 0 {
        let path = path.display();
        let saw =
            said!("nobody was killed; {path}: oom_kill {count}", "没有进程被杀；{path}：oom_kill {count}");
        let want = said!("the OOM killer comes", "OOM killer 出现");
        return Err(wrong(saw, want)).known_as(why_unlimited(&subject, &group)?);
    }
    subject.probe.tell("keep", json!(3 * asked))?;
    let said = inspected(bench, &subject)?;
    ensure(
        said == "true 137",
        said!(
            "the kernel killed its first process for lack of memory, and `inspect` says {said}",
            "内核因内存不足杀死了它的第一个进程，而 `inspect` 说 {said}"
        ),
        Said::plain("OOMKilled true, ExitCode 137"),
    )
    .known_as("another-line")
}

fn plain_kill_not_told(bench: &Bench) -> Outcome {
    let asked = some_memory(bench);
    let subject = bench.run_to_keep(&["--memory", &asked.to_string()])?;
    let group = group()?;
    let (_, used) = must_read(&group, "memory", "memory.usage_in_bytes", "memory.current")?;
    let used: u64 = used.parse().unwrap_or(0);
    // Nearly all: some is the kernel's own, counted later.
    let more = (asked * 15 / 16).saturating_sub(used);
    let _: Value = subject.probe.ask("keep", json!(more))??;
    let (path, count) = kills(&group)?;
    process::kill(subject.probe.pid(), signal::SIGKILL)?;
    let said = inspected(bench, &subject)?;
    let path = path.display();
    ensure(
        said == "false 137",
        said!(
            "{path} said oom_kill {count}; then SIGKILL came from elsewhere, and `inspect` says {said}",
            "{path} 显示 oom_kill {count}；然后别人发来了 SIGKILL，而 `inspect` 说 {said}"
        ),
        Said::plain("OOMKilled false, ExitCode 137"),
    )
    .known_as("full-is-not-killed")
}
