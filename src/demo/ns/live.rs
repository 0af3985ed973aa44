//! structs --live: the pointers from real tasks to their namespaces, as they are in the kernel's memory now.

use super::structs::{POINTERS, WALK};
use crate::demo::actor::Actor;
use crate::demo::structs::live::{Blind, Reader, Told, play};
use crate::error::{Error, Problem, Result};
use crate::namespace;
use crate::narrate::stage::Entry;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::observe::{self, Subject, Who};
use serde::{Deserialize, Serialize};

/// A task as the kernel's memory shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Task {
    pid: i32,
    address: u64,
    nsproxy: u64,
    count: u64,
    /// Each namespace that it points to.
    namespaces: Vec<Pointer>,
}

/// A pointer to a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pointer {
    /// The pointer's name: `uts_ns`.
    name: &'static str,
    /// The link in `/proc/PID/ns` that leads to the same.
    link: &'static str,
    address: u64,
    /// `ns.inum` of the namespace.
    inum: u64,
}

/// `structs --live [PID…]`: the tasks `pids` or, without any, how fork and unshare move these pointers. Where nothing
/// can be read, the layouts. Returns the exit status.
pub fn live(stage: &Stage, pids: &[i32]) -> Result<u8> {
    play(stage, pids, &WALK, |reader| match pids {
        [] => walk(stage, reader),
        pids => each(stage, reader, pids),
    })
}

fn each(stage: &Stage, reader: &Reader, pids: &[i32]) -> Told {
    let (mut agreed, mut met) = (true, 0);
    for pid in pids {
        match read(reader, &[*pid])?.pop() {
            Some(task) => {
                stage.blank();
                agreed &= draw(stage, &task);
                met += 1;
            }
            None => stage.lacks(&text!(
                "the iterator passed over the process {pid}: it ended, or this kernel hides it.",
                "迭代器跳过了进程 {pid}：它已经结束，或者内核把它藏起来了。"
            )),
        }
    }
    if met == 0 {
        return Ok(Ok(()));
    }
    let ending = Ending::default().saw(agreed, text!(
        "Each inum that could be compared is the number in /proc/PID/ns: the links show what these pointers lead to.",
        "凡是能比较的，inum 都等于 /proc/PID/ns 里的数字：那些链接显示的正是这些指针所指的东西。"
    ));
    stage.end(&ending.next("sudo ns-demo structs --live").next("ns-demo structs ns_common"));
    Ok(Ok(()))
}

/// What the process `parent` is asked.
#[derive(Serialize, Deserialize)]
enum Question {
    /// Move to a UTS namespace of your own.
    Leave,
    /// Make a child, and say its pid.
    Fork,
    /// Let the child move.
    ChildLeaves,
}

/// The two processes of the walk: the second is a child of the first, and dies with it.
fn parent() -> Result<Actor<Question, i32>> {
    let mut child: Option<Actor<(), ()>> = None;
    Actor::start("parent", 0, move |question| match (question, &child) {
        (Question::Leave, _) => namespace::uts::enter("parent").map(|()| 0),
        (Question::Fork, _) => {
            let made = Actor::start("child", 0, |()| namespace::uts::enter("child"))?;
            let pid = made.pid();
            child = Some(made);
            Ok(pid)
        }
        (Question::ChildLeaves, Some(child)) => child.ask(()).map(|()| 0),
        (Question::ChildLeaves, None) => Ok(0),
    })
}

