//! pid: the first process of a pid namespace, what falls to it, and what does not reach it. pid_namespaces(7).

use crate::demo::actor::{self, Actor};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::observe::{self, Subject, Who};
use crate::step::{Role, become_role};
use crate::sys::flags::CLONE_NEWPID;
use crate::sys::pipe;
use crate::sys::process::{self, Child, Forked};
use crate::sys::signal::{self, SIGKILL, SIGTERM};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, OwnedFd};

/// `ns-demo pid`.
pub const WALK: Walk = Walk {
    name: "pid",
    title: Text { en: "Pid 1: orphans, zombies, signals", zh: "1 号进程：孤儿、僵尸、信号" },
    place: Place::ThrowAway,
    show,
};

/// What pid 1 of the new namespace is asked to do.
#[derive(Serialize, Deserialize)]
enum Question {
    /// What does getpid(2) say?
    Pid,
    /// Have a child that has a child, and wait for the first, who goes at once. Who is left?
    Orphan,
    /// Let the orphan go, but do not wait for it.
    Release,
    /// Wait for it.
    Reap,
    /// Have a child that sends you this signal. What did the kernel answer it?
    Shoot(i32),
    /// Have a child that stays.
    Companion,
}

fn show(stage: &Stage) -> Result<Ending> {
    let mut orphan = None;
    let init = Actor::start("init", CLONE_NEWPID, |question| answer(question, &mut orphan))?;
    let two_pids = two_pids(stage, &init)?;
    let reaped = orphan_is_adopted(stage, &init)?;
    let deaf = deaf_to_the_inside(stage, &init)?;
    let (killed, all_gone) = end_of_the_first(stage, init)?;
    Ok(Ending::default()
        .saw(two_pids && reaped, text!(
            "One process had two pids. As 1 it became the parent of an orphan, which stayed a zombie until 1 waited.",
            "同一个进程有两个 PID。作为 1 号，它成了孤儿进程的父进程；在它 wait 之前，孤儿一直是僵尸。"
        ))
        .saw(deaf && killed, text!(
            "From inside neither SIGTERM nor SIGKILL reached pid 1; from outside SIGKILL did.",
            "从里面发的 SIGTERM 和 SIGKILL 都动不了 1 号进程；从外面发的 SIGKILL 可以。"
        ))
        .saw(all_gone, text!(
            "With pid 1 the kernel ended every process of the namespace.",
            "1 号进程一结束，内核就结束了这个 Namespace 里的所有进程。"
        ))
        .next("ns-demo pid --explain")
        .next("minidocker run --rm base sh -c 'echo $$'"))
}

fn two_pids(stage: &Stage, init: &Actor<Question, i32>) -> Result<bool> {
    stage.scene(&text!("One process, two pids", "一个进程，两个 PID"));
    stage.say(&text!(
        "A process is born into a pid namespace, since it cannot change its pid. The first one there is 1. Its parent sees \
         it too, under a number of its own namespace: NSpid lists both, from outside to inside.",
        "进程不能改变自己的 PID，所以只能生在新的 pid Namespace 里。其中第一个进程是 1 号。父进程也看得到它，\
         但用的是自己 Namespace 里的号码：NSpid 从外到内列出两者。"
    ));
    stage.command("sudo unshare --pid --fork sh -c 'echo $$'");
    let inside = init.ask(Question::Pid)?;
    let pids = observe::read(&Subject::Pids(Who::Pid(init.pid())));
    stage.fact(&text!("getpid(2) inside", "里面的 getpid(2)"), &inside.to_string());
    stage.fact(&text!("NSpid, read outside", "外面读到的 NSpid"), pids.as_deref().unwrap_or_default());
    Ok(inside == 1 && pids.is_some_and(|pids| pids.ends_with(&format!("{} 1", init.pid()))))
}

/// What `/proc/PID/status` says of a process: its state, its parent.
type Standing = (Option<String>, Option<String>);

fn standing(pid: i32) -> Standing {
    (observe::status(Who::Pid(pid), "State"), observe::status(Who::Pid(pid), "PPid"))
}

