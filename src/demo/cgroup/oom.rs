//! Beyond the limit without the OOM killer: on v1 it can be switched off; on v2 it cannot, and there are two settings
//! beside it.

use super::files::{self, File};
use super::house::{House, Room};
use super::memory::{ALLOWED, LIMIT, MIB, Meal, eater};
use crate::cgroup::hierarchy::Version;
use crate::error::Result;
use crate::narrate::{Stage, text};
use crate::observe::{self, Subject};
use crate::process::Ended;
use crate::sys::eventfd::{eventfd, wait_any};
use crate::sys::signal::SIGKILL;
use crate::sys::{file, process};
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;

const CONTROL: &str = "memory.oom_control";
const DISABLED: File = File { controller: "memory", v1: "memory.oom_control oom_kill_disable", v2: "-" };
const UNDER: File = File { controller: "memory", v1: "memory.oom_control under_oom", v2: "-" };
const SWAP: File = File { controller: "memory", v1: "memory.memsw.limit_in_bytes", v2: "memory.swap.max" };
const HIGH: File = File { controller: "memory", v1: "-", v2: "memory.high" };
const TIMES_HIGH: File = File { controller: "memory", v1: "-", v2: "memory.events high" };
const GROUP: File = File { controller: "memory", v1: "-", v2: "memory.oom.group" };
const GROUP_KILLS: File = File { controller: "memory", v1: "-", v2: "memory.events oom_group_kill" };

/// What is wanted at once, which is too much.
const WANTED: u64 = 48 * MIB;

/// Play what the version here can: whether the claim held, and the claim.
pub(super) fn show(stage: &Stage, house: &House, room: &Room) -> Result<(bool, String)> {
    match LIMIT.version(&room.group) {
        Some(Version::V1) => killer_off(stage, house, room),
        _ => high_and_group(stage, house, room),
    }
}

/// v1: the killer is switched off, so the helper hangs in the kernel until there is room.
fn killer_off(stage: &Stage, house: &House, room: &Room) -> Result<(bool, String)> {
    stage.scene(&text!("With the OOM killer off", "关掉 OOM killer"));
    stage.say(&text!(
        "v1 only: a process that wants more is not killed, but sleeps in the kernel until there is room. Whoever \
         registered an eventfd is told. (v2 has memory.high and memory.oom.group instead.)",
        "仅 v1：想要更多内存的进程不会被杀，而是在内核里睡眠，直到有空余。登记了 eventfd 的进程会得到通知。\
         （v2 没有这个开关，取而代之的是 memory.high 和 memory.oom.group。）"
    ));
    let (directory, _) = room.directory_of("memory")?;
    stage.command(&format!("echo 1 > eater/{CONTROL}"));
    file::write(&directory.join(CONTROL), "1")?;
    let event = eventfd()?;
    let control = file::open_file(&directory.join(CONTROL), 0, 0)?;
    let (counter, of) = (event.as_raw_fd(), control.as_raw_fd());
    file::write(&directory.join("cgroup.event_control"), &format!("{counter} {of}"))?;

    let helper = eater(house, room)?;
    helper.tell(Meal::Take(WANTED));
    let first = wait_any(&[event.as_fd(), helper.voice()], None)?;
    let (under, state) = settled(room, helper.pid());
    let hangs = text!("wants 48 MiB, has not answered", "要 48 MiB，还没有回答");
    stage.fact(&text!("the helper", "助手进程"), &hangs);
    stage.fact(&format!("/proc/{}/stat", helper.pid()), state.as_deref().unwrap_or("?"));
    files::table(stage, &[LIMIT, DISABLED, UNDER], &[("eater", &room.group)]);

    stage.say(&text!(
        "Give it room, and it goes on as if nothing had been.",
        "给它空间，它就像什么都没发生一样继续。"
    ));
    let more = (2 * ALLOWED).to_string();
    stage.command(&format!("echo {more} > eater/{}", LIMIT.v1));
    // Memory and swap together may never be less than memory alone. A kernel without swap accounting has no such file.
    let _ = SWAP.write(&room.group, &more);
    LIMIT.write(&room.group, &more)?;
    let answer = helper.hear().map(|(bytes, _)| bytes);
    let after = UNDER.number(&room.group);
    let mib = answer.as_ref().map_or(0, |bytes| bytes / MIB);
    stage.fact(&text!("its answer", "它的回答"), &text!("I use {mib} MiB", "我用了 {mib} MiB"));
    stage.change(
        UNDER.v1,
        under.map(|one| one.to_string()).as_deref(),
        after.map(|one| one.to_string()).as_deref(),
    );
    helper.end()?;
    let hung = first == Some(0) && under == Some(1) && state.is_some_and(|state| state.starts_with('D'));
    Ok((
        hung && answer.is_ok_and(|bytes| bytes == WANTED) && after == Some(0),
        text!(
            "With the killer off (v1) the helper hung in the kernel, alive, until the limit was raised; then it went on.",
            "关掉 OOM killer 后（v1），助手进程活着挂在内核里；提高限额之后，它继续运行。"
        ),
    ))
}