fn walk(stage: &Stage, reader: &Reader) -> Told {
    let shown = reader.shown(&["task->nsproxy->uts_ns->ns.inum".to_owned()])?;
    stage.scene(&text!("The program that reads", "读取指针的程序"));
    stage.say(&text!(
        "No file in /proc shows a pointer. So a program for the kernel's BPF machine reads them: the kernel runs it once \
         for each task, with the task in r7. This is how it follows task->nsproxy->uts_ns->ns.inum, with the offsets \
         that BTF gives on this kernel:",
        "/proc 里没有任何文件显示指针，所以由一个 BPF 程序来读：内核为每个任务运行它一次，任务在 r7 里。它这样沿着 \
         task->nsproxy->uts_ns->ns.inum 走，偏移来自本内核的 BTF："
    ));
    shown.iter().for_each(|line| stage.quote(line));
    let parent = match parent() {
        Ok(parent) => parent,
        Err(error) => return Ok(Err(error)),
    };
    let ask = |question| parent.ask(question);
    // An error of the story's own ends it; being blind ends it in another way.
    macro_rules! go {
        ($answer:expr) => {
            match $answer {
                Ok(value) => value,
                Err(error) => return Ok(Err(error)),
            }
        };
    }
    stage.scene(&text!("A process with an nsproxy to itself", "独占一个 nsproxy 的进程"));
    stage.say(&text!(
        "The process `parent` calls unshare(CLONE_NEWUTS), so that nobody else shares its nsproxy: count is 1.",
        "进程 parent 调用 unshare(CLONE_NEWUTS)，于是没有别人与它共用 nsproxy：count 是 1。"
    ));
    go!(ask(Question::Leave));
    let [alone] = go!(found(reader, [parent.pid()])?);
    draw(stage, &alone);

    stage.scene(&text!("fork: one nsproxy for both", "fork：两个进程共用一个 nsproxy"));
    let child = go!(ask(Question::Fork));
    let [sharing, born] = go!(found(reader, [parent.pid(), child])?);
    let counted = tasks_of(reader, sharing.nsproxy)?;
    stage.say(&text!(
        "fork(2) copies the pointer and counts one more. The iterator met {counted} tasks that hold it.",
        "fork(2) 只复制指针，计数加一。迭代器遇到了 {counted} 个持有它的任务。"
    ));
    sides(stage, &sharing, &born);

    stage.scene(&text!("unshare(CLONE_NEWUTS) in the child", "子进程调用 unshare(CLONE_NEWUTS)"));
    stage.say(&text!(
        "The kernel makes the child a new nsproxy, a copy in which one pointer is another, and takes one off the count \
         of the old.",
        "内核为子进程新建一个 nsproxy：它是副本，只有一个指针不同；旧的计数减一。"
    ));
    go!(ask(Question::ChildLeaves));
    let [left, moved] = go!(found(reader, [parent.pid(), child])?);
    sides(stage, &left, &moved);

    let shared = sharing.nsproxy == born.nsproxy && alone.nsproxy == sharing.nsproxy;
    let counts = [alone.count, sharing.count, left.count, moved.count];
    let differing = differing(&left, &moved);
    let agreed = [&alone, &left, &moved].iter().all(|task| agrees(task));
    go!(parent.end());
    stage.end(&ending(shared, counts, counted, &differing, agreed));
    Ok(Ok(()))
}

fn ending(shared: bool, counts: [u64; 4], counted: usize, differing: &[&str], agreed: bool) -> Ending {
    let [alone, sharing, left, moved] = counts;
    let names = differing.join(", ");
    let counts_hold = (alone, sharing, counted) == (1, 2, 2);
    Ending::default()
        .saw(shared && counts_hold, text!(
            "After fork parent and child point to one nsproxy; its count rose from {alone} to {sharing}, and {counted} \
             tasks hold it.",
            "fork 之后父子进程指向同一个 nsproxy；count 从 {alone} 变成 {sharing}，持有它的任务有 {counted} 个。"
        ))
        .saw(differing == ["uts_ns"] && (left, moved) == (1, 1), text!(
            "After unshare(CLONE_NEWUTS) the child has another nsproxy, in which only {names} differs; each is held \
             once.",
            "unshare(CLONE_NEWUTS) 之后子进程有了另一个 nsproxy，其中只有 {names} 不同；两者各被持有一次。"
        ))
        .saw(agreed, text!(
            "Every inum read from memory is the number that /proc/PID/ns shows.",
            "从内存里读到的每个 inum，都等于 /proc/PID/ns 显示的数字。"
        ))
        .next("sudo ns-demo structs --live $$")
        .next("sudo ns-demo structs --live --explain")
        .next("sudo cgroup-demo structs --live")
}

