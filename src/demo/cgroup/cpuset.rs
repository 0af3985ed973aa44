//! cpuset: on which processors, and on the memory of which nodes, a group lives. cpuset(7).

use super::files::{self, File};
use super::house::{House, Room};
use super::work;
use crate::cgroup::hierarchy::Version;
use crate::cgroup::parse;
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::observe::{self, Who};
use crate::sys::errno::{EINVAL, ENOSPC};
use crate::sys::{affinity, file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// `cgroup-demo cpuset`.
pub const WALK: Walk = Walk {
    name: "cpuset",
    title: Text { en: "A process and its processors", zh: "进程与它的处理器" },
    place: Place::Attended,
    show,
};

const CPUS: File = File { controller: "cpuset", v1: "cpuset.cpus", v2: "cpuset.cpus" };
const EFFECTIVE: File =
    File { controller: "cpuset", v1: "cpuset.effective_cpus", v2: "cpuset.cpus.effective" };
const MEMS: File = File { controller: "cpuset", v1: "cpuset.mems", v2: "cpuset.mems" };
const NODES: File = File { controller: "cpuset", v1: "cpuset.effective_mems", v2: "cpuset.mems.effective" };
const FILES: [File; 4] = [CPUS, EFFECTIVE, MEMS, NODES];

/// What the helper is asked.
#[derive(Serialize, Deserialize)]
enum Task {
    /// Use the processor for some milliseconds.
    Work(u64),
    /// Ask to run on these processors; whether they were granted, or the errno.
    Ask(Vec<usize>),
    /// Enter the group whose `tasks` this is; the errno, if it may not.
    Enter(PathBuf),
}

type Helper = Actor<Task, Option<i32>>;

fn perform(task: Task) -> Result<Option<i32>> {
    Ok(match task {
        Task::Work(milliseconds) => {
            work::burn(milliseconds);
            None
        }
        Task::Enter(tasks) => file::write(&tasks, "0").err().and_then(|error| error.errno()),
        Task::Ask(processors) => affinity::choose(&processors).err().and_then(|error| error.errno()),
    })
}

fn show(stage: &Stage) -> Result<Ending> {
    let house = House::make(&["cpuset"])?;
    let room = house.room("pinned")?;
    let helper = house.helper(&room, perform)?;
    let ending = empty_set(stage, &house, &room, &helper, Ending::default())?;

    let mine = allowed(&helper);
    let processors = parse::list(&mine).unwrap_or_default();
    let (Some(first), Some(last)) = (processors.first().copied(), processors.last().copied()) else {
        stage.lacks(&text!(
            "/proc/PID/status does not say which processors there are.",
            "/proc/PID/status 没有说有哪些处理器。"
        ));
        return Ok(ending);
    };
    let pinned = pin(stage, &room, &helper, last)?;
    let ending = ending.saw(
        pinned,
        text!(
            "The helper may use processor {last} only, and whenever it was looked at, it was on it.",
            "助手进程只能用处理器 {last}；每次去看，它都在那上面。"
        ),
    );
    let ending = match first == last {
        true => {
            stage.lacks(&text!(
                "This machine gives one processor only: there is none outside the set. Try it where nproc(1) says more.",
                "这里只有一个处理器，集合之外没有别的。请到 nproc(1) 大于 1 的机器上再试。"
            ));
            ending
        }
        false => escape(stage, &room, &helper, (first, last), ending)?,
    };
    helper.end()?;
    house.remove()?;
    Ok(ending
        .next("minidocker run --rm --cpuset-cpus 0 base grep Cpus_allowed_list /proc/self/status")
        .next("cgroup-demo cpu"))
}

/// A set without processors and memory: on v1 nobody can live there, on v2 it means what the parent has.
fn empty_set(stage: &Stage, house: &House, room: &Room, helper: &Helper, ending: Ending) -> Result<Ending> {
    stage.scene(&text!("A new, empty set", "一个新的空集合"));
    let (directory, version) = room.directory_of("cpuset")?;
    if version == Version::V2 {
        stage.say(&text!(
            "On v2 a new group says nothing, and has what its parent has: the effective files tell. (On v1 a new set is \
             empty, and a process that is to enter it is refused with ENOSPC until cpus and mems are written.)",
            "在 v2 上，新建的 Cgroup 什么也没写，用的就是父级的：看 effective 文件。（在 v1 上，新集合是空的，写好 cpus \
             和 mems 之前，进程进不去：ENOSPC。）"
        ));
        files::table(stage, &FILES, &[("pinned", &room.group)]);
        let inherited = CPUS.read(&room.group).is_none() && EFFECTIVE.read(&room.group).is_some();
        return Ok(ending.saw(
            inherited,
            text!(
                "A new v2 group is not empty: what it does not say it takes from its parent.",
                "新建的 v2 Cgroup 并不是空的：没写的就沿用父级的。"
            ),
        ));
    }
    stage.say(&text!(
        "On v1 a new set has no processor and no memory node. Nobody can live there: entering it is refused with \
         ENOSPC, which df(1) does not explain. First write both files. (On v2 an empty file means: as the parent.)",
        "在 v1 上，新集合既没有处理器也没有内存节点，谁也活不了：进程进去会被拒绝，错误是 ENOSPC，和磁盘空间无关。\
         先把两个文件都写好。（在 v2 上，空文件的意思是：和父级一样。）"
    ));
    let top = house.group().directory_of("cpuset").map(|(path, _)| path.to_owned()).unwrap_or(directory);
    let empty = top.join("empty");
    file::mkdir(&empty, 0o755)?;
    let tasks = empty.join("tasks");
    stage.command("mkdir empty; echo $$ > empty/tasks");
    let refused = helper.ask(Task::Enter(tasks.clone()))?;
    for name in ["cpuset.cpus", "cpuset.mems"] {
        let value = file::read_text(&top.join(name))?;
        file::write(&empty.join(name), value.trim())?;
    }
    let granted = helper.ask(Task::Enter(tasks))?;
    back(helper, room)?;
    let say = |errno: Option<i32>| match errno {
        None => text!("granted", "成功"),
        Some(ENOSPC) => "ENOSPC (No space left on device)".to_owned(),
        Some(other) => format!("errno {other}"),
    };
    stage.change(&text!("entering `empty`", "进入 `empty`"), Some(&say(refused)), Some(&say(granted)));
    Ok(ending.saw(
        refused == Some(ENOSPC) && granted.is_none(),
        text!(
            "A v1 set without processors and memory took nobody (ENOSPC); once it had both, it did.",
            "没有处理器和内存的 v1 集合谁也不收（ENOSPC）；两样都有了，就收了。"
        ),
    ))
}

/// Back into its room.
fn back(helper: &Helper, room: &Room) -> Result<()> {
    let (directory, _) = room.directory_of("cpuset")?;
    helper.ask(Task::Enter(directory.join("tasks"))).map(drop)
}

/// The list of what the helper may use.
fn allowed(helper: &Helper) -> String {
    observe::allowed_processors(Who::Pid(helper.pid())).unwrap_or_default()
}

/// One processor for the group. Whether the helper was only seen there.
fn pin(stage: &Stage, room: &Room, helper: &Helper, last: u32) -> Result<bool> {
    stage.scene(&text!("One processor for the group", "给 Cgroup 一个处理器"));
    stage.say(&text!(
        "The process is not asked, and need not do anything. It finds itself on the processor that is left.",
        "进程不会被询问，也不用做什么。它就到了剩下的那个处理器上。"
    ));
    let before = allowed(helper);
    stage.command(&format!("echo {last} > pinned/cpuset.cpus"));
    CPUS.write(&room.group, &last.to_string())?;
    files::table(stage, &FILES, &[("pinned", &room.group)]);
    stage.change("Cpus_allowed_list", Some(&before), Some(&allowed(helper)));
    let seen = seen_on(helper)?;
    let list: Vec<String> = seen.iter().map(u32::to_string).collect();
    stage.fact(
        &text!("seen on (/proc/PID/stat, field 39)", "所在处理器（/proc/PID/stat 第 39 列）"),
        &list.join(" "),
    );
    Ok(allowed(helper) == last.to_string() && seen == BTreeSet::from([last]))
}

/// The processors on which the helper was after each of some pieces of work.
fn seen_on(helper: &Helper) -> Result<BTreeSet<u32>> {
    let mut seen = BTreeSet::new();
    for _ in 0..8 {
        helper.ask(Task::Work(5))?;
        seen.extend(observe::stat(helper.pid()).map(|stat| stat.processor));
    }
    Ok(seen)
}

/// The process asks for more than its set has; then the set is changed.
fn escape(
    stage: &Stage,
    room: &Room,
    helper: &Helper,
    (first, last): (u32, u32),
    ending: Ending,
) -> Result<Ending> {
    stage.scene(&text!("The process asks for another", "进程想要另一个"));
    stage.say(&text!(
        "sched_setaffinity(2) chooses among the processors of the set. From a request the kernel takes what lies \
         outside; if nothing is left, it refuses.",
        "sched_setaffinity(2) 只能在集合之内挑选。请求里超出集合的部分，内核会去掉；去掉之后什么都不剩，就拒绝。"
    ));
    stage.command(&format!("taskset -cp {first} $$"));
    let alone = helper.ask(Task::Ask(vec![first as usize]))?;
    let both = helper.ask(Task::Ask(vec![first as usize, last as usize]))?;
    let cut = allowed(helper);
    let said = |errno: Option<i32>| match errno {
        None => text!("granted", "成功"),
        Some(EINVAL) => "EINVAL (Invalid argument)".to_owned(),
        Some(other) => format!("errno {other}"),
    };
    stage.table(
        &[&text!("asked for", "请求"), &text!("answer", "回答"), "Cpus_allowed_list"],
        &[
            vec![first.to_string().into(), said(alone).into(), last.to_string().into()],
            vec![format!("{first},{last}").into(), said(both).into(), cut.clone().into()],
        ],
    );

    stage.scene(&text!("The set is changed", "改变集合"));
    stage.command(&format!("echo {first} > pinned/cpuset.cpus"));
    CPUS.write(&room.group, &first.to_string())?;
    let moved = allowed(helper);
    stage.change("Cpus_allowed_list", Some(&cut), Some(&moved));
    let kept = alone == Some(EINVAL) && both.is_none() && cut == last.to_string();
    Ok(ending.saw(
        kept && moved == first.to_string(),
        text!(
            "It could not leave the set: EINVAL, or its request was cut. When the set moved, it moved along.",
            "它离不开这个集合：要么 EINVAL，要么请求被削减。集合变了，它也跟着走。"
        ),
    ))
}
