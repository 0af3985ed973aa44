//! What the kernel must say of the parts of lab `cgroup-cpu`.

use crate::cgroup::Group;
use crate::cgroup::cpu::weight;
use crate::cgroup::hierarchy::Version;
use crate::demo::cgroup::work;
use crate::error::Result;
use crate::lab::bench::{Bench, Subject, no_probe};
use crate::lab::lesson::{Act, Check, Lesson, Part};
use crate::lab::need::Need;
use crate::lab::verdict::{Diagnosis, Outcome, Stop, ensure};
use crate::narrate::words::Text;
use crate::said;
use crate::sys::memory::Mapping;
use crate::sys::{file, process};
use look::{Lodger, content, directory, field, frozen, group, memory_used, processor_time, quota, text};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

#[path = "look.rs"]
mod look;
#[path = "words.rs"]
mod words;

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "cgroup-cpu",
    title: Text {
        en: "a quota of time, what was used of it, a pause, and the end",
        zh: "CPU 配额、用量统计、暂停，以及结束所有进程",
    },
    parts: &[
        Part { function: "limit", field: "cpu", ours: &[("src/cgroup/cpu.rs", "limit")] },
        Part { function: "usage", field: "usage", ours: &[("src/cgroup/accounting.rs", "usage")] },
        Part {
            function: "freeze",
            field: "freeze",
            ours: &[("src/cgroup/stop.rs", "hold_still"), ("src/cgroup/stop.rs", "freeze_at")],
        },
        Part {
            function: "kill",
            field: "kill",
            ours: &[("src/cgroup/stop.rs", "kill_all"), ("src/cgroup/stop.rs", "kill_below")],
        },
    ],
    needs: &[Need::UserNamespaces, Need::CgroupCpu, Need::CgroupFreezer],
    checks: CHECKS,
    mistakes: words::MISTAKES,
    hints: words::HINTS,
    acts: &[
        Act { name: "burn", act: burn },
        Act { name: "keep", act: keep },
        Act { name: "alive", act: |_| Ok(Value::Null) },
    ],
    page: "cgroups/cpu",
};

const CHECKS: &[Check] = &[
    Check {
        name: "quota-set",
        title: Text { en: "the quota is the one asked for", zh: "配额就是要的那个" },
        points: 1,
        about: &["limit"],
        needs: &[],
        look: "minidocker run -d --name moon --cpus 0.2 lab sh -c 'cat /dev/zero >/dev/null'; \
               cat /sys/fs/cgroup/cpu/minidocker-*/cpu.cfs_quota_us /sys/fs/cgroup/minidocker-*/cpu.max",
        run: quota_set,
    },
    Check {
        name: "quota-bites",
        title: Text {
            en: "who has used it up waits for the next period", zh: "用完配额就得等下一个周期"
        },
        points: 1,
        about: &["limit"],
        needs: &[],
        look: "minidocker run -d --name moon --cpus 0.2 lab sh -c 'cat /dev/zero >/dev/null'; grep throttled /sys/fs/cgroup/cpu/minidocker-*/cpu.stat /sys/fs/cgroup/minidocker-*/cpu.stat",
        run: quota_bites,
    },
    Check {
        name: "weight-set",
        title: Text { en: "the weight is the one asked for", zh: "权重就是要的那个" },
        points: 1,
        about: &["limit"],
        needs: &[],
        look: "minidocker run -d --name moon --cpu-shares 512 lab sh -c 'cat /dev/zero >/dev/null'; cat /sys/fs/cgroup/cpu/minidocker-*/cpu.shares /sys/fs/cgroup/minidocker-*/cpu.weight",
        run: weight_set,
    },
    Check {
        name: "usage-told",
        title: Text { en: "`stats` says what the kernel counted", zh: "`stats` 说的就是内核数的" },
        points: 2,
        about: &["usage"],
        needs: &[Need::CgroupMemory, Need::CgroupPids],
        look: "minidocker run -d --name moon lab sh -c 'cat /dev/zero >/dev/null'; minidocker stats --no-stream moon; cat /sys/fs/cgroup/pids/minidocker-*/pids.current",
        run: usage_told,
    },
    Check {
        name: "paused",
        title: Text {
            en: "`pause` freezes: not one instruction more",
            zh: "`pause` 冻结：一条指令都不再执行",
        },
        points: 1,
        about: &["freeze"],
        needs: &[],
        look: "minidocker run -d --name moon lab sh -c 'cat /dev/zero >/dev/null'; minidocker pause moon; cat /sys/fs/cgroup/freezer/minidocker-*/freezer.state; \
               grep frozen /sys/fs/cgroup/minidocker-*/cgroup.events",
        run: paused,
    },
    Check {
        name: "unpaused",
        title: Text { en: "`unpause` lets them go on", zh: "`unpause` 让它们继续" },
        points: 1,
        about: &["freeze"],
        needs: &[],
        look: "minidocker run -d --name moon lab sh -c 'cat /dev/zero >/dev/null'; minidocker pause moon; minidocker unpause moon; cat /sys/fs/cgroup/freezer/minidocker-*/freezer.state",
        run: unpaused,
    },
    Check {
        name: "frozen-killed",
        title: Text { en: "`rm -f` ends a paused container", zh: "`rm -f` 能结束暂停的容器" },
        points: 1,
        about: &["kill"],
        needs: &[],
        look: "minidocker run -d --name moon lab sh -c 'cat /dev/zero >/dev/null'; minidocker pause moon; minidocker rm -f moon",
        run: frozen_killed,
    },
    Check {
        name: "everybody-killed",
        title: Text {
            en: "`rm -f` ends who has come into the group from outside, too",
            zh: "`rm -f` 连从外面进到组里的进程也结束",
        },
        points: 1,
        about: &["kill"],
        needs: &[],
        look: "minidocker run -d --name moon lab sh -c 'cat /dev/zero >/dev/null'; sleep 60 & echo $! > /sys/fs/cgroup/pids/minidocker-*/tasks; minidocker rm -f moon; jobs",
        run: everybody_killed,
    },
    Check {
        name: "below-killed",
        title: Text { en: "and who is in a group below", zh: "也包括下级组里的进程" },
        points: 1,
        about: &["kill"],
        needs: &[],
        look: "minidocker run -d --name moon lab sh -c 'cat /dev/zero >/dev/null'; mkdir $(echo /sys/fs/cgroup/pids/minidocker-*)/below; minidocker rm -f moon",
        run: below_killed,
    },
];

