//! structs --live: the pointers from real tasks to their cgroups, as they are in the kernel's memory now.

use super::house::{House, Room};
use super::structs::{WALK, controllers, membership};
use crate::cgroup::hierarchy::Version;
use crate::demo::actor::Actor;
use crate::demo::structs::live::{Blind, Reader, Told, play};
use crate::error::{Error, Problem, Result};
use crate::narrate::stage::Entry;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::observe::{self, Subject, Who};
use crate::sys::file;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A task as the kernel's memory shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Task {
    pid: i32,
    address: u64,
    css_set: u64,
    refcount: u64,
    nr_tasks: u64,
    states: Vec<State>,
}

/// The state of one controller that a task points to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    /// The controller, by its v1 name.
    controller: String,
    address: u64,
    /// The `id` of the kernfs_node of its cgroup, which is the inode number of the directory.
    id: u64,
}

/// `structs --live [PID…]`: the tasks `pids` or, without any, how fork and a move to another cgroup change these
/// pointers. Where nothing can be read, the layouts. Returns the exit status.
pub fn live(stage: &Stage, pids: &[i32]) -> Result<u8> {
    play(stage, pids, &WALK, |reader| match pids {
        [] => walk(stage, reader),
        pids => each(stage, reader, pids),
    })
}

fn each(stage: &Stage, reader: &Reader, pids: &[i32]) -> Told {
    let tasks = read(reader, pids)?;
    for pid in pids {
        stage.blank();
        match tasks.iter().find(|task| task.pid == *pid) {
            Some(task) => draw(stage, task),
            None => stage.lacks(&text!(
                "the iterator passed over the process {pid}: it ended, or this kernel hides it.",
                "迭代器跳过了进程 {pid}：它已经结束，或者内核把它藏起来了。"
            )),
        }
    }
    if !tasks.is_empty() {
        let ending = Ending::default().saw(tasks.iter().all(agrees), agreement());
        stage.end(&ending.next("sudo cgroup-demo structs --live").next("cgroup-demo structs css_set"));
    }
    Ok(Ok(()))
}

fn agreement() -> String {
    text!(
        "Each id that could be compared is the inode number of the directory that /proc/PID/cgroup names or, where a \
         controller is not switched on that far down, of one above it.",
        "凡是能比较的，id 都等于 /proc/PID/cgroup 所指目录的 inode 号；如果那一层没有启用该 Subsystem，则等于某个上级目录的。"
    )
}

/// What the process in the first room is asked.
#[derive(Serialize, Deserialize)]
enum Question {
    /// Make a child, and say its pid.
    Fork,
    /// Let the child move to the second room.
    ChildMoves,
}

/// The controller whose hierarchy the walk makes its cgroups in.
const CONTROLLER: &str = "pids";

/// A process in the room `one`, and on demand a child of it, which moves to the room `two`.
fn parent(house: &House, one: &Room, two: &Room) -> Result<Actor<Question, i32>> {
    let door = |place: &crate::cgroup::group::Place| {
        let name = if place.hierarchy.version == Version::V1 { "tasks" } else { "cgroup.procs" };
        place.directory.join(name)
    };
    let doors: Vec<PathBuf> = two.group.places.iter().map(door).collect();
    let mut child: Option<Actor<(), ()>> = None;
    house.helper(one, move |question| match (question, &child) {
        (Question::Fork, _) => {
            let doors = doors.clone();
            let made =
                Actor::start("child", 0, move |()| doors.iter().try_for_each(|door| file::write(door, "0")))?;
            let pid = made.pid();
            child = Some(made);
            Ok(pid)
        }
        (Question::ChildMoves, Some(child)) => child.ask(()).map(|()| 0),
        (Question::ChildMoves, None) => Ok(0),
    })
}

fn walk(stage: &Stage, reader: &Reader) -> Told {
    // The rights are there; whether the program can be made is found out before any cgroup is.
    let own = read(reader, &[crate::sys::process::pid()])?;
    let made = || -> Result<(House, Room, Room)> {
        let house = House::make(&[CONTROLLER])?;
        let (one, two) = (house.room("one")?, house.room("two")?);
        Ok((house, one, two))
    };
    match made() {
        Ok((house, one, two)) => two_rooms(stage, reader, &house, (&one, &two)).map(|told| {
            told?;
            house.remove()
        }),
        Err(error) => {
            stage.lacks(&crate::narrate::words::sentence(&error, crate::narrate::lang()));
            own.iter().for_each(|task| draw(stage, task));
            Ok(Ok(()))
        }
    }
}

