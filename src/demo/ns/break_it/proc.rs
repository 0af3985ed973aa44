//! A new pid namespace with the old /proc: what `ps` reads there is about others. proc(5), pid_namespaces(7).

use super::Claim;
use crate::demo::actor::{self, Actor};
use crate::demo::ns::sides;
use crate::error::Result;
use crate::namespace;
use crate::narrate::{Stage, text};
use crate::observe::{self, Subject, Who};
use crate::rootfs::virtualfs;
use crate::step::Role;
use crate::sys::flags::{CLONE_NEWNS, CLONE_NEWPID};
use crate::sys::namespace::setns;
use crate::sys::{file, process};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a process finds in the /proc that is mounted where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct View {
    /// getpid(2).
    pid: i32,
    /// Where /proc/self leads; `None` when nowhere.
    myself: Option<u32>,
    /// The pid namespace of this process, and that of process 1.
    own: Option<String>,
    first: Option<String>,
    /// The processes that `ps` would list.
    listed: usize,
}

fn look() -> Result<View> {
    let listed = file::list(Path::new("/proc"))?;
    let is_pid = |name: &std::ffi::OsString| name.to_string_lossy().parse::<u32>().is_ok();
    Ok(View {
        pid: process::pid(),
        myself: observe::host_pid(),
        own: sides::own("pid"),
        first: observe::read(&Subject::Namespace(Who::Pid(1), "pid")),
        listed: listed.iter().filter(|(name, _)| is_pid(name)).count(),
    })
}

pub(super) fn show(stage: &Stage) -> Result<Claim> {
    let outside = sides::own("pid");
    let inside = Actor::start("inside", CLONE_NEWPID, |remount: bool| {
        if remount {
            namespace::mount::enter()?;
            virtualfs::mount_proc()?;
        }
        look()
    })?;
    stage.scene(&text!("Pid 1, and the old /proc", "1 号进程，旧的 /proc"));
    stage.say(&text!(
        "A /proc shows the processes of the pid namespace in which it was mounted. Without a new one `ps` lists the host's \
         processes, and the numbers in it are not those that kill(2) takes here.",
        "/proc 显示的是挂载它时所在的 pid Namespace 的进程。如果不重新挂载，`ps` 列出的是宿主机的进程，\
         其中的号码也不是这里 kill(2) 用的号码。"
    ));
    stage.command("sudo unshare --pid --fork sh -c 'echo $$; readlink /proc/self; ps -e'");
    let before = inside.ask(false)?;
    tell(stage, &before, before.own.as_ref());
    let lies =
        before.pid == 1 && before.myself != Some(1) && before.first != before.own && before.own != outside;

    stage.scene(&text!("A new /proc in a new mount namespace", "在新的 Mount Namespace 里挂载新的 /proc"));
    stage.command("sudo unshare --pid --fork --mount-proc sh -c 'echo $$; readlink /proc/self; ps -e'");
    let after = inside.ask(true)?;
    tell(stage, &after, before.own.as_ref());
    let tells = after.pid == 1 && after.myself == Some(1) && after.first == after.own && after.listed == 1;

    stage.scene(&text!("The other way round: into its mounts only", "反过来：只进入它的挂载"));
    stage.say(&text!(
        "A process that joins the mount namespace, but stays in its own pid namespace, finds a /proc in which it is not: \
         /proc/self leads nowhere. So `nsenter --mount` wants `--pid` beside it.",
        "进程只加入 Mount Namespace，仍留在自己的 pid Namespace，会发现那里的 /proc 里没有自己：/proc/self 指向空处。\
         所以 `nsenter --mount` 要配上 `--pid`。"
    ));
    stage.command("sudo nsenter -t $PID --mount ls -l /proc/self");
    let path = PathBuf::from(format!("/proc/{}/ns/mnt", inside.pid()));
    let visitor = actor::apart(Role::Actor("visitor"), 0, || {
        setns(file::open_file(&path, 0, 0)?, &path, CLONE_NEWNS)?;
        look()
    })?;
    tell(stage, &visitor, before.own.as_ref());
    inside.end()?;
    let dangling = visitor.myself.is_none() && visitor.listed == 1;
    Ok((
        lies && tells && dangling,
        text!(
            "The old /proc told pid 1 of the host's processes; a new one told it of its own; to a visitor it was /proc without self.",
            "旧的 /proc 给 1 号进程看的是宿主机的进程；新的才是它自己的；而对访客来说，/proc 里没有 self。"
        ),
    ))
}

/// `inside` is the pid namespace of the process inside.
fn tell(stage: &Stage, view: &View, inside: Option<&String>) {
    let nowhere = || text!("nothing (ENOENT)", "无（ENOENT）");
    stage.fact("getpid(2)", &view.pid.to_string());
    stage.fact("/proc/self →", &view.myself.map_or_else(nowhere, |pid| pid.to_string()));
    let whose = if view.first.as_ref() == inside {
        text!("the first process inside", "里面的第一个进程")
    } else {
        text!("a process outside", "外面的进程")
    };
    stage.fact(&text!("/proc/1 is", "/proc/1 是"), &whose);
}
