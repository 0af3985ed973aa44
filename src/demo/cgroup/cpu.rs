//! cpu: how much time was used, how much is allowed, and who gets more when two want it. cgroups(7),
//! Documentation/scheduler/sched-bwc.rst and admin-guide/cgroup-v2.rst.

use super::files::{self, File};
use super::house::{House, Room};
use super::work::{self, Moment};
use crate::cgroup::hierarchy::Version;
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::plot::Plot;
use crate::narrate::svg::Point;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::sys::{affinity, process};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// `cgroup-demo cpu`.
pub const WALK: Walk = Walk {
    name: "cpu",
    title: Text { en: "So much processor time and no more", zh: "处理器时间只能用这么多" },
    place: Place::Attended,
    show: |stage| show(stage, None),
};

const USAGE: File = File { controller: "cpuacct", v1: "cpuacct.usage", v2: "cpu.stat usage_usec" };
const USER: File = File { controller: "cpuacct", v1: "cpuacct.stat user", v2: "cpu.stat user_usec" };
const SYSTEM: File = File { controller: "cpuacct", v1: "cpuacct.stat system", v2: "cpu.stat system_usec" };
const QUOTA: File = File { controller: "cpu", v1: "cpu.cfs_quota_us", v2: "cpu.max" };
const PERIOD: File = File { controller: "cpu", v1: "cpu.cfs_period_us", v2: "cpu.max" };
const PERIODS: File = File { controller: "cpu", v1: "cpu.stat nr_periods", v2: "cpu.stat nr_periods" };
const THROTTLED: File = File { controller: "cpu", v1: "cpu.stat nr_throttled", v2: "cpu.stat nr_throttled" };
const STOPPED: File =
    File { controller: "cpu", v1: "cpu.stat throttled_time", v2: "cpu.stat throttled_usec" };
const SHARES: File = File { controller: "cpu", v1: "cpu.shares", v2: "cpu.weight" };

/// What a helper is told to do.
#[derive(Debug, Serialize, Deserialize)]
enum Job {
    /// Run on this processor only.
    Pin(usize),
    /// Use so many milliseconds of time in user mode.
    Burn(u64),
    /// The same in kernel mode.
    Toil(u64),
}

type Worker = Actor<Job, Vec<Moment>>;

fn worker(house: &House, room: &Room) -> Result<Worker> {
    house.helper(room, |job| match job {
        Job::Pin(cpu) => affinity::pin(cpu).map(|()| Vec::new()),
        Job::Burn(milliseconds) => Ok(work::burn(milliseconds)),
        Job::Toil(milliseconds) => Ok(work::toil(milliseconds)),
    })
}

/// Processor time that the group has used, in microseconds.
fn used(room: &Room) -> u64 {
    let counted = USAGE.number(&room.group).unwrap_or(0);
    if USAGE.version(&room.group) == Some(Version::V1) { counted / 1000 } else { counted }
}

/// Play it; with `plot`, draw the time used, with and without a quota, into that SVG file.
pub fn show(stage: &Stage, plot: Option<&Path>) -> Result<Ending> {
    stage.scene(&text!("Time is counted", "时间在被统计"));
    let house = House::make(&["cpu", "cpuacct"])?;
    let room = house.room("worker")?;
    let helper = worker(&house, &room)?;
    let (counted, free) = counting(stage, &room, &helper)?;
    let (throttled, rationed) = quota(stage, &room, &helper)?;
    helper.end()?;
    if let Some(file) = plot {
        draw(&free, &rationed, &room, file)?;
        stage.fact(&text!("the picture", "图"), &file.display().to_string());
    }
    let (shared, ratio) = shares(stage, &house)?;
    house.remove()?;
    Ok(Ending::default()
        .saw(counted, text!(
            "The kernel counts the time of a group to the nanosecond (v1) or microsecond (v2), and it is what the \
             helper measured itself.",
            "内核统计一个 Cgroup 的处理器时间，精确到纳秒（v1）或微秒（v2），与助手进程自己的测量一致。"
        ))
        .saw(throttled, text!(
            "With a quota of 20 ms in each 100 ms the helper was throttled period after period, and got no more.",
            "配额为每 100 ms 中 20 ms 时，助手进程在一个又一个周期里被限流，得不到更多。"
        ))
        .saw(shared, text!(
            "Of one processor that both wanted, three times the shares got {ratio} times the time.",
            "两者争用同一个处理器时，三倍的 shares 得到了 {ratio} 倍的时间。"
        ))
        .next("cgroup-demo cpu --plot cpu.svg")
.next("minidocker run --rm --cpus 0.2 --explain base true"))
}

