//! setns: the caller joins a namespace that exists already, by an open file that stands for it. setns(2).

use super::sides;
use crate::demo::actor::{self, Actor};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, stage::Entry, text};
use crate::observe::{self, Subject, Who};
use crate::step::Role;
use crate::sys::errno::{EINVAL, EPERM};
use crate::sys::flags::{CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS};
use crate::sys::namespace::{sethostname, setns};
use crate::sys::{file, process};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// `ns-demo setns`.
pub const WALK: Walk = Walk {
    name: "setns",
    title: Text { en: "The caller joins a namespace that exists", zh: "调用者加入已有的 Namespace" },
    place: Place::ThrowAway,
    show,
};

/// What the visitor is told to do.
#[derive(Serialize, Deserialize)]
enum Order {
    /// Say what you see.
    Look,
    /// Open this file, and keep it.
    Open(PathBuf),
    /// setns(2) with that file, and this as `nstype`.
    Join(PathBuf, u64),
    /// Make a child, which says what it sees.
    Child,
}

/// What a process sees of itself.
#[derive(Serialize, Deserialize, Clone)]
struct View {
    pid: i32,
    hostname: Option<String>,
    /// The links in `/proc/self/ns` that this walk is about.
    links: BTreeMap<String, Option<String>>,
    working_directory: Option<String>,
}

impl View {
    fn link(&self, name: &str) -> Option<&str> {
        self.links.get(name)?.as_deref()
    }
}

fn look() -> View {
    let names = ["uts", "pid", "pid_for_children", "mnt", "user"];
    let directory = observe::read(&Subject::Path("/proc/self/cwd".into()));
    View {
        pid: process::pid(),
        hostname: observe::read(&Subject::Hostname),
        links: names.map(|name| (name.to_owned(), sides::own(name))).into(),
        working_directory: directory.map(|link| link.trim_start_matches("link to ").to_owned()),
    }
}

type Visitor = Actor<Order, View>;

fn visitor() -> Result<Visitor> {
    let mut opened: BTreeMap<PathBuf, OwnedFd> = BTreeMap::new();
    Actor::start("visitor", 0, move |order| {
        match order {
            Order::Look => {}
            Order::Open(path) => {
                let namespace = file::open_file(&path, 0, 0)?;
                opened.insert(path, namespace);
            }
            Order::Join(path, kind) => {
                if let Some(namespace) = opened.get(&path) {
                    setns(namespace, &path, kind)?;
                }
            }
            Order::Child => return actor::apart(Role::Actor("child"), 0, || Ok(look())),
        }
        Ok(look())
    })
}

fn show(stage: &Stage) -> Result<Ending> {
    let owner = Actor::start("owner", CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNS, |name: bool| {
        if name {
            sethostname("owner")?;
        }
        Ok(look())
    })?;
    let visitor = visitor()?;
    let joined = join(stage, &owner, &visitor)?;
    let checked = check(stage, &owner, &visitor)?;
    let kinds = [pid(stage, &owner, &visitor)?, mnt(stage, &owner, &visitor)?, user(stage, &visitor)?];
    visitor.end()?;
    owner.end()?;
    Ok(Ending::default()
        .saw(joined, text!(
            "The caller is in the owner's UTS namespace now: the inodes are equal. No new namespace was made.",
            "调用者现在处于 owner 的 UTS Namespace：inode 相同。没有产生新的 Namespace。"
        ))
        .saw(checked, text!(
            "If nstype names another kind than the file is of, the kernel refuses with EINVAL; 0 takes any kind.",
            "nstype 与文件的种类不符，内核回答 EINVAL；写 0 则什么种类都接受。"
        ))
        .saw(kinds == [true; 3], text!(
            "pid: only its children are inside. mnt: it stands at that side's `/`. user: it never gets back (EPERM).",
            "pid：进去的只是它的子进程。mnt：它站到了那边的 `/`。user：再也回不来（EPERM）。"
        ))
        .next("ns-demo enter")
        .next("minidocker run --rm base ls -l /proc/self/ns"))
}

