//! memory: how much is used, at most, and what happens beyond. cgroups(7), Documentation/admin-guide/cgroup-v1/memory.rst
//! and cgroup-v2.rst.

use super::files::{self, File};
use super::house::{House, Room};
use super::oom;
use super::work::Pages;
use crate::cgroup::hierarchy::Version;
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::plot::Plot;
use crate::narrate::svg::Point;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::observe::{self, Subject};
use crate::process::Ended;
use crate::sys::process;
use crate::sys::signal::SIGKILL;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// `cgroup-demo memory`.
pub const WALK: Walk = Walk {
    name: "memory",
    title: Text { en: "So much memory and no more", zh: "内存只能用这么多" },
    place: Place::Attended,
    show: |stage| show(stage, None),
};

pub(super) const LIMIT: File = File { controller: "memory", v1: "memory.limit_in_bytes", v2: "memory.max" };
const USAGE: File = File { controller: "memory", v1: "memory.usage_in_bytes", v2: "memory.current" };
const PEAK: File = File { controller: "memory", v1: "memory.max_usage_in_bytes", v2: "memory.peak" };
const HITS: File = File { controller: "memory", v1: "memory.failcnt", v2: "memory.events max" };
const KILLS: File =
    File { controller: "memory", v1: "memory.oom_control oom_kill", v2: "memory.events oom_kill" };

pub(super) const MIB: u64 = 1 << 20;
pub(super) const ALLOWED: u64 = 32 * MIB;

/// What a helper is told to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Meal {
    /// Nothing.
    Nothing,
    /// Use so many bytes more.
    Take(u64),
    /// Use none any more.
    GiveBack,
}

/// What it answers: the bytes it uses, and its cgroup.
pub(super) type Fed = (u64, Option<String>);

/// A helper that uses as much memory as it is told.
pub(super) fn eater(house: &House, room: &Room) -> Result<Actor<Meal, Fed>> {
    let place = Subject::Cgroup(room.directory_of("memory")?.0);
    let mut pages = Pages::default();
    house.helper(room, move |meal| {
        match meal {
            Meal::Nothing => {}
            Meal::Take(bytes) => pages.take(bytes as usize)?,
            Meal::GiveBack => pages.give_back(),
        }
        Ok((pages.bytes() as u64, observe::read(&place)))
    })
}

/// What was used when.
#[derive(Debug)]
struct Course {
    start: u64,
    usage: Vec<Point>,
    limit: Vec<Point>,
    killed: Option<Point>,
}

impl Course {
    fn new() -> Self {
        Self { start: process::monotonic(), usage: Vec::new(), limit: Vec::new(), killed: None }
    }

    /// Read it now; the usage in bytes.
    fn note(&mut self, room: &Room) -> Option<u64> {
        let milliseconds = (process::monotonic() - self.start) as f64 / 1000.0;
        let usage = USAGE.number(&room.group);
        let point = |bytes: u64| (milliseconds, bytes as f64 / MIB as f64);
        self.usage.extend(usage.map(point));
        self.limit.extend(LIMIT.number(&room.group).filter(|limit| *limit < 1 << 40).map(point));
        usage
    }

    fn draw(&self, room: &Room, file: &Path) -> Result<()> {
        let description = text!(
            "A helper takes memory, gives it back, and takes more until the OOM killer comes: the usage never exceeds \
             the limit of 32 MiB.",
            "助手进程申请内存、归还，再继续申请，直到 OOM killer 出现：用量从不超过 32 MiB 的限额。"
        );
        let (title, killed) = (text!("Memory of a cgroup", "一个 Cgroup 的内存"), text!("killed", "被杀死"));
        let (across, up) = (text!("time, ms", "时间，ms"), text!("memory, MiB", "内存，MiB"));
        Plot {
            title: &title,
            description: &description,
            across: &across,
            up: &up,
            series: vec![(USAGE.name(&room.group), self.usage.clone())],
            limits: vec![(LIMIT.name(&room.group), self.limit.clone())],
            notes: self.killed.iter().map(|point| (*point, killed.as_str())).collect(),
        }
        .draw()
        .save(file)
    }
}

/// Play it; with `plot`, draw the usage into that SVG file.
pub fn show(stage: &Stage, plot: Option<&Path>) -> Result<Ending> {
    stage.scene(&text!("A limit is a number in a file", "限额就是文件里的一个数"));
    let house = House::make(&["memory"])?;
    let room = house.room("eater")?;
    let unlimited = set_limit(stage, &room)?;
    let helper = eater(&house, &room)?;
    let mut course = Course::new();
    let counted = usage_follows(stage, &room, &helper, &mut course)?;
    let killed = killer_comes(stage, &room, helper, &mut course)?;
    if let Some(file) = plot {
        course.draw(&room, file)?;
        stage.fact(&text!("the picture", "图"), &file.display().to_string());
    }
    let beyond = oom::show(stage, &house, &room)?;
    house.remove()?;
    Ok(Ending::default()
        .saw(unlimited && counted, text!(
            "The kernel counts each page that a group uses, and remembers the most; without a limit nothing else \
             happens.",
            "内核统计 Cgroup 用到的每一页，并记住最大值；没有限额时仅此而已。"
        ))
        .saw(killed, text!(
            "Beyond the limit the OOM killer killed the helper. It chose inside the group; this program and your \
             shell are not in it, and live.",
            "超过限额时，OOM killer 杀死了助手进程。它只在这个组里挑选；本程序和你的 shell 不在其中，安然无恙。"
        ))
        .saw(beyond.0, beyond.1)
        .next("cgroup-demo memory --plot memory.svg")
        .next("minidocker run --rm -m 32m base tail /dev/zero")
        .next("cgroup-demo hierarchy"))
}

