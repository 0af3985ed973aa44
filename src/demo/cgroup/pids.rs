//! pids: how many processes a group may have, and a fork bomb that meets the limit. cgroups(7).

use super::bomb::{self, Bomb};
use super::files::{self, File};
use super::house::House;
use crate::demo::actor::{Actor, apart};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::step::Role;

/// `cgroup-demo pids`.
pub const WALK: Walk = Walk {
    name: "pids",
    title: Text { en: "A fork bomb, contained", zh: "关住一颗 fork 炸弹" },
    place: Place::Attended,
    show,
};

const MAX: File = File { controller: "pids", v1: "pids.max", v2: "pids.max" };
const CURRENT: File = File { controller: "pids", v1: "pids.current", v2: "pids.current" };
const EVENTS: File = File { controller: "pids", v1: "pids.events", v2: "pids.events" };
const FILES: [File; 3] = [MAX, CURRENT, EVENTS];

const LIMIT: usize = 16;
/// What the bomb comes to at most if the limit fails: little enough for every machine.
const FUSE: usize = 64;

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("A group for 16 processes", "最多 16 个进程的 Cgroup"));
    stage.say(&text!(
        "Version 1 and version 2 have the same files. They count tasks: processes and their threads.",
        "v1 和 v2 的文件名相同。它们数的是 task：进程和线程都算。"
    ));
    let house = House::make(&["pids"])?;
    let room = house.room("bomb")?;
    stage.command(&format!("echo {LIMIT} > bomb/pids.max"));
    MAX.write(&room.group, &LIMIT.to_string())?;
    let bomb = Bomb::new(FUSE)?;
    let helper: Actor<(), ()> = house.helper(&room, |()| -> Result<()> { bomb.go_off() })?;
    files::table(stage, &FILES, &[("bomb", &room.group)]);

    stage.scene(&text!("The bomb goes off", "炸弹引爆"));
    stage.say(&text!(
        "The helper copies itself, each copy does the same, and so on. Without the limit the machine would be full \
         within a second. (This one has a fuse: after {FUSE} attempts it would be out.)",
        "助手进程复制自己，每个副本也照做，如此下去。没有上限的话，一秒之内机器就满了。（这一颗有保险丝：尝试 \
         {FUSE} 次之后自己熄灭。）"
    ));
    stage.command("bash -c 'echo $$ > bomb/cgroup.procs && { :(){ :|:& };:; }'");
    helper.tell(());
    let toll = bomb.toll()?;
    stage.fact(&text!("processes", "进程数"), &toll.processes.to_string());
    stage.fact(&text!("fork(2) = EAGAIN, times", "fork(2) = EAGAIN 的次数"), &toll.refused.to_string());
    files::table(stage, &FILES, &[("bomb", &room.group)]);
    let current = CURRENT.number(&room.group);
    let counted = EVENTS.read(&room.group).and_then(|events| events.strip_prefix("max ")?.parse().ok());

    stage.scene(&text!("Meanwhile, outside", "与此同时，在外面"));
    let outside = apart(Role::Actor("outside"), 0, || Ok(())).is_ok();
    let answer = if outside { text!("granted", "成功") } else { text!("refused", "被拒绝") };
    stage.fact(&text!("a fork(2) outside the group", "组外的一次 fork(2)"), &answer);
    stage.say(&text!(
        "To end the bomb, end the group: the copies are all in it.",
        "要结束炸弹，就结束整个 Cgroup：所有副本都在里面。"
    ));
    drop(helper);
    house.remove()?;
    bomb::reap()?;

    let contained = toll.processes == LIMIT && current == Some(LIMIT as u64);
    Ok(Ending::default()
        .saw(
            contained,
            text!(
                "The bomb came to {LIMIT} processes and no more; pids.current said the same.",
                "炸弹到 {LIMIT} 个进程为止，一个也不多；pids.current 说的一样。"
            ),
        )
        .saw(
            counted == Some(toll.refused) && toll.refused > 0,
            text!(
                "Every further fork(2) failed with EAGAIN, and pids.events counted each of them.",
                "再往后的每一次 fork(2) 都以 EAGAIN 失败，pids.events 一次不漏地记了下来。"
            ),
        )
        .saw(outside, text!("Outside the group nobody was hurt.", "组外的进程毫发无损。"))
        .next("minidocker run --rm --pids-limit 3 base sh -c 'sleep 9 & sleep 9 & sleep 9 & echo forked'")
        .next("cgroup-demo kill"))
}
