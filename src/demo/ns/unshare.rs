//! unshare: the caller itself moves to new namespaces, all but the pid namespace, which needs a fork. unshare(2).

use super::sides;
use crate::demo::actor::{self, Actor};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::observe::{self, Subject, Who};
use crate::step::Role;
use crate::sys::errno::ENOMEM;
use crate::sys::flags::{CLONE_NEWPID, CLONE_NEWUTS, clone};
use crate::sys::{namespace, process};
use serde::{Deserialize, Serialize};

/// `ns-demo unshare`.
pub const WALK: Walk = Walk {
    name: "unshare",
    title: Text { en: "The caller itself moves", zh: "调用者自己搬家" },
    place: Place::ThrowAway,
    show,
};

/// What the process that calls unshare(2) is told to do.
#[derive(Serialize, Deserialize)]
enum Order {
    /// Say what you see.
    Look,
    /// unshare(2) with these flags.
    Unshare(u64),
    /// Make a child that stays, and say what it sees.
    KeepChild,
    /// Make a child that ends at once, and say what it sees.
    Child,
    /// End the child that stayed.
    EndChild,
}

/// What a process sees of itself.
#[derive(Serialize, Deserialize, PartialEq, Clone)]
struct View {
    /// What getpid(2) answers.
    pid: i32,
    uts: Option<String>,
    pid_namespace: Option<String>,
    for_children: Option<String>,
    /// Its pids, from outside to inside.
    pids: Option<String>,
}

fn look() -> View {
    View {
        pid: process::pid(),
        uts: sides::own("uts"),
        pid_namespace: sides::own("pid"),
        for_children: sides::own("pid_for_children").filter(|link| !link.is_empty()),
        pids: observe::read(&Subject::Pids(Who::Myself)),
    }
}

/// A process that moves, and the child that it keeps.
fn caller() -> Result<Actor<Order, View>> {
    let mut kept: Option<Actor<(), View>> = None;
    Actor::start("caller", 0, move |order| {
        match order {
            Order::Look => {}
            Order::Unshare(flags) => namespace::unshare(clone(flags))?,
            Order::KeepChild => return kept.insert(Actor::start("first", 0, |()| Ok(look()))?).ask(()),
            Order::Child => return actor::apart(Role::Actor("next"), 0, || Ok(look())),
            Order::EndChild => drop(kept.take().map(Actor::end).transpose()?),
        }
        Ok(look())
    })
}

fn show(stage: &Stage) -> Result<Ending> {
    let caller = caller()?;
    let before = caller.ask(Order::Look)?;
    let (here, moved) = moves(stage, &caller, &before)?;
    let stays = stays(stage, &caller, &moved)?;
    let (first, ordered) = children(stage, &caller, &moved)?;
    caller.end()?;
    let itself = moved.uts != before.uts && moved.pid == before.pid && here;
    Ok(Ending::default()
        .saw(itself, text!(
            "unshare(CLONE_NEWUTS) moved the caller itself: the same process, another namespace. Nobody else moved.",
            "unshare(CLONE_NEWUTS) 把调用者自己搬走了：进程还是那个进程，Namespace 换了。别人都没动。"
        ))
        .saw(stays && first, text!(
            "unshare(CLONE_NEWPID) left the caller where it was: only its next child was born in the new one, as pid 1.",
            "unshare(CLONE_NEWPID) 没有搬动调用者：它的下一个子进程才生在新的里面，成为 pid 1。"
        ))
        .saw(ordered, text!(
            "Once pid 1 had ended, fork was refused with ENOMEM: that pid namespace takes no process any more.",
            "pid 1 结束之后，fork 被拒绝，错误是 ENOMEM：那个 pid Namespace 不再接纳任何进程。"
        ))
        .next("ns-demo setns")
        .next("unshare --user --map-root-user --pid sh -c 'id -u; id -u; id -u'")
        .next("unshare --user --map-root-user --pid --fork sh -c 'echo $$'"))
}