/// `under_oom` and the state of the helper, once it stays asleep: at first it wakes now and then, since the kernel still
/// finds a page here and there.
fn settled(room: &Room, pid: i32) -> (Option<u64>, Option<String>) {
    const TRIES: u32 = 3000;
    let mut asleep = 0;
    for _ in 0..TRIES {
        let hangs =
            UNDER.number(&room.group) == Some(1) && state(pid).is_some_and(|state| state.starts_with('D'));
        asleep = if hangs { asleep + 1 } else { 0 };
        if asleep > 10 {
            break;
        }
        process::pause_millisecond();
    }
    (UNDER.number(&room.group), state(pid))
}

/// The state of a process: `D`, with its name.
fn state(pid: i32) -> Option<String> {
    let stat = observe::read(&Subject::Contents(PathBuf::from(format!("/proc/{pid}/stat"))))?;
    let letter = stat.rsplit_once(") ")?.1.chars().next()?;
    Some(match letter {
        'D' => text!("D (sleeps in the kernel)", "D（在内核中睡眠）"),
        other => other.to_string(),
    })
}

/// v2: a soft limit that slows down, and a group that dies as one.
fn high_and_group(stage: &Stage, house: &House, room: &Room) -> Result<(bool, String)> {
    stage.scene(&text!("Before the limit, and as one", "限额之前，与同生共死"));
    stage.say(&text!(
        "v2 cannot switch the killer off (v1: memory.oom_control). Its memory.high does not kill: beyond it processes \
         must give pages back and are slowed down. With memory.oom.group the killer takes the whole group.",
        "v2 不能关掉 OOM killer（v1 用 memory.oom_control）。memory.high 不杀进程：超过它的进程必须归还页面，并被减速。\
         设置 memory.oom.group 之后，OOM killer 会杀掉整个组。"
    ));
    let soft = house.room("soft")?;
    stage.command(&format!("echo {} > soft/memory.high", ALLOWED / 2));
    HIGH.write(&soft.group, &(ALLOWED / 2).to_string())?;
    super::hierarchy::forbid_swap(&soft);
    let slow = eater(house, &soft)?;
    slow.ask(Meal::Take(ALLOWED / 2))?;
    let lives = slow.ask(Meal::Take(MIB / 2)).is_ok();
    files::table(stage, &[HIGH, TIMES_HIGH], &[("soft", &soft.group)]);
    let slowed = TIMES_HIGH.number(&soft.group);
    slow.end()?;

    stage.command("echo 1 > eater/memory.oom.group");
    GROUP.write(&room.group, "1")?;
    let (greedy, modest) = (eater(house, room)?, eater(house, room)?);
    modest.ask(Meal::Take(MIB))?;
    let fed = greedy.ask(Meal::Take(WANTED)).is_ok();
    let as_one = GROUP_KILLS.number(&room.group);
    // Who was not killed would answer.
    let killed = |one: Ended| one == Ended::Signaled(SIGKILL);
    let silent = as_one >= Some(1) && modest.ask(Meal::Nothing).is_err();
    let (first, second) = (greedy.end()?, modest.end()?);
    stage.fact(&text!("who wanted 48 MiB", "要 48 MiB 的进程"), &super::hierarchy::in_words(first));
    stage.fact(&text!("who had 1 MiB", "只用 1 MiB 的进程"), &super::hierarchy::in_words(second));
    files::table(stage, &[GROUP, GROUP_KILLS], &[("eater", &room.group)]);
    let both = !fed && silent && killed(first) && killed(second);
    Ok((
        lives && slowed >= Some(1) && both,
        text!(
            "Beyond memory.high (v2) a helper lived on, slowed down; with memory.oom.group both helpers died, not only the \
         greedy one.",
            "超过 memory.high（v2）的助手进程还活着，只是变慢；设置 memory.oom.group 后，两个助手进程都死了，不只是贪心的那个。"
        ),
    ))
}