/// The tasks `pids`, as far as the iterator meets them. All are in pid namespaces as deep as that of the first.
fn read(reader: &Reader, pids: &[i32]) -> std::result::Result<Vec<Task>, Blind> {
    let own = observe::read(&Subject::Pids(Who::Pid(*pids.first().unwrap_or(&1))));
    // From the initial pid namespace, a process has one pid for each namespace down to its own.
    let level = own.map_or(0, |pids| pids.split_whitespace().count().saturating_sub(1));
    let mut pointers: Vec<(&'static str, &'static str, String)> = Vec::new();
    if let Some(layout) = reader.btf().layout("nsproxy") {
        let there =
            POINTERS.iter().filter(|(name, _)| layout.members.iter().any(|member| member.name == *name));
        pointers.extend(there.map(|(name, link)| (*name, *link, format!("task->nsproxy->{name}"))));
    }
    pointers.push(("cred→user_ns", "user", "task->cred->user_ns".to_owned()));
    pointers.push(("thread_pid→ns", "pid", format!("task->thread_pid->numbers[{level}].ns")));
    let mut expressions = ["task", "task->pid", "task->nsproxy", "task->nsproxy->count.refs.counter"]
        .map(str::to_owned)
        .to_vec();
    if reader.btf().layout("nsproxy").is_some_and(|layout| layout.members[0].kind == "atomic_t") {
        "task->nsproxy->count.counter".clone_into(&mut expressions[3]);
    }
    for (.., expression) in &pointers {
        expressions.extend([expression.clone(), format!("{expression}->ns.inum")]);
    }
    let task = |values: &Vec<u64>| {
        let namespaces = pointers.iter().zip(values[4..].chunks_exact(2));
        let namespaces =
            namespaces.map(|((name, link, _), pair)| Pointer { name, link, address: pair[0], inum: pair[1] });
        Task {
            address: values[0],
            pid: values[1] as i32,
            nsproxy: values[2],
            count: values[3],
            namespaces: namespaces.filter(|pointer| pointer.address != 0).collect(),
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

/// How many tasks of the machine hold this nsproxy.
fn tasks_of(reader: &Reader, nsproxy: u64) -> std::result::Result<usize, Blind> {
    let all = reader.read(&[], &["task->nsproxy".to_owned()])?;
    Ok(all.iter().filter(|values| values[..] == [nsproxy]).count())
}

/// The number that `/proc/PID/ns` shows.
fn link(task: &Task, pointer: &Pointer) -> Option<String> {
    observe::read(&Subject::Namespace(Who::Pid(task.pid), pointer.link))
}

/// Whether every inum that can be compared is the number in `/proc/PID/ns`.
fn agrees(task: &Task) -> bool {
    let same = |pointer: &Pointer| {
        link(task, pointer).is_none_or(|link| link.contains(&format!("[{}]", pointer.inum)))
    };
    task.nsproxy != 0 && task.namespaces.iter().all(same)
}

/// The pointers by which two tasks differ.
fn differing(one: &Task, other: &Task) -> Vec<&'static str> {
    let pairs = one.namespaces.iter().zip(&other.namespaces);
    pairs.filter(|(a, b)| a.address != b.address).map(|(a, _)| a.name).collect()
}

fn hexadecimal(address: u64) -> String {
    format!("{address:#018x}")
}

/// task → nsproxy → each namespace, checked against `/proc/PID/ns`. Returns whether all agreed.
fn draw(stage: &Stage, task: &Task) -> bool {
    let Task { pid, count, .. } = task;
    stage.command(&format!("sudo ls -l /proc/{pid}/ns"));
    let name = observe::read(&Subject::Contents(format!("/proc/{pid}/comm").into())).unwrap_or_default();
    stage.line(&[
        (Ink::Object, "task_struct "),
        (Ink::Fact, &hexadecimal(task.address)),
        (Ink::Plain, &format!("  pid {pid}, {name}")),
    ]);
    stage.line(&[
        (Ink::Faint, "└─ "),
        (Ink::Object, "nsproxy  "),
        (Ink::Fact, &hexadecimal(task.nsproxy)),
        (Ink::Plain, &format!("  count {count}")),
    ]);
    let row = |pointer: &Pointer| {
        let link = link(task, pointer);
        let number = pointer.inum.to_string();
        let shown = match link {
            Some(link) if link.contains(&format!("[{number}]")) => Entry::of(Ink::Fact, format!("= {link}")),
            Some(link) => Entry::of(Ink::Refused, format!("≠ {link}")),
            None => Entry::of(Ink::Faint, text!("  not readable", "  读不到")),
        };
        vec![pointer.name.into(), Entry::of(Ink::Fact, hexadecimal(pointer.address)), number.into(), shown]
    };
    let rows: Vec<Vec<Entry>> = task.namespaces.iter().map(row).collect();
    stage.table(&["", &text!("address", "地址"), "ns.inum", "  /proc/PID/ns"], &rows);
    agrees(task)
}

/// Both tasks beside each other.
fn sides(stage: &Stage, parent: &Task, child: &Task) {
    let row = |name: &str, one: String, other: String| {
        let same = one == other;
        let (ink, sign) = if same { (Ink::Plain, "=") } else { (Ink::Fact, "≠") };
        vec![name.into(), one.into(), Entry::of(ink, sign), Entry::of(ink, other)]
    };
    let mut rows = vec![
        row("nsproxy", hexadecimal(parent.nsproxy), hexadecimal(child.nsproxy)),
        row("  count", parent.count.to_string(), child.count.to_string()),
    ];
    for (one, other) in parent.namespaces.iter().zip(&child.namespaces) {
        rows.push(row(one.name, hexadecimal(one.address), hexadecimal(other.address)));
    }
    let head = |name: String, pid: i32| format!("{name} {pid}");
    let (one, other) =
        (head(text!("parent", "父进程"), parent.pid), head(text!("child", "子进程"), child.pid));
    stage.table(&["", &one, "", &other], &rows);
}