/// The file of one namespace of `owner`.
fn door(owner: i32, kind: &str) -> PathBuf {
    format!("/proc/{owner}/ns/{kind}").into()
}

/// Join the owner's UTS namespace: whether the visitor is in it then.
fn join(stage: &Stage, owner: &Actor<bool, View>, visitor: &Visitor) -> Result<bool> {
    stage.scene(&text!("Somebody else's UTS namespace", "别人的 UTS Namespace"));
    stage.say(&text!(
        "The process `owner` lives in namespaces of its own. `/proc/PID/ns/uts` is a file that stands for one of them: \
         who may open it and has the right over it may go in. This is what nsenter(1) and `docker exec` do.",
        "进程 owner 有自己的 Namespace。`/proc/PID/ns/uts` 是代表其中一个的文件：能打开它、又有权限，就能进去。\
         nsenter(1) 和 `docker exec` 就是这样做的。"
    ));
    stage.command("sudo nsenter --target $OWNER --uts hostname");
    let theirs = owner.ask(true)?;
    let before = visitor.ask(Order::Look)?;
    let path = door(owner.pid(), "uts");
    visitor.ask(Order::Open(path.clone()))?;
    let after = visitor.ask(Order::Join(path, CLONE_NEWUTS))?;
    let row = |who: &str, view: &View| {
        vec![who.into(), view.link("uts").unwrap_or_default().into(), sides::shown(&view.hostname)]
    };
    stage.table(
        &["", "/proc/self/ns/uts", "hostname"],
        &[
            row("owner", &theirs),
            row(&text!("visitor, before", "visitor，之前"), &before),
            row(&text!("visitor, after", "visitor，之后"), &after),
        ],
    );
    let name = after.hostname.as_deref() == Some("owner") && before.hostname != after.hostname;
    Ok(name && after.link("uts") == theirs.link("uts") && before.link("uts") != after.link("uts"))
}

/// What the second argument is for: whether the kernel compares it with the file.
fn check(stage: &Stage, owner: &Actor<bool, View>, visitor: &Visitor) -> Result<bool> {
    stage.scene(&text!("The second argument, nstype", "第二个参数 nstype"));
    stage.say(&text!(
        "It says what the caller believes the file to be. A program that was handed a descriptor by others can so be \
         sure of the kind that it joins.",
        "它说明调用者认为这个文件是哪一种。描述符若是别人给的，程序就能确保自己加入的是哪一种 Namespace。"
    ));
    let path = door(owner.pid(), "uts");
    let answers = [("CLONE_NEWUTS", CLONE_NEWUTS), ("0", 0), ("CLONE_NEWNET", CLONE_NEWNET)]
        .map(|(name, kind)| (name, visitor.ask(Order::Join(path.clone(), kind))));
    let row = |(name, answer): &(&str, Result<View>)| {
        vec!["/proc/PID/ns/uts".into(), (*name).into(), Entry::of(Ink::Fact, sides::answer(answer))]
    };
    stage.table(&["fd", "nstype", "setns(2)"], &answers.iter().map(row).collect::<Vec<_>>());
    let [uts, any, net] = answers.map(|(_, answer)| answer);
    Ok(uts.is_ok() && any.is_ok() && net.is_err_and(|error| error.is(EINVAL)))
}

/// The pid namespace: whether only the visitor's child is inside.
fn pid(stage: &Stage, owner: &Actor<bool, View>, visitor: &Visitor) -> Result<bool> {
    stage.scene(&text!("pid: only the children go in", "pid：只有子进程进去"));
    stage.command("sudo nsenter --target $OWNER --pid sh -c 'echo $$'");
    let (theirs, before) = (owner.ask(false)?, visitor.ask(Order::Look)?);
    let path = door(owner.pid(), "pid");
    visitor.ask(Order::Open(path.clone()))?;
    let after = visitor.ask(Order::Join(path, CLONE_NEWPID))?;
    let child = visitor.ask(Order::Child)?;
    stage.change("/proc/self/ns/pid", before.link("pid"), after.link("pid"));
    let link = "pid_for_children";
    stage.change("/proc/self/ns/pid_for_children", before.link(link), after.link(link));
    stage.fact(
        &text!("pid of the visitor's child in there", "visitor 的子进程在里面的 PID"),
        &child.pid.to_string(),
    );
    let stayed = before.link("pid") == after.link("pid") && before.pid == after.pid;
    let inside = after.link(link) == theirs.link("pid") && child.link("pid") == theirs.link("pid");
    Ok(stayed && inside && theirs.pid == 1 && child.pid > 1)
}

