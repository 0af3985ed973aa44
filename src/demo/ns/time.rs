//! time: two uptimes on one machine, and a caller that stays behind. time_namespaces(7).

use super::sides;
use crate::demo::actor::{self, Actor};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::observe::{self, Subject};
use crate::step::Role;
use crate::sys::errno::{EACCES, EINVAL};
use crate::sys::flags::{CLONE_NEWTIME, clone};
use crate::sys::{file, namespace, process};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// `ns-demo time`.
pub const WALK: Walk = Walk {
    name: "time",
    title: Text { en: "Two uptimes on one machine", zh: "一台机器，两个开机时间" },
    place: Place::ThrowAway,
    show,
};

/// What the new namespace's clocks are ahead by, in seconds: CLOCK_BOOTTIME by 1000 days, CLOCK_MONOTONIC by 500.
const BOOTTIME: i64 = 1000 * 86400;
const MONOTONIC: i64 = 500 * 86400;

const OFFSETS: &str = "/proc/self/timens_offsets";

/// What the process that calls unshare(2) is told to do.
#[derive(Serialize, Deserialize)]
enum Order {
    /// Say what you see.
    Look,
    /// Make a new time namespace for the children to come.
    Unshare,
    /// Set its offsets to these seconds: boottime, monotonic.
    Set(i64, i64),
    /// Make a child, which says what it sees.
    Child,
}

/// What a process sees: its links, and its clocks in seconds.
#[derive(Serialize, Deserialize, Clone)]
struct View {
    time: Option<String>,
    for_children: Option<String>,
    offsets: Option<String>,
    /// `/proc/uptime`.
    uptime: i64,
    boottime: i64,
    monotonic: i64,
    realtime: i64,
}

fn look() -> View {
    let contents = |path: &str| observe::read(&Subject::Contents(path.into()));
    let seconds = |text: String| text.split(['.', ' ']).next().and_then(|whole| whole.parse().ok());
    let (boottime, monotonic) = process::clocks();
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    View {
        time: sides::own("time"),
        for_children: sides::own("time_for_children"),
        offsets: contents(OFFSETS),
        uptime: contents("/proc/uptime").and_then(seconds).unwrap_or(-1),
        boottime,
        monotonic,
        realtime: since_epoch.map_or(0, |since| since.as_secs() as i64),
    }
}

fn caller() -> Result<Actor<Order, View>> {
    Actor::start("caller", 0, |order| {
        match order {
            Order::Look => {}
            Order::Unshare => namespace::unshare(clone(CLONE_NEWTIME))?,
            Order::Set(boottime, monotonic) => {
                let text = format!("boottime {boottime} 0\nmonotonic {monotonic} 0\n");
                file::write(Path::new(OFFSETS), &text)?;
            }
            Order::Child => return actor::apart(Role::Actor("child"), 0, || Ok(look())),
        }
        Ok(look())
    })
}

fn show(stage: &Stage) -> Result<Ending> {
    let caller = caller()?;
    let Some(stays) = unshare(stage, &caller)? else {
        return Ok(Ending::default().next("ns-demo list").next("zgrep TIME_NS /proc/config.gz"));
    };
    set(stage, &caller)?;
    let (ahead, wall) = clocks(stage, &caller)?;
    let closed = too_late(stage, &caller)?;
    caller.end()?;
    Ok(Ending::default()
        .saw(ahead, text!(
            "Inside the machine has been up 1000 days longer than outside: both uptimes are read from the same kernel.",
            "在里面，机器的运行时间比外面长 1000 天：两个运行时间都读自同一个内核。"
        ))
        .saw(stays && wall, text!(
            "The caller of unshare stayed in its namespace; its next child was in the new one. The date is the same for all.",
            "调用 unshare 的进程留在原来的 Namespace；它的下一个子进程在新的里面。日期对谁都一样。"
        ))
        .saw(closed, text!(
            "Since a process has lived in the namespace, its offsets are fixed: EACCES.",
            "有进程进过这个 Namespace 之后，偏移就固定了：EACCES。"
        ))
        .next("unshare --user --map-root-user --time --fork --boottime 86400000 cat /proc/uptime")
        .next("minidocker run --rm base cat /proc/uptime"))
}