fn two_rooms(stage: &Stage, reader: &Reader, house: &House, (one, two): (&Room, &Room)) -> Told {
    // An error of the story's own ends it; being blind ends it in another way.
    macro_rules! go {
        ($answer:expr) => {
            match $answer {
                Ok(value) => value,
                Err(error) => return Ok(Err(error)),
            }
        };
    }
    stage.scene(&text!("A process alone in a cgroup", "独自在一个 Cgroup 里的进程"));
    stage.say(&text!(
        "The process `one` was put into a new cgroup of that name, so that nobody else shares its css_set.",
        "进程 one 被放进同名的新 Cgroup，没有别人与它共用 css_set。"
    ));
    let parent = go!(parent(house, one, two));
    let [alone] = go!(found(reader, [parent.pid()])?);
    draw(stage, &alone);
    let agreed_before = agrees(&alone);

    stage.scene(&text!("fork: one css_set for both", "fork：两个进程共用一个 css_set"));
    stage.say(&text!(
        "A child is born into the cgroups of its parent: fork(2) copies the pointer, and nr_tasks counts one more.",
        "子进程生在父进程的 Cgroup 里：fork(2) 复制指针，nr_tasks 加一。"
    ));
    let child = go!(parent.ask(Question::Fork));
    let [sharing, born] = go!(found(reader, [parent.pid(), child])?);
    sides(stage, &sharing, &born);

    stage.scene(&text!("The child moves to another cgroup", "子进程移到另一个 Cgroup"));
    stage.say(&text!(
        "The file is written by the child itself: 0 is the writer. The kernel finds or makes a css_set for the new \
         combination of cgroups.",
        "由子进程自己写入：0 表示写的人。内核为新的 Cgroup 组合找到或新建一个 css_set。"
    ));
    for place in &two.group.places {
        let name = if place.hierarchy.version == Version::V1 { "tasks" } else { "cgroup.procs" };
        stage.command(&format!("echo {child} > {}", place.directory.join(name).display()));
    }
    go!(parent.ask(Question::ChildMoves));
    let [left, moved] = go!(found(reader, [parent.pid(), child])?);
    sides(stage, &left, &moved);

    let agreed = agreed_before && agrees(&left) && agrees(&moved);
    go!(parent.end());
    stage.end(&ending([&alone, &sharing, &born, &left, &moved], two, agreed));
    Ok(Ok(()))
}

fn ending([alone, sharing, born, left, moved]: [&Task; 5], two: &Room, agreed: bool) -> Ending {
    let shared = sharing.css_set == born.css_set && alone.css_set == sharing.css_set;
    let counts = [alone, sharing, left, moved].map(|task| task.nr_tasks);
    let [before, after, ..] = counts;
    let differing: Vec<&State> = left
        .states
        .iter()
        .zip(&moved.states)
        .filter(|(a, b)| a.address != b.address)
        .map(|(_, b)| b)
        .collect();
    let names = differing.iter().map(|state| state.controller.as_str()).collect::<Vec<_>>().join(", ");
    let inodes: Vec<u64> =
        two.group.places.iter().filter_map(|place| observe::inode_of(&place.directory)).collect();
    let there = differing.iter().all(|state| inodes.contains(&state.id))
        && differing.iter().any(|state| state.controller == CONTROLLER);
    let same = left.states.len() - differing.len();
    Ending::default()
        .saw(shared && (before, after) == (1, 2), text!(
            "After fork parent and child point to one css_set; its nr_tasks rose from {before} to {after}.",
            "fork 之后父子进程指向同一个 css_set；nr_tasks 从 {before} 变成 {after}。"
        ))
        .saw(left.css_set != moved.css_set && there && counts[2..] == [1, 1], text!(
            "After its move the child has another css_set, in which the pointers for {names} lead to the new cgroup; \
             the other {same} are as before.",
            "移动之后子进程有了另一个 css_set，其中 {names} 的指针指向新的 Cgroup，其余 {same} 个不变。"
        ))
        .saw(agreed, agreement())
        .next("sudo cgroup-demo structs --live $$")
        .next("sudo cgroup-demo structs --live --explain")
        .next("sudo ns-demo structs --live")
}

/// The tasks `pids`, as far as the iterator meets them.
fn read(reader: &Reader, pids: &[i32]) -> std::result::Result<Vec<Task>, Blind> {
    let constants = reader.btf().constants("cgroup_subsys_id").unwrap_or_default();
    let names = controllers(&constants);
    let mut expressions = [
        "task",
        "task->pid",
        "task->cgroups",
        "task->cgroups->refcount.refs.counter",
        "task->cgroups->nr_tasks",
    ]
    .map(str::to_owned)
    .to_vec();
    for index in 0..names.len() {
        let state = format!("task->cgroups->subsys[{index}]");
        expressions.extend([format!("{state}->cgroup->kn->id"), state]);
    }
    let task = |values: &Vec<u64>| {
        let states = names.iter().zip(values[5..].chunks_exact(2));
        let states =
            states.map(|(name, pair)| State { controller: name.clone(), address: pair[1], id: pair[0] });
        Task {
            address: values[0],
            pid: values[1] as i32,
            css_set: values[2],
            refcount: values[3],
            nr_tasks: values[4],
            states: states.collect(),
        }
    };
    Ok(reader.read(pids, &expressions)?.iter().map(task).collect())
}