/// A number made of the nonce.
fn number(bench: &Bench) -> u64 {
    let nonce = bench.nonce();
    nonce.rsplit('-').next().and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(7)
}

/// Another verb of the student's program, which is to do it.
fn succeed(bench: &Bench, arguments: &[&str]) -> Outcome {
    let finished = bench.minidocker(arguments)?;
    if finished.status == 0 { Ok(()) } else { Err(no_probe(&finished)) }
}

/// Thousandths of a processor that nobody could guess, and as a command line has them. Ten times as much is more than one
/// process can use.
fn some_quota(bench: &Bench) -> (u64, String) {
    let thousandths = 120 + number(bench) % 50;
    (thousandths, format!("0.{thousandths}"))
}

fn quota_set(bench: &Bench) -> Outcome {
    let (thousandths, asked) = some_quota(bench);
    let _subject = bench.run(&["--cpus", &asked])?;
    let (path, found, set) = quota(&group()?)?;
    let wanted = format!("{} (100000)", thousandths * 100);
    // A fraction on the command line is not always just so many thousandths.
    let right = set.is_some_and(|set| set.abs_diff(thousandths) <= 1);
    ensure(right, content(&path, &found), content(&path, &wanted)).known_as(why_not_that_quota(set))
}

fn why_not_that_quota(set: Option<u64>) -> &'static str {
    if set.is_some() { "quota-of-a-second" } else { "no-quota" }
}

fn quota_bites(bench: &Bench) -> Outcome {
    /// Time on a processor, in milliseconds, bit by bit: mostly the second period is the last. Where many others want the
    /// processor, it may take some more until the quota of one is used up.
    const BIT: u64 = 4;
    const MOST: u64 = 160;
    let (_, asked) = some_quota(bench);
    let subject = bench.run(&["--cpus", &asked])?;
    let group = group()?;
    let stat = directory(&group, "cpu")?.0.join("cpu.stat");
    let before = field(&stat, "nr_throttled ")?;
    let (mut burnt, mut throttled) = (0, 0);
    while burnt < MOST && throttled == 0 {
        let _: Value = subject.probe.ask("burn", json!(BIT))??;
        burnt += BIT;
        throttled = field(&stat, "nr_throttled ")? - before;
    }
    let (_, _, set) = quota(&group)?;
    let path = stat.display();
    ensure(
        throttled > 0,
        said!(
            "a process inside used {burnt} ms of a processor; {path}: nr_throttled {throttled}",
            "容器里的一个进程用了 {burnt} ms 的 CPU；{path}：nr_throttled {throttled}"
        ),
        said!("it has to wait: nr_throttled 1 or more", "它必须等待：nr_throttled 至少为 1"),
    )
    .known_as(why_not_that_quota(set))
}