fn orphan_is_adopted(stage: &Stage, init: &Actor<Question, i32>) -> Result<bool> {
    stage.scene(&text!("An orphan, and a zombie", "孤儿与僵尸"));
    stage.say(&text!(
        "A child of pid 1 has a child and exits. The grandchild gets a new parent: pid 1 of its namespace. When it exits, a \
         zombie (Z) stays in the table of processes, until its parent asks how it ended: wait(2).",
        "1 号进程的子进程又生了一个子进程，然后退出。孙进程得到新的父进程：它所在 Namespace 的 1 号。孙进程退出后，\
         进程表里留下一个僵尸（Z），直到父进程用 wait(2) 问它怎么结束的。"
    ));
    stage.command("grep -E 'State|PPid' /proc/$ORPHAN/status");
    let pid = init.ask(Question::Orphan)?;
    let orphan = Child { pid, pidfd: process::pidfd_open(pid)? };
    let alive = standing(orphan.pid);
    init.ask(Question::Release)?;
    signal::wait_ended(&orphan)?;
    let dead = standing(orphan.pid);
    init.ask(Question::Reap)?;
    let reaped = standing(orphan.pid);
    let row = |when: String, (state, parent): &Standing| {
        let none = || text!("(no such process)", "（没有这个进程）");
        vec![
            when.into(),
            state.clone().unwrap_or_else(none).into(),
            parent.clone().unwrap_or_default().into(),
        ]
    };
    stage.fact(&text!("pid 1, seen from here", "从这里看，1 号进程是"), &init.pid().to_string());
    stage.table(
        &["", "State", "PPid"],
        &[
            row(text!("its parent has exited", "父进程已退出"), &alive),
            row(text!("it has exited", "它自己已退出"), &dead),
            row(text!("pid 1 has waited", "1 号已 wait"), &reaped),
        ],
    );
    let adopted = alive.1 == Some(init.pid().to_string()) && dead.1 == alive.1;
    let zombie = dead.0.is_some_and(|state| state.starts_with('Z'));
    let lived = alive.0.is_some_and(|state| !state.starts_with('Z'));
    Ok(adopted && lived && zombie && reaped == (None, None))
}

fn deaf_to_the_inside(stage: &Stage, init: &Actor<Question, i32>) -> Result<bool> {
    stage.scene(&text!("Signals that do not arrive", "到不了的信号"));
    stage.say(&text!(
        "Pid 1 gets only the signals for which it has a handler. From inside that holds for SIGKILL too. From the parent \
         namespace SIGKILL and SIGSTOP get through, and nothing else without a handler: so `docker stop` waits ten seconds, \
         and then kills.",
        "只有装了处理函数的信号才能送达 1 号进程。从里面发，连 SIGKILL 也一样。从父 Namespace 发，SIGKILL 和 SIGSTOP \
         能送达，其余没有处理函数的仍被忽略：所以 `docker stop` 先等十秒，再强行杀死。"
    ));
    stage.command("sudo unshare --pid --fork sh -c 'sh -c \"kill -TERM 1; kill -KILL 1\"; echo still here'");
    let mut alive = true;
    let mut rows = Vec::new();
    for (name, number) in [("SIGTERM", SIGTERM), ("SIGKILL", SIGKILL)] {
        let granted = init.ask(Question::Shoot(number))? == 0;
        let answers = init.ask(Question::Pid).is_ok_and(|pid| pid == 1);
        alive &= granted && answers;
        rows.push(shot(text!("inside", "里面"), name, answers));
    }
    process::send_signal(init.process(), SIGTERM)?;
    let answers = init.ask(Question::Pid).is_ok_and(|pid| pid == 1);
    rows.push(shot(text!("outside", "外面"), "SIGTERM", answers));
    stage.table(&[&text!("sent from", "发自"), "", &text!("pid 1 then", "此后 1 号进程")], &rows);
    Ok(alive && answers)
}

fn shot(from: String, name: &str, answers: bool) -> Vec<crate::narrate::stage::Entry> {
    let then = if answers { text!("answers", "照常应答") } else { text!("is silent", "没有回应") };
    vec![from.into(), name.into(), then.into()]
}