/// No limit, a limit, and none again: whether the kernel said so.
fn set_limit(stage: &Stage, room: &Room) -> Result<bool> {
    stage.say(&text!(
        "A new group has no limit. Write a number, and it has one; write -1 (v2: max), and it has none again.",
        "新建的 Cgroup 没有限额。写入一个数，就有了限额；写入 -1（v2：max），限额又没了。"
    ));
    let none = match LIMIT.version(&room.group) {
        Some(Version::V1) => "-1",
        _ => "max",
    };
    let name = LIMIT.name(&room.group);
    let new = LIMIT.read(&room.group);
    stage.command(&format!("echo {ALLOWED} > eater/{name}"));
    LIMIT.write(&room.group, &ALLOWED.to_string())?;
    let set = LIMIT.read(&room.group);
    stage.change(name, new.as_deref(), set.as_deref());
    stage.command(&format!("echo {none} > eater/{name}"));
    LIMIT.write(&room.group, none)?;
    let freed = LIMIT.read(&room.group);
    stage.change(name, set.as_deref(), freed.as_deref());
    LIMIT.write(&room.group, &ALLOWED.to_string())?;
    super::hierarchy::forbid_swap(room);
    Ok(new.is_some() && set.as_deref() == Some(&ALLOWED.to_string()) && freed == new)
}

/// The helper takes 24 MiB and gives them back: whether the counters told the same.
fn usage_follows(stage: &Stage, room: &Room, helper: &Actor<Meal, Fed>, course: &mut Course) -> Result<bool> {
    stage.scene(&text!("The kernel counts", "内核在计数"));
    stage.say(&text!(
        "A helper lives in the group. It takes 24 MiB, and then gives them back.",
        "组里有一个助手进程。它先用掉 24 MiB，然后全部归还。"
    ));
    let (_, inside) = helper.ask(Meal::Nothing)?;
    let outside = observe::read(&Subject::Cgroup(room.directory_of("memory")?.0));
    stage.fact(&text!("the helper's cgroup", "助手进程的 Cgroup"), inside.as_deref().unwrap_or("?"));
    stage.fact(&text!("this program's", "本程序的"), outside.as_deref().unwrap_or("?"));
    course.note(room);
    let mut rows = Vec::new();
    let mut held = true;
    let mut row = |does: String, usage: Option<u64>, room: &Room| {
        let peak = PEAK.read(&room.group).unwrap_or_else(|| "-".to_owned());
        rows.push(vec![
            does.into(),
            usage.map_or("-".to_owned(), |bytes| bytes.to_string()).into(),
            peak.into(),
        ]);
    };
    for _step in 0..3 {
        let mut bytes = 0;
        for _mib in 0..8 {
            bytes = helper.ask(Meal::Take(MIB))?.0;
            course.note(room);
        }
        let usage = course.note(room);
        held &= usage.is_some_and(|usage| usage >= bytes && usage <= ALLOWED);
        let mib = bytes / MIB;
        row(text!("uses {mib} MiB", "使用 {mib} MiB"), usage, room);
    }
    helper.ask(Meal::GiveBack)?;
    let usage = course.note(room);
    row(text!("gave all back", "全部归还"), usage, room);
    stage.table(&[&text!("helper", "助手进程"), USAGE.name(&room.group), PEAK.name(&room.group)], &rows);
    let most = PEAK.number(&room.group);
    Ok(held && inside != outside && usage < Some(12 * MIB) && most.is_none_or(|most| most >= 24 * MIB))
}

/// The helper takes more and more: whether it was killed at the limit.
fn killer_comes(stage: &Stage, room: &Room, helper: Actor<Meal, Fed>, course: &mut Course) -> Result<bool> {
    stage.scene(&text!("Beyond the limit", "超过限额"));
    stage.say(&text!(
        "Now it takes MiB after MiB, and does not stop by itself.",
        "现在它一个 MiB 接一个 MiB 地要，自己不会停。"
    ));
    let before = KILLS.number(&room.group);
    let mut reached = 0;
    while let Ok((bytes, _)) = helper.ask(Meal::Take(MIB)) {
        reached = bytes;
        course.note(room);
        if bytes >= 2 * ALLOWED {
            break;
        }
    }
    course.killed = course.usage.last().copied();
    let ended = helper.end()?;
    course.note(room);
    let (mib, how) = (reached / MIB, super::hierarchy::in_words(ended));
    stage.fact(&text!("its last answer", "它最后的回答"), &text!("I use {mib} MiB", "我用了 {mib} MiB"));
    stage.fact(&text!("the helper", "助手进程"), &how);
    files::table(stage, &[LIMIT, USAGE, PEAK, HITS, KILLS], &[("eater", &room.group)]);
    let killed = KILLS.number(&room.group) > before;
    Ok(ended == Ended::Signaled(SIGKILL) && killed && reached < ALLOWED)
}
