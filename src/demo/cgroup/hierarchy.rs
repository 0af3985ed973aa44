//! hierarchy: a group inside a group, and who has the last word. cgroups(7).

use super::files::{self, File};
use super::house::{House, Room};
use super::work::Pages;
use crate::cgroup::hierarchy::Version;
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::process::Ended;
use crate::sys::errno::EBUSY;
use crate::sys::file;
use crate::sys::signal::SIGKILL;

/// `cgroup-demo hierarchy`.
pub const WALK: Walk = Walk {
    name: "hierarchy",
    title: Text { en: "A child cannot exceed its parent", zh: "子 Cgroup 不能超过父 Cgroup" },
    place: Place::Attended,
    show,
};

const LIMIT: File = File { controller: "memory", v1: "memory.limit_in_bytes", v2: "memory.max" };
const PEAK: File = File { controller: "memory", v1: "memory.max_usage_in_bytes", v2: "memory.peak" };
const FILES: [File; 2] = [LIMIT, PEAK];

const PARENT: u64 = 32 << 20;
const CHILD: u64 = 64 << 20;
const WANTED: usize = 48 << 20;

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("A large limit inside a small one", "大限额放在小限额里"));
    stage.say(&text!(
        "The group `parent` may use 32 MiB. The group `child` inside it is given 64 MiB, and the kernel takes that.",
        "Cgroup `parent` 最多用 32 MiB。它里面的 `child` 设成 64 MiB，内核照收不误。"
    ));
    let house = House::make(&["memory"])?;
    let parent = house.room("parent")?;
    let child = parent.room("child")?;
    stage.command(&format!("echo {CHILD} > parent/child/{}", LIMIT.name(&child.group)));
    LIMIT.write(&parent.group, &PARENT.to_string())?;
    LIMIT.write(&child.group, &CHILD.to_string())?;
    both(stage, &parent, &child);

    stage.scene(&text!("48 MiB, wanted in the child", "在 child 里要 48 MiB"));
    stage.say(&text!(
        "A helper lives in `child` and uses 48 MiB: less than its own group may, more than the group around it.",
        "助手进程在 `child` 里，要用 48 MiB：没超过自己的组，却超过了外面那一层。"
    ));
    forbid_swap(&parent);
    let helper = house.helper(&child, |bytes: usize| {
        let mut pages = Pages::default();
        pages.take(bytes)?;
        Ok(pages.bytes())
    })?;
    let survived = helper.ask(WANTED).is_ok();
    let ended = helper.wait()?;
    stage.fact(&text!("the helper", "助手进程"), &in_words(ended));
    both(stage, &parent, &child);
    stage.say(&text!(
        "Each page is charged to `child` first, then to `parent`. The peak of `child` may have counted a last attempt \
         that `parent` refused.",
        "每一页先记在 `child` 账上，再记在 `parent` 账上。`child` 的峰值可能含最后一次尝试，那次被 `parent` 拒绝了。"
    ));
    let peaks = (PEAK.number(&parent.group), PEAK.number(&child.group));
    let limits = (LIMIT.number(&parent.group), LIMIT.number(&child.group));
    let killed = !survived && ended == Ended::Signaled(SIGKILL);
    let stopped =
        peaks.0.is_none_or(|peak| peak <= PARENT) && peaks.1.is_none_or(|peak| peak < WANTED as u64);

    let rule = inner_processes(stage, &house, &parent)?;
    house.remove()?;
    Ok(Ending::default()
        .saw(limits == (Some(PARENT), Some(CHILD)), text!(
            "A child may be given more than its parent: the two files say 32 MiB and 64 MiB.",
            "子 Cgroup 可以被设成比父级大：两个文件里分别是 32 MiB 和 64 MiB。"
        ))
        .saw(killed && stopped, text!(
            "It cannot use more: the helper was killed at the parent's 32 MiB, far below its own group's 64.",
            "但不能用得比父级多：助手进程在父级的 32 MiB 处被杀，远未到自己的 64 MiB。"
        ))
        .saw(rule.0, rule.1)
        .next("cgroup-demo memory")
        .next("cgroup-demo tree"))
}

fn both(stage: &Stage, parent: &Room, child: &Room) {
    files::table(stage, &FILES, &[("parent", &parent.group), ("child", &child.group)]);
}

/// Without this a machine with swap would not kill, but swap: at most 1 MiB is left to it.
pub(super) fn forbid_swap(room: &Room) {
    const SWAP: File =
        File { controller: "memory", v1: "memory.memsw.limit_in_bytes", v2: "memory.swap.max" };
    let limit = match SWAP.version(&room.group) {
        // Memory and swap together. Were it the same as the limit, this would be the one that is hit and counted.
        Some(Version::V1) => (LIMIT.number(&room.group).unwrap_or(PARENT) + (1 << 20)).to_string(),
        _ => "0".to_owned(),
    };
    // A kernel without swap accounting has no such file, and most of those have no swap.
    let _ = SWAP.write(&room.group, &limit);
}

/// How a helper ended, for a person.
pub(super) fn in_words(ended: Ended) -> String {
    match ended {
        Ended::Signaled(SIGKILL) => text!("killed by signal 9 (SIGKILL)", "被信号 9（SIGKILL）杀死"),
        Ended::Signaled(signal) => text!("killed by signal {signal}", "被信号 {signal} 杀死"),
        Ended::Exited(status) => text!("exited with status {status}", "退出，状态 {status}"),
    }
}

/// May a process live in a group that has groups inside? v1: yes. v2: not where controllers are on for those inside.
fn inner_processes(stage: &Stage, house: &House, parent: &Room) -> Result<(bool, String)> {
    let outside = house.room("outside")?;
    let helper: Actor<(), ()> = house.helper(&outside, |()| Ok(()))?;
    let (directory, version) = parent.directory_of("memory")?;
    let members = directory.join(if version == Version::V1 { "tasks" } else { "cgroup.procs" });
    stage.scene(&text!("A process beside the groups inside", "进程与下级 Cgroup 并列"));
    stage.command(&format!("echo {} > {}", helper.pid(), members.display()));
    let answer = file::write(&members, &helper.pid().to_string());
    helper.end()?;
    Ok(match version {
        Version::V1 => {
            stage.say(&text!(
                "v1 lets a process live in `parent` itself, beside `child`. v2 answers EBUSY: once \
                 `cgroup.subtree_control` names a controller, only the groups inside may have processes.",
                "v1 允许进程直接待在 `parent` 里，与 `child` 并列。v2 则回答 EBUSY：一旦 `cgroup.subtree_control` \
                 里有了子系统，就只有下级 Cgroup 能放进程。"
            ));
            (
                answer.is_ok(),
                text!(
                    "On v1 a group may have processes and groups at once: the kernel took the process.",
                    "在 v1 上，一个 Cgroup 可以同时有进程和下级 Cgroup：内核接受了这个进程。"
                ),
            )
        }
        Version::V2 => {
            stage.say(&text!(
                "`cgroup.subtree_control` of `parent` names a controller, so only the groups inside may have processes.",
                "`parent` 的 `cgroup.subtree_control` 里有子系统，所以只有下级 Cgroup 能放进程。"
            ));
            let busy = answer.as_ref().is_err_and(|error| error.is(EBUSY));
            (
                busy,
                text!(
                    "On v2 a group that passes controllers on has no processes of its own: the kernel answered EBUSY.",
                    "在 v2 上，把子系统交给下级的 Cgroup 自己不能有进程：内核回答 EBUSY。"
                ),
            )
        }
    })
}