/// The UTS namespace: whether this process stayed, and what the caller sees afterwards.
fn moves(stage: &Stage, caller: &Actor<Order, View>, before: &View) -> Result<(bool, View)> {
    stage.scene(&text!("A UTS namespace: the caller moves", "UTS Namespace：调用者搬走"));
    stage.say(&text!(
        "No child is made. The process `caller` asks for a new namespace and is in it when the call returns.",
        "不产生子进程。进程 caller 要一个新的 Namespace，调用返回时它已经在里面。"
    ));
    stage.command("sudo unshare --uts bash");
    let mine = sides::own("uts");
    let after = caller.ask(Order::Unshare(CLONE_NEWUTS))?;
    stage.change("/proc/self/ns/uts", before.uts.as_deref(), after.uts.as_deref());
    stage.change("getpid(2)", Some(&before.pid.to_string()), Some(&after.pid.to_string()));
    Ok((sides::own("uts") == mine && mine == before.uts, after))
}

/// The pid namespace: whether the caller stayed in its own, and its children's is another.
fn stays(stage: &Stage, caller: &Actor<Order, View>, before: &View) -> Result<bool> {
    stage.scene(&text!("A pid namespace: the caller stays", "pid Namespace：调用者不动"));
    stage.say(&text!(
        "A process keeps its pid for life: programs remember what getpid(2) said. So this flag is about the children to \
         come. Until one is born the new namespace is empty, and `pid_for_children` shows nothing.",
        "进程的 PID 一生不变：程序会记住 getpid(2) 的结果。所以这个标志只对今后的子进程有效。在第一个子进程出生之前，\
         新的 Namespace 是空的，`pid_for_children` 里什么也没有。"
    ));
    stage.command("sudo unshare --pid ls -l /proc/self/ns");
    let after = caller.ask(Order::Unshare(CLONE_NEWPID))?;
    stage.change("/proc/self/ns/pid", before.pid_namespace.as_deref(), after.pid_namespace.as_deref());
    stage.change(
        "/proc/self/ns/pid_for_children",
        before.for_children.as_deref(),
        after.for_children.as_deref(),
    );
    let same = (after.pid, &after.pid_namespace) == (before.pid, &before.pid_namespace);
    Ok(same && after.for_children != before.for_children)
}

/// Its children: whether the first is pid 1 and all is as the files say, and whether its end is the end of them all.
fn children(stage: &Stage, caller: &Actor<Order, View>, before: &View) -> Result<(bool, bool)> {
    stage.scene(&text!("Its children, one after the other", "一个又一个子进程"));
    stage.say(&text!(
        "The first is pid 1 there. While it lives, others may join it. When it ends, the kernel kills them and closes \
         the namespace. That is why `unshare --pid` without `--fork` ends in \"Cannot fork\": the shell itself was never \
         inside, and its first short command was pid 1.",
        "第一个子进程是里面的 pid 1。它活着，别的进程可以加入；它一结束，内核就杀死其余进程并关闭这个 \
         Namespace。所以不带 `--fork` 的 `unshare --pid` 会报 \"Cannot fork\"：shell 自己从未进去，\
         而它的第一个短命令就是 pid 1。"
    ));
    stage.command("sudo unshare --pid sh -c 'id -u; id -u; id -u'");
    let first = caller.ask(Order::KeepChild)?;
    let parent = caller.ask(Order::Look)?;
    let second = caller.ask(Order::Child)?;
    caller.ask(Order::EndChild)?;
    let third = caller.ask(Order::Child);
    let row = |who: String, pid: String, namespace: Option<&String>| {
        vec![who.into(), pid.into(), namespace.cloned().unwrap_or_default().into()]
    };
    let refused = sides::answer(&third);
    stage.table(
        &["", "getpid(2)", "/proc/self/ns/pid"],
        &[
            row(text!("the caller", "调用者"), parent.pid.to_string(), parent.pid_namespace.as_ref()),
            row(text!("first child", "第一个子进程"), first.pid.to_string(), first.pid_namespace.as_ref()),
            row(text!("second child", "第二个子进程"), second.pid.to_string(), second.pid_namespace.as_ref()),
        ],
    );
    stage.fact(&text!("after the first has ended, clone3(2)", "第一个结束之后，clone3(2)"), &refused);
    let born_there = first.pid == 1 && first.pid_namespace != before.pid_namespace;
    let told = parent.for_children == first.pid_namespace && parent.pid_namespace == before.pid_namespace;
    let shared = second.pid == 2 && second.pid_namespace == first.pid_namespace;
    let twice = first.pids.as_ref().is_some_and(|pids| pids.ends_with(" 1"));
    let closed = third.as_ref().is_err_and(|error| error.is(ENOMEM));
    Ok((born_there && told && twice, shared && closed))
}