/// The mount namespace: whether the visitor's working directory was changed to the root directory there.
fn mnt(stage: &Stage, owner: &Actor<bool, View>, visitor: &Visitor) -> Result<bool> {
    stage.scene(&text!("mnt: root and working directory change too", "mnt：根目录和工作目录也跟着换"));
    stage.say(&text!(
        "A directory that one stands in belongs to a mount of the old namespace. So the kernel puts the caller at the \
         root of the new one; it also demands CAP_SYS_CHROOT.",
        "脚下的目录属于旧 Namespace 里的某个挂载点。所以内核把调用者放到新 Namespace 的根目录；还要求有 CAP_SYS_CHROOT。"
    ));
    stage.command("sudo nsenter --target $OWNER --mount pwd");
    let (theirs, before) = (owner.ask(false)?, visitor.ask(Order::Look)?);
    let path = door(owner.pid(), "mnt");
    visitor.ask(Order::Open(path.clone()))?;
    let after = visitor.ask(Order::Join(path, CLONE_NEWNS))?;
    stage.change("/proc/self/ns/mnt", before.link("mnt"), after.link("mnt"));
    let directory = |view: &View| view.working_directory.clone();
    stage.change("/proc/self/cwd", directory(&before).as_deref(), directory(&after).as_deref());
    let moved = directory(&before).as_deref() != Some("/") && directory(&after).as_deref() == Some("/");
    Ok(moved && after.link("mnt") == theirs.link("mnt") && before.link("mnt") != after.link("mnt"))
}

/// The user namespace: whether the visitor can join neither its own nor, from another, the one it came from.
fn user(stage: &Stage, visitor: &Visitor) -> Result<bool> {
    stage.scene(&text!("user: a door that opens one way", "user：只进不出的门"));
    stage.say(&text!(
        "To join a user namespace gives every capability in it, and takes all that one had outside. With those, the right \
         to come back is lost. To join one's own is refused: it would give back capabilities that were dropped.",
        "加入一个 user Namespace，会得到其中的全部 capability，同时失去外面的全部。回来的权利也就没有了。\
         加入自己所在的那个会被拒绝：否则丢掉的 capability 又回来了。"
    ));
    stage.command("nsenter --target $STRANGER --user id");
    let stranger: Actor<(), Option<String>> = Actor::start("stranger", CLONE_NEWUSER, |()| {
        Ok(observe::read(&Subject::Namespace(Who::Myself, "user")))
    })?;
    let theirs = stranger.ask(())?;
    let (own, other) = (PathBuf::from("/proc/self/ns/user"), door(stranger.pid(), "user"));
    visitor.ask(Order::Open(own.clone()))?;
    visitor.ask(Order::Open(other.clone()))?;
    let again = visitor.ask(Order::Join(own.clone(), CLONE_NEWUSER));
    let before = visitor.ask(Order::Look)?;
    let after = visitor.ask(Order::Join(other, CLONE_NEWUSER))?;
    let back = visitor.ask(Order::Join(own, CLONE_NEWUSER));
    stranger.end()?;
    stage.fact(&text!("its own", "自己的"), &sides::answer(&again));
    stage.change("/proc/self/ns/user", before.link("user"), after.link("user"));
    stage.fact(&text!("back", "回来"), &sides::answer(&back));
    let moved = after.link("user") == theirs.as_deref() && before.link("user") != after.link("user");
    Ok(moved && again.is_err_and(|e| e.is(EINVAL)) && back.is_err_and(|e| e.is(EPERM)))
}