/// Processes of the demo's own, which the iterator must meet, in the order asked for.
fn found<const N: usize>(reader: &Reader, pids: [i32; N]) -> std::result::Result<Result<[Task; N]>, Blind> {
    let mut tasks = read(reader, &pids)?;
    tasks.sort_by_key(|task| pids.iter().position(|pid| *pid == task.pid));
    Ok(tasks.try_into().map_err(|_| Error::new(Problem::ChildVanished)))
}

/// Where `/proc/PID/cgroup` and the table of mounts say that a state's cgroup is: the directory, or the nearest above
/// it, with the inode number that was read. `Err` when there is a directory, but none with this number; `None` when its
/// hierarchy is not mounted.
fn directory(task: &Task, state: &State) -> Option<std::result::Result<PathBuf, PathBuf>> {
    let memberships = observe::memberships(Who::Pid(task.pid));
    let group = membership(&memberships, &state.controller)?;
    let directory: PathBuf = group.directory.as_ref()?.components().collect();
    let depth = group.path.split('/').filter(|name| !name.is_empty()).count();
    let mut above = directory.ancestors().take(depth + 1);
    let same = above.find(|path| observe::inode_of(path) == Some(state.id)).map(PathBuf::from);
    Some(same.ok_or(directory))
}

fn agrees(task: &Task) -> bool {
    let places: Vec<_> = task.states.iter().filter_map(|state| directory(task, state)).collect();
    task.css_set != 0 && !places.is_empty() && places.iter().all(std::result::Result::is_ok)
}

/// Where cgroups are mounted, by custom.
const TOP: &str = "/sys/fs/cgroup";

/// The path below that; `.` is itself.
fn short(path: &Path) -> String {
    match path.strip_prefix(TOP) {
        Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
        Ok(below) => below.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

fn hexadecimal(address: u64) -> String {
    format!("{address:#018x}")
}

/// task → css_set → the state of each controller, checked against `/proc/PID/cgroup`.
fn draw(stage: &Stage, task: &Task) {
    let Task { pid, refcount, nr_tasks, .. } = task;
    stage.command(&format!("cat /proc/{pid}/cgroup"));
    let name = observe::read(&Subject::Contents(format!("/proc/{pid}/comm").into())).unwrap_or_default();
    stage.line(&[
        (Ink::Object, "task_struct "),
        (Ink::Fact, &hexadecimal(task.address)),
        (Ink::Plain, &format!("  pid {pid}, {name}")),
    ]);
    stage.line(&[
        (Ink::Faint, "└─ "),
        (Ink::Object, "css_set  "),
        (Ink::Fact, &hexadecimal(task.css_set)),
        (Ink::Plain, &format!("  refcount {refcount}, nr_tasks {nr_tasks}")),
    ]);
    let row = |(index, state): (usize, &State)| {
        let shown = match directory(task, state) {
            Some(Ok(path)) => Entry::of(Ink::Fact, format!("= {}", short(&path))),
            Some(Err(path)) => Entry::of(Ink::Refused, format!("≠ {}", short(&path))),
            None => Entry::of(Ink::Faint, text!("  not mounted", "  未挂载")),
        };
        let address = Entry::of(Ink::Fact, hexadecimal(state.address));
        vec![format!("[{index}] {}", state.controller).into(), address, state.id.to_string().into(), shown]
    };
    let rows: Vec<Vec<Entry>> = task.states.iter().enumerate().map(row).collect();
    let heads =
        ["subsys", &text!("address", "地址"), "kn->id", &text!("  inode in {TOP}", "  {TOP} 下的 inode")];
    stage.table(&heads, &rows);
}

/// Both tasks beside each other.
fn sides(stage: &Stage, parent: &Task, child: &Task) {
    let row = |name: String, one: String, other: String| {
        let (ink, sign) = if one == other { (Ink::Plain, "=") } else { (Ink::Fact, "≠") };
        vec![name.into(), one.into(), Entry::of(ink, sign), Entry::of(ink, other)]
    };
    let mut rows = vec![
        row("css_set".to_owned(), hexadecimal(parent.css_set), hexadecimal(child.css_set)),
        row("  nr_tasks".to_owned(), parent.nr_tasks.to_string(), child.nr_tasks.to_string()),
    ];
    for (index, (one, other)) in parent.states.iter().zip(&child.states).enumerate() {
        let name = format!("[{index}] {}", one.controller);
        rows.push(row(name, hexadecimal(one.address), hexadecimal(other.address)));
    }
    let head = |name: String, pid: i32| format!("{name} {pid}");
    let (one, other) =
        (head(text!("parent", "父进程"), parent.pid), head(text!("child", "子进程"), child.pid));
    stage.table(&["", &one, "", &other], &rows);
}