fn weight_set(bench: &Bench) -> Outcome {
    let shares = 200 + number(bench) % 700;
    let _subject = bench.run(&["--cpu-shares", &shares.to_string()])?;
    let (directory, version) = directory(&group()?, "cpu")?;
    let (name, wanted) = match version {
        Version::V1 => ("cpu.shares", shares),
        Version::V2 => ("cpu.weight", weight(shares)),
    };
    let path = directory.join(name);
    let found = text(&path)?;
    ensure(found == wanted.to_string(), content(&path, &found), content(&path, &wanted.to_string()))
        .known_as("no-weight")
}

fn usage_told(bench: &Bench) -> Outcome {
    const KEPT: u64 = 48 << 20;
    // v2 counts memory and tasks only where a limit has asked for the controllers.
    let _first = bench.run(&["--memory", "512m", "--pids-limit", "64"])?;
    // The second is in the group, and no child of the first.
    let second = bench.exec(&[])?;
    let _: Value = second.probe.ask("keep", json!(KEPT))??;
    second.probe.tell("burn", json!(60_000))?;
    let group = group()?;
    let (time, began) = (processor_time(&group)?, process::monotonic());
    let nonce = bench.nonce();
    let finished = bench.minidocker(&["stats", "--no-stream", "--format", "json", &nonce])?;
    let (time, passed) = (processor_time(&group)? - time, process::monotonic() - began);
    let told: Value = match serde_json::from_str(finished.stdout.trim()) {
        Ok(told) if finished.status == 0 => told,
        _ => return Err(no_probe(&finished)),
    };
    let word = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
    let tasks = text(&directory(&group, "pids")?.0.join("pids.current"))?;
    told_as("PIDS", &word("PIDs"), word("PIDs") == tasks, &tasks).known_as("nothing-counted")?;
    let memory = word("MemUsage");
    let used = memory_used(&group)?;
    let said = bytes(memory.split(" / ").next().unwrap_or_default());
    let mib = format!("{} MiB", used >> 20);
    told_as("MEM USAGE", &memory, near(said, used as f64), &mib).known_as("nothing-counted")?;
    let percent = time as f64 / (passed as f64 * 10.0);
    let said = word("CPUPerc").trim_end_matches('%').parse().unwrap_or(0.0);
    told_as("CPU %", &word("CPUPerc"), near(said, percent), &format!("{percent:.0}%"))
        .known_as("time-in-another-unit")
}

/// One column of `stats`, which is right or not.
fn told_as(column: &str, said: &str, right: bool, counted: &str) -> Outcome {
    ensure(
        right,
        said!("`stats` says {column} {said}", "`stats` 说 {column} {said}"),
        said!("what the kernel counted: {counted}", "内核的计数：{counted}"),
    )
}

/// Measured at almost the same time.
fn near(said: f64, counted: f64) -> bool {
    said > counted / 1.5 && said < counted * 1.5
}

/// `35.2MiB` as bytes.
fn bytes(text: &str) -> f64 {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "KiB" => 1u64 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => 1,
    };
    digits.parse::<f64>().unwrap_or(0.0) * unit as f64
}

/// Start a container, and pause it.
fn pause(bench: &Bench) -> Outcome<(Subject, Group)> {
    let subject = bench.run(&[])?;
    let group = group()?;
    subject.probe.tell("burn", json!(60_000))?;
    succeed(bench, &["pause", &bench.nonce()])?;
    let (path, said, all) = frozen(&group)?;
    let wanted = said!(
        "all of the group frozen when `pause` returns: FROZEN (v1), frozen 1 (v2)",
        "`pause` 返回时整个组已冻结：FROZEN（v1），frozen 1（v2）"
    );
    ensure(all, content(&path, &said), wanted).known_as("stopped-not-frozen")?;
    Ok((subject, group))
}