/// The helper works 50 ms in user mode and 50 in the kernel's: whether the counter says so, and the course of the first.
fn counting(stage: &Stage, room: &Room, helper: &Worker) -> Result<(bool, Vec<Moment>)> {
    stage.say(&text!(
        "A helper uses 50 ms of processor time in user mode, and 50 ms in the kernel, by system calls. cpuacct.usage \
         is in ns, cpuacct.stat in ticks of 10 ms; cpu.stat of v2 is in µs.",
        "助手进程在用户态用掉 50 ms 处理器时间，再通过系统调用在内核态用掉 50 ms。cpuacct.usage 的单位是 ns，\
         cpuacct.stat 是 10 ms 一个的时钟滴答；v2 的 cpu.stat 是 µs。"
    ));
    let before = used(room);
    let free = helper.ask(Job::Burn(50))?;
    let kernel = helper.ask(Job::Toil(50))?;
    let counted = used(room).saturating_sub(before);
    let own: u64 = [&free, &kernel].iter().filter_map(|course| course.last()).map(|last| last.1).sum();
    files::table(stage, &[USAGE, USER, SYSTEM], &[("worker", &room.group)]);
    stage.fact(&text!("the helper's own clock", "助手进程自己的时钟"), &in_milliseconds(own));
    // What it did beside that, to hear and to answer, is counted too.
    Ok((counted >= own && counted <= own * 2 + 20_000, free))
}

fn in_milliseconds(microseconds: u64) -> String {
    format!("{}.{} ms", microseconds / 1000, microseconds % 1000 / 100)
}

const QUOTA_US: u64 = 20_000;
const PERIOD_US: u64 = 100_000;

/// The helper wants 100 ms with a quota of 20 in 100: whether it was throttled and got no more, and the course.
fn quota(stage: &Stage, room: &Room, helper: &Worker) -> Result<(bool, Vec<Moment>)> {
    stage.scene(&text!("A quota: 20 ms in each 100 ms", "配额：每 100 ms 用 20 ms"));
    stage.say(&text!(
        "Now the same helper wants 100 ms. When its 20 ms of a period are used up, the group is throttled until the next.",
        "同一个助手进程现在要 100 ms。一个周期的 20 ms 用完后，整个组被限流，直到下一个周期。"
    ));
    let v2 = QUOTA.version(&room.group) == Some(Version::V2);
    let value = if v2 { format!("{QUOTA_US} {PERIOD_US}") } else { QUOTA_US.to_string() };
    stage.command(&format!("echo {value} > worker/{}", QUOTA.name(&room.group)));
    if !v2 {
        PERIOD.write(&room.group, &PERIOD_US.to_string())?;
    }
    QUOTA.write(&room.group, &value)?;
    let before = (THROTTLED.number(&room.group).unwrap_or(0), STOPPED.number(&room.group).unwrap_or(0));
    let course = helper.ask(Job::Burn(100))?;
    let (wall, cpu) = course.last().copied().unwrap_or_default();
    files::table(stage, &[QUOTA, PERIOD, PERIODS, THROTTLED, STOPPED], &[("worker", &room.group)]);
    stage.fact(&text!("processor time", "处理器时间"), &in_milliseconds(cpu));
    stage.fact(&text!("time on the clock", "时钟上过去的时间"), &in_milliseconds(wall));
    stage.line(&[(crate::narrate::Ink::Fact, &stripes(&course, stage.width().min(60)))]);
    stage.say(&text!(
        "(# ran, . was throttled or waited, from left to right in time)",
        "（从左到右是时间：# 在运行，. 被限流或在等待）"
    ));
    let after = (THROTTLED.number(&room.group).unwrap_or(0), STOPPED.number(&room.group).unwrap_or(0));
    // A period may have begun before, another be just beginning, and each processor may hold a slice of the last one.
    let allowed = QUOTA_US * (wall / PERIOD_US + 3);
    let rationed = cpu <= allowed && cpu * 2 < wall;
    Ok((after.0 >= before.0 + 2 && after.1 > before.1 && rationed, course))
}

/// When it ran, as `##..#`, `width` characters wide.
fn stripes(course: &[Moment], width: usize) -> String {
    let end = course.last().map_or(1, |last| last.0.max(1));
    let ran = |from: u64, to: u64| {
        course.windows(2).any(|two| {
            // Between two samples that are close it ran all the time.
            let (begin, finish) = (two[0].0, two[1].0);
            finish - begin < 10_000 && begin < to && finish > from
        })
    };
    let mark = |number: usize| {
        let at = |number: usize| end * number as u64 / width as u64;
        if ran(at(number), at(number + 1)) { '#' } else { '.' }
    };
    (0..width).map(mark).collect()
}

