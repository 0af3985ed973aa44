//! clone: a child is born in new namespaces, and its parent stays where it is. clone(2).

use super::sides::{self, Namespaces};
use crate::demo::actor::{self, Actor};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::observe::{self, Subject, Who};
use crate::step::Role;
use crate::sys::flags::{CLONE_NEWPID, CLONE_NEWUTS};
use crate::sys::process;
use serde::{Deserialize, Serialize};

/// `ns-demo clone`.
pub const WALK: Walk = Walk {
    name: "clone",
    title: Text { en: "A child is born in new namespaces", zh: "子进程生在新的 Namespace 里" },
    place: Place::ThrowAway,
    show,
};

/// What the child says of itself.
#[derive(Serialize, Deserialize)]
struct Child {
    namespaces: Namespaces,
    /// What getpid(2) answers.
    pid: i32,
}

fn child() -> Child {
    Child { namespaces: sides::namespaces(Who::Myself), pid: process::pid() }
}

fn show(stage: &Stage) -> Result<Ending> {
    let before = sides::namespaces(Who::Myself);
    let shares_all = without_flags(stage, &before)?;

    stage.scene(&text!("Two flags: a child born elsewhere", "两个标志：子进程生在别处"));
    stage.say(&text!(
        "Each CLONE_NEW* flag asks for one new namespace, for the child. The caller asks, and stays. No shell command \
         makes this single call; `unshare --fork` comes near, with two.",
        "每个 CLONE_NEW* 标志要求一个新的 Namespace，给子进程用。调用者只是提出要求，自己不动。没有哪个 shell \
         命令只做这一个调用；最接近的是 `unshare --fork`，它用了两个。"
    ));
    stage.quote("clone(fn, stack, CLONE_NEWUTS | CLONE_NEWPID | SIGCHLD, arg);");
    stage.command("sudo unshare --uts --pid --fork sh -c 'echo $$'");
    let actor = Actor::start("child", CLONE_NEWUTS | CLONE_NEWPID, |()| Ok(child()))?;
    let inside = actor.ask(())?;
    let caller = sides::namespaces(Who::Myself);
    sides::compare(
        stage,
        [&text!("the caller", "调用者"), &text!("its child", "子进程")],
        &caller,
        &inside.namespaces,
    );
    let seen_from_here = sides::namespaces(Who::Pid(actor.pid()));
    let pids = observe::read(&Subject::Pids(Who::Pid(actor.pid())));

    stage.scene(&text!("One process, two pids", "一个进程，两个 PID"));
    stage.say(&text!(
        "A pid belongs to a pid namespace. The child was in the new one before its first instruction, and is the first \
         there; its parent sees the same process under another number.",
        "PID 属于某个 pid Namespace。子进程在执行第一条指令之前就已在新的里面，而且是其中的第一个；\
         父进程看到的是同一个进程，但号码不同。"
    ));
    stage.command("grep NSpid /proc/$CHILD/status");
    stage.fact(&text!("the parent got from clone3(2)", "clone3(2) 返回给父进程"), &actor.pid().to_string());
    stage.fact(&text!("the child gets from getpid(2)", "子进程的 getpid(2) 返回"), &inside.pid.to_string());
    stage.fact("NSpid", &pids.clone().unwrap_or_default());
    let same_process = pids.as_deref().is_some_and(|pids| pids.ends_with(&format!("{} 1", actor.pid())));
    let first = inside.pid == 1 && same_process;
    actor.end()?;

    let apart = sides::differing(&caller, &inside.namespaces) == ["pid", "uts"];
    let both_say = seen_from_here == inside.namespaces;
    Ok(Ending::default()
        .saw(apart && both_say && shares_all, text!(
            "The child is in a new namespace of each kind that was asked for, and shares all others with its parent.",
            "要求了哪几种，子进程就在哪几种新的 Namespace 里；其余的仍与父进程共用。"
        ))
        .saw(caller == before, text!(
            "The caller itself has not moved: its eight namespaces are what they were.",
            "调用者自己没有动：它的八个 Namespace 和原来一样。"
        ))
        .saw(first, text!(
            "clone(CLONE_NEWPID) makes the child pid 1 at birth; outside, the same process has another pid.",
            "clone(CLONE_NEWPID) 让子进程一出生就是 pid 1；在外面，同一个进程有另一个 PID。"
        ))
        .next("ns-demo unshare")
        .next("minidocker run --rm --explain base sh -c 'echo $$'"))
}

/// A child made without any flag: whether it shares every namespace with its parent.
fn without_flags(stage: &Stage, caller: &Namespaces) -> Result<bool> {
    stage.scene(&text!("No flag: everything is shared", "不带标志：全部共用"));
    stage.say(&text!(
        "fork(2) is clone(2) without flags. The child points to the very namespaces of its parent: none is copied.",
        "fork(2) 就是不带标志的 clone(2)。子进程指向父进程的那些 Namespace：一个也不复制。"
    ));
    let plain = actor::apart(Role::Actor("child"), 0, || Ok(child()))?;
    let differ = sides::differing(caller, &plain.namespaces);
    let named = if differ.is_empty() { text!("none", "无") } else { differ.join(" ") };
    stage.fact(&text!("kinds in which they differ", "不同的种类"), &named);
    Ok(differ.is_empty())
}