fn paused(bench: &Bench) -> Outcome {
    let (_subject, group) = pause(bench)?;
    let before = processor_time(&group)?;
    // The grader's own time passes, and must not be the container's.
    work::burn(20);
    let after = processor_time(&group)?;
    ensure(
        before == after,
        said!(
            "the group's time on processors went on, from {before} ns to {after} ns",
            "组的 CPU 时间还在增加：从 {before} ns 到 {after} ns"
        ),
        said!("it stands still", "它停住不动"),
    )
    .known_as("stopped-not-frozen")
}

fn unpaused(bench: &Bench) -> Outcome {
    let subject = bench.run(&[])?;
    let group = group()?;
    let nonce = bench.nonce();
    succeed(bench, &["pause", &nonce])?;
    let (path, said, all) = frozen(&group)?;
    let wanted = said!("FROZEN (v1), frozen 1 (v2)", "FROZEN（v1），frozen 1（v2）");
    ensure(all, content(&path, &said), wanted).known_as("stopped-not-frozen")?;
    succeed(bench, &["unpause", &nonce])?;
    let (path, said, all) = frozen(&group)?;
    let wanted =
        said!("nobody frozen: THAWED (v1), frozen 0 (v2)", "没有人冻结：THAWED（v1），frozen 0（v2）");
    ensure(!all, content(&path, &said), wanted).known_as("never-thawed")?;
    subject.probe.ask::<Value>("alive", Value::Null)?.map(drop).map_err(Stop::from)
}

fn frozen_killed(bench: &Bench) -> Outcome {
    /// A container ends within milliseconds.
    const PATIENCE: Duration = Duration::from_secs(3);
    let (subject, _) = pause(bench)?;
    let program = bench.start(&["rm", "--force", &bench.nonce()])?;
    let pid = subject.probe.pid();
    let lives = || file::exists(Path::new(&format!("/proc/{pid}")));
    let ended = program.wait(PATIENCE)?;
    if let Some(finished) = ended.as_ref().filter(|finished| finished.status != 0) {
        return Err(no_probe(finished));
    }
    let seconds = PATIENCE.as_secs();
    let saw = if lives()? {
        said!(
            "{seconds} s later process {pid} is still there, frozen, and `rm -f` waits for its end",
            "{seconds} 秒后进程 {pid} 还在，冻着，`rm -f` 在等它结束"
        )
    } else {
        said!("`rm -f` has not ended after {seconds} s", "`rm -f` 过了 {seconds} 秒还没有结束")
    };
    ensure(ended.is_some() && !lives()?, saw, said!("its end", "它结束")).known_as("frozen-forgotten")
}

fn everybody_killed(bench: &Bench) -> Outcome {
    killed_with_lodger(bench, false).known_as("only-the-first")
}

fn below_killed(bench: &Bench) -> Outcome {
    killed_with_lodger(bench, true)
}

/// A lodger moves in, and the container is removed by force.
fn killed_with_lodger(bench: &Bench, below: bool) -> Outcome {
    let subject = bench.run(&[])?;
    let group = group()?;
    let lodger = Lodger::move_in(&group, below)?;
    let neighbour = if below { Some(Lodger::move_in(&group, false)?) } else { None };
    let finished = bench.minidocker(&["rm", "--force", &bench.nonce()])?;
    if file::exists(Path::new(&format!("/proc/{}", subject.probe.pid())))? {
        return Err(no_probe(&finished));
    }
    let pid = lodger.0.pid();
    let place = if below { "minidocker-ID/below" } else { "minidocker-ID" };
    let outlived = neighbour.map_or(Ok(false), |neighbour| neighbour.lives())?;
    ensure(
        !lodger.lives()?,
        said!("process {pid} in {place} lives on", "{place} 里的进程 {pid} 还活着"),
        said!("nobody of the group lives when `rm -f` returns", "`rm -f` 返回时，组里没有一个活着的进程"),
    )
    .known_as(if outlived || !below { "only-the-first" } else { "not-below" })
}

/// Inside: use a processor for so many milliseconds of its time.
fn burn(milliseconds: Value) -> Result<Value> {
    work::burn(milliseconds.as_u64().unwrap_or_default());
    Ok(Value::Null)
}

/// Inside: take so many bytes of memory, and keep them.
fn keep(bytes: Value) -> Result<Value> {
    std::mem::forget(Mapping::used(bytes.as_u64().unwrap_or(1) as usize)?);
    Ok(Value::Null)
}