/// Two groups on one processor, one with three times the shares: whether it got about three times the time, and how many.
fn shares(stage: &Stage, house: &House) -> Result<(bool, String)> {
    stage.scene(&text!("Shares: who gets more, when both want it", "shares：都想要时，谁得到更多"));
    stage.say(&text!(
        "Two helpers, each in its own group, are pinned on one processor and never stop. A share is no limit: it counts \
         only while somebody else wants the processor too.",
        "两个助手进程各在自己的组里，绑在同一个处理器上，从不停歇。shares 不是上限：只有别人也想用处理器时才起作用。"
    ));
    let (heavy, light) = (house.room("heavy")?, house.room("light")?);
    let (more, less) = match SHARES.version(&heavy.group) {
        Some(Version::V1) => ("3072", "1024"),
        _ => ("300", "100"),
    };
    let name = SHARES.name(&heavy.group);
    stage.command(&format!("echo {more} > heavy/{name}; echo {less} > light/{name}"));
    SHARES.write(&heavy.group, more)?;
    SHARES.write(&light.group, less)?;
    let cpu = affinity::allowed_processors()?.last().copied().unwrap_or(0);
    let (first, second) = (worker(house, &heavy)?, worker(house, &light)?);
    first.ask(Job::Pin(cpu))?;
    second.ask(Job::Pin(cpu))?;
    // The one that never stops; it is killed in the end.
    second.tell(Job::Burn(3_600_000));
    let idle = used(&light);
    while used(&light) < idle + 5_000 {
        process::pause_millisecond();
    }
    let before = (used(&heavy), used(&light));
    first.ask(Job::Burn(300))?;
    let after = (used(&heavy), used(&light));
    second.end()?;
    first.end()?;
    files::table(stage, &[SHARES, USAGE], &[("heavy", &heavy.group), ("light", &light.group)]);
    let (much, little) = ((after.0 - before.0).max(1), (after.1 - before.1).max(1));
    let (heavy_ms, light_ms) = (in_milliseconds(much), in_milliseconds(little));
    let ratio = much as f64 / little as f64;
    stage.fact(&text!("while both ran", "两者同时运行期间"), &format!("heavy {heavy_ms}, light {light_ms}"));
    Ok(((1.5..=6.0).contains(&ratio), format!("{ratio:.1}")))
}

fn draw(free: &[Moment], rationed: &[Moment], room: &Room, file: &Path) -> Result<()> {
    let points = |course: &[Moment]| -> Vec<Point> {
        course.iter().map(|(wall, cpu)| (*wall as f64 / 1000.0, *cpu as f64 / 1000.0)).collect()
    };
    let end = rationed.last().map_or(0.0, |last| last.0 as f64 / 1000.0);
    let share = QUOTA_US as f64 / PERIOD_US as f64;
    let (title, description) = (
        text!("Processor time of a cgroup", "一个 Cgroup 的处理器时间"),
        text!(
            "Without a quota the time used grows as fast as the clock. With 20 ms in each 100 ms it grows by steps, \
             flat wherever the group is throttled, and stays below the quota.",
            "没有配额时，所用时间与时钟同步增长；每 100 ms 只许 20 ms 时，它呈阶梯状增长，被限流时持平，始终低于配额。"
        ),
    );
    let (without, with) = (text!("without quota", "无配额"), text!("20 ms in 100 ms", "每 100 ms 用 20 ms"));
    let (across, up) = (text!("time, ms", "时间，ms"), text!("processor time, ms", "处理器时间，ms"));
    // What is left of one period and the whole of the next may be used at once.
    let first = 2.0 * QUOTA_US as f64 / 1000.0;
    Plot {
        title: &title,
        description: &description,
        across: &across,
        up: &up,
        series: vec![(&without, points(free)), (&with, points(rationed))],
        limits: vec![(QUOTA.name(&room.group), vec![(0.0, first), (end, first + end * share)])],
        notes: Vec::new(),
    }
    .draw()
    .save(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripes_tell_running_from_waiting() {
        let course = [(0, 0), (5_000, 5_000), (10_000, 10_000), (35_000, 11_000), (40_000, 15_000)];
        assert_eq!(stripes(&course, 8), "##.....#");
    }
}