/// Make the namespace: whether the caller stayed in the old one. `None` on a kernel without time namespaces.
fn unshare(stage: &Stage, caller: &Actor<Order, View>) -> Result<Option<bool>> {
    stage.scene(&text!("unshare: the caller stays", "unshare：调用者不动"));
    stage.say(&text!(
        "A running process must not see its clock jump. So, as with pids, the flag is about the children to come, and \
         `time_for_children` shows where they will be born.",
        "运行中的进程不能看到时钟突然跳变。所以和 PID 一样，这个标志只对今后的子进程有效，`time_for_children` \
         显示它们将生在哪里。"
    ));
    stage.command("sudo unshare --time readlink /proc/self/ns/time_for_children");
    let before = caller.ask(Order::Look)?;
    let after = match caller.ask(Order::Unshare) {
        Err(error) if error.is(EINVAL) => {
            stage.lacks(&text!(
                "this kernel has no time namespaces: they came with Linux 5.6, and need CONFIG_TIME_NS.",
                "这个内核没有 time Namespace：它始于 Linux 5.6，并且需要 CONFIG_TIME_NS。"
            ));
            return Ok(None);
        }
        answer => answer?,
    };
    stage.change("/proc/self/ns/time", before.time.as_deref(), after.time.as_deref());
    stage.change(
        "/proc/self/ns/time_for_children",
        before.for_children.as_deref(),
        after.for_children.as_deref(),
    );
    Ok(Some(before.time == after.time && before.for_children != after.for_children))
}

/// Set the offsets, while nobody lives there.
fn set(stage: &Stage, caller: &Actor<Order, View>) -> Result<()> {
    stage.scene(&text!("The offsets, while nobody lives there", "趁里面还没有进程，设置偏移"));
    stage.say(&text!(
        "A time namespace is two numbers: what is added to CLOCK_BOOTTIME and to CLOCK_MONOTONIC, in seconds and \
         nanoseconds. They are written to `timens_offsets` of the process whose children it is for.",
        "一个 time Namespace 就是两个数：加到 CLOCK_BOOTTIME 和 CLOCK_MONOTONIC 上的秒和纳秒。\
         写进 `timens_offsets`，属于将在其中生子进程的那个进程。"
    ));
    stage.command(&format!("printf 'boottime {BOOTTIME} 0\\nmonotonic {MONOTONIC} 0\\n' > {OFFSETS}"));
    let before = caller.ask(Order::Look)?;
    let after = caller.ask(Order::Set(BOOTTIME, MONOTONIC))?;
    stage.fact(&text!("before", "之前"), &before.offsets.unwrap_or_default());
    stage.fact(&text!("after", "之后"), &after.offsets.unwrap_or_default());
    Ok(())
}

/// The clocks of the caller and of its child: whether two are ahead as asked, and the third is not.
fn clocks(stage: &Stage, caller: &Actor<Order, View>) -> Result<(bool, bool)> {
    stage.scene(&text!("The same moment, on both sides", "同一时刻，里外两边"));
    stage.command("cat /proc/uptime");
    let before = caller.ask(Order::Look)?;
    let child = caller.ask(Order::Child)?;
    let after = caller.ask(Order::Look)?;
    let row = |who: String, view: &View| {
        let numbers = [view.uptime, view.boottime, view.monotonic, view.realtime];
        [who].into_iter().chain(numbers.map(|number| number.to_string())).map(Into::into).collect()
    };
    stage.table(
        &["", "/proc/uptime", "BOOTTIME", "MONOTONIC", "REALTIME"],
        &[
            row(text!("the caller, outside", "调用者，外面"), &before),
            row(text!("its child, inside", "子进程，里面"), &child),
        ],
    );
    // Whole seconds: the child was asked between the two readings of the caller.
    let between = |of: fn(&View) -> i64, ahead: i64| {
        (of(&before) + ahead..=of(&after) + ahead + 1).contains(&of(&child))
    };
    let ahead = between(|view| view.uptime, BOOTTIME)
        && between(|view| view.boottime, BOOTTIME)
        && between(|view| view.monotonic, MONOTONIC);
    let moved = child.time == before.for_children && child.time != before.time && before.time == after.time;
    stage.change("/proc/self/ns/time", before.time.as_deref(), child.time.as_deref());
    Ok((ahead && before.uptime >= 0 && moved, between(|view| view.realtime, 0)))
}

/// Another offset, after the child: whether the kernel refuses it.
fn too_late(stage: &Stage, caller: &Actor<Order, View>) -> Result<bool> {
    stage.scene(&text!("Too late for other offsets", "再改偏移已经太晚"));
    stage.say(&text!(
        "A process has lived in the namespace. Nobody may now move its clocks, not even back to zero.",
        "已有进程在这个 Namespace 里生活过。现在谁也不能再拨动它的时钟，拨回零也不行。"
    ));
    stage.command(&format!("echo 'boottime 0 0' > {OFFSETS}"));
    let before = caller.ask(Order::Look)?;
    let answer = caller.ask(Order::Set(0, 0));
    let after = caller.ask(Order::Look)?;
    stage.fact("write(2)", &sides::answer(&answer));
    stage.fact(OFFSETS, after.offsets.as_deref().unwrap_or_default());
    Ok(answer.is_err_and(|error| error.is(EACCES)) && before.offsets == after.offsets)
}