/// Whether SIGKILL from outside ended pid 1, and whether nobody is left.
fn end_of_the_first(stage: &Stage, init: Actor<Question, i32>) -> Result<(bool, bool)> {
    stage.scene(&text!("The end of pid 1", "1 号进程的终结"));
    stage.say(&text!(
        "A second process lives in the namespace and waits for nothing but signals. Now SIGKILL comes from outside.",
        "Namespace 里还住着另一个进程，它除了等信号什么也不做。现在从外面发出 SIGKILL。"
    ));
    stage.command("sudo kill -KILL $PID");
    let pid = init.ask(Question::Companion)?;
    let companion = Child { pid, pidfd: process::pidfd_open(pid)? };
    let first = init.pid();
    let before = [standing(first).0, standing(pid).0];
    let ended = init.end()?;
    signal::wait_ended(&companion)?;
    let after = [standing(first).0, standing(pid).0];
    let word = |state: &Option<String>| state.as_ref().map(|_| text!("is there", "在"));
    for (index, name) in ["init", "companion"].into_iter().enumerate() {
        stage.change(name, word(&before[index]).as_deref(), word(&after[index]).as_deref());
    }
    let gone = before.iter().all(Option::is_some) && after == [None, None];
    Ok((ended == process::Ended::Signaled(SIGKILL), gone))
}

// What follows is done by pid 1 of the new namespace, a child of the demo, and by its children.

/// The orphan: how to let it go.
type Leash = Option<OwnedFd>;

fn answer(question: Question, orphan: &mut Leash) -> Result<i32> {
    match question {
        Question::Pid => Ok(process::pid()),
        Question::Orphan => {
            let (pid, leash) = have_an_orphan()?;
            *orphan = Some(leash);
            Ok(pid)
        }
        Question::Release => {
            *orphan = None;
            Ok(0)
        }
        Question::Reap => Ok(process::reap_any()?.map_or(0, |(pid, _)| pid)),
        Question::Shoot(number) => {
            actor::apart(Role::Actor("inside"), 0, || process::kill(1, number))?;
            Ok(0)
        }
        Question::Companion => have_a_companion(),
    }
}

/// A grandchild whose parent has gone; its pid, as the mounted `/proc` tells it, and the pipe whose end lets it go.
fn have_an_orphan() -> Result<(i32, OwnedFd)> {
    let (held, leash) = pipe::pipe()?;
    let (told, telling) = pipe::pipe()?;
    let (go, parent) = pipe::pipe()?;
    match process::clone3(0, None)? {
        Forked::Parent(child) => {
            drop((held, telling));
            actor::send(&parent, &Ok(()));
            process::wait(&child)?;
            Ok((actor::receive(&told)?, leash))
        }
        Forked::Child => {
            become_role(Role::Actor("child"));
            let _ = actor::receive::<()>(&go);
            drop(leash);
            match process::clone3(0, None) {
                Ok(Forked::Child) => {
                    become_role(Role::Actor("orphan"));
                    actor::send(&telling, &Ok(outer_pid()));
                    let _ = pipe::read_byte(held.as_fd());
                }
                Ok(Forked::Parent(_)) => {}
                Err(error) => actor::send::<i32>(&telling, &Err(error)),
            }
            process::exit_now(0)
        }
    }
}

/// A child that stays until it is killed.
fn have_a_companion() -> Result<i32> {
    let (told, telling) = pipe::pipe()?;
    match process::clone3(0, None)? {
        Forked::Parent(_) => actor::receive(&told),
        Forked::Child => {
            become_role(Role::Actor("companion"));
            let held = signal::block_all();
            actor::send(&telling, &held.map(|_| outer_pid()));
            while signal::take_next().is_ok() {}
            process::exit_now(0)
        }
    }
}

/// This process's pid outside: the `/proc` that is mounted here is still that one's.
fn outer_pid() -> i32 {
    observe::host_pid().map_or(0, |pid| pid as i32)
}
