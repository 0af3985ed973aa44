//! user: ids and capabilities of one's own, that are worth nothing outside. user_namespaces(7).

use crate::demo::actor::{self, Actor};
use crate::demo::{Place, Walk, host};
use crate::error::Result;
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::observe::{self, Subject, Who};
use crate::process::{identity as person, supervise};
use crate::security::capabilities;
use crate::step::Role;
use crate::sys::flags::{CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWUTS, MS_NODEV, MS_NOSUID, clone};
use crate::sys::namespace::{sethostname, unshare};
use crate::sys::{file, mount, security};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// `ns-demo user`.
pub const WALK: Walk = Walk {
    name: "user",
    title: Text { en: "Root here, nobody there", zh: "里面是 root，外面什么也不是" },
    place: Place::Here,
    show,
};

/// The ordinary user that root becomes for this demo.
const ORDINARY: u32 = 1000;

/// What the process inside is asked.
#[derive(Serialize, Deserialize, Clone)]
enum Question {
    /// Nothing but how you see yourself.
    Look,
    /// Move to new namespaces of these kinds.
    Unshare(u64),
    /// Write this into one of your files in /proc/self.
    Write(String, String),
    /// Set the host name.
    Name(String),
    /// Mount a file system over the scratch directory, and make a file in it.
    Make,
}

/// How a process sees itself, and what the kernel answered to what it tried.
#[derive(Serialize, Deserialize)]
struct Answer {
    uid: Option<String>,
    capabilities: Option<String>,
    uid_map: Option<String>,
    gid_map: Option<String>,
    setgroups: Option<String>,
    /// `0`, or the name of the error.
    kernel: String,
}

fn answer(question: &Question) -> Answer {
    let tried = match question {
        Question::Look => Ok(()),
        Question::Unshare(kinds) => unshare(clone(*kinds)),
        Question::Write(name, text) => file::write(&Path::new("/proc/self").join(name), text),
        Question::Name(name) => sethostname(name),
        Question::Make => make_file(),
    };
    let map = |name: &str| observe::read(&Subject::Contents(Path::new("/proc/self").join(name)));
    Answer {
        uid: first(observe::status(Who::Myself, "Uid")),
        capabilities: observe::status(Who::Myself, "CapEff"),
        uid_map: map("uid_map"),
        gid_map: map("gid_map"),
        setgroups: map("setgroups"),
        kernel: said(&tried),
    }
}

/// Of four ids, the real one.
fn first(ids: Option<String>) -> Option<String> {
    ids?.split(' ').next().map(str::to_owned)
}

/// `0`, or the name of the error.
fn said<T>(answer: &Result<T>) -> String {
    match answer {
        Ok(_) => "0".to_owned(),
        Err(error) => {
            error.refusal.as_ref().map_or_else(|| error.to_string(), |refusal| refusal.name.clone())
        }
    }
}

const MADE: &str = "made-inside";

fn make_file() -> Result<()> {
    unshare(clone(CLONE_NEWNS))?;
    let flags = MS_NOSUID | MS_NODEV;
    mount::mount("tmpfs", Path::new(host::SCRATCH), "tmpfs", flags, Some("mode=755,size=64k"))?;
    file::write_new(&Path::new(host::SCRATCH).join(MADE), "", 0o644)
}

fn show(stage: &Stage) -> Result<Ending> {
    if observe::read(&Subject::Contents("/proc/self/setgroups".into())).as_deref() == Some("deny") {
        stage.lacks(&text!(
            "in this user namespace setgroups(2) has been given up, and so it has in all below: why that is \
             needed can only be seen outside of it.",
            "当前用户 Namespace 已放弃 setgroups(2)，其下的也都如此：只有在它外面才能看到为什么需要这样做。"
        ));
    }
    let held: [bool; 3] = actor::apart(Role::Actor("person"), 0, || {
        become_ordinary()?;
        tell(stage)
    })?;
    Ok(Ending::default()
        .saw(held[0], text!(
            "Before the maps were written everybody was 65534; after them 0 inside was the person's own id outside.",
            "写入映射之前，所有人都是 65534；写入之后，里面的 0 就是外面这个用户自己的 id。"
        ))
        .saw(held[1], text!(
            "gid_map was refused until setgroups(2) had been given up.",
            "放弃 setgroups(2) 之前，内核拒绝写 gid_map。"
        ))
        .saw(held[2], text!(
            "Inside, every capability; over what belongs to the namespace outside, none.",
            "里面拥有全部 capability；对属于外面那个 Namespace 的东西，一个也没有。"
        ))
        .next("ns-demo user --explain")
        .next("minidocker run --rm base id"))
}

/// Root becomes an ordinary user, as everybody else is already.
fn become_ordinary() -> Result<()> {
    if !capabilities::is_privileged() {
        return Ok(());
    }
    let who = person::Identity { uid: ORDINARY, gid: ORDINARY, groups: vec![], home: "/".to_owned() };
    person::assume(&who, false)?;
    // A process that has changed its ids may not open its own files in /proc, and has lost its parent's death signal.
    security::set_dumpable(true)?;
    supervise::die_with_parent()
}

/// On entry: an ordinary user's process, without capabilities. Whether each claim held.
fn tell(stage: &Stage) -> Result<[bool; 3]> {
    let inside = Actor::start("inside", 0, |question: Question| Ok(answer(&question)))?;
    let unmapped = before_the_maps(stage, &inside)?;
    let (mapped, refused) = the_maps(stage, &inside)?;
    let file_is_ours = a_file(stage, &inside)?;
    let limited = the_capabilities(stage, &inside)?;
    inside.end()?;
    Ok([unmapped && mapped && file_is_ours, refused, limited])
}

fn rows(answers: &[(String, &Answer)]) -> Vec<Vec<Entry>> {
    let cell = |fact: &Option<String>| Entry::from(fact.clone().unwrap_or_else(|| "-".to_owned()));
    let row = |(who, answer): &(String, &Answer)| {
        vec![who.as_str().into(), cell(&answer.uid), cell(&answer.uid_map), cell(&answer.capabilities)]
    };
    answers.iter().map(row).collect()
}

const HEADS: [&str; 4] = ["", "uid", "uid_map", "CapEff"];

fn before_the_maps(stage: &Stage, inside: &Actor<Question, Answer>) -> Result<bool> {
    stage.scene(&text!(
        "A new user namespace: all capabilities, and no id",
        "新的用户 Namespace：全部 capability，没有 id"
    ));
    stage.say(&text!(
        "An ordinary user without a single capability may make one, and has them all in it. Nobody is mapped yet, so \
         everybody shows as the overflow id 65534.",
        "没有任何 capability 的普通用户也可以新建一个，并在其中拥有全部 capability。还没有映射任何 id，\
         所以人人显示为溢出 id 65534。"
    ));
    stage.command("unshare --user sh -c 'id -u; grep CapEff /proc/self/status; cat /proc/self/uid_map'");
    let before = inside.ask(Question::Look)?;
    let after = inside.ask(Question::Unshare(CLONE_NEWUSER))?;
    let sides = [(text!("before", "之前"), &before), (text!("inside", "里面"), &after)];
    stage.table(&HEADS, &rows(&sides));
    let none = |answer: &Answer| answer.capabilities.as_deref().is_some_and(|set| set.ends_with(" (0)"));
    let overflow = observe::read(&Subject::Contents("/proc/sys/kernel/overflowuid".into()));
    Ok(after.kernel == "0"
        && none(&before)
        && !none(&after)
        && after.uid == overflow
        && after.uid_map.is_none())
}

/// Whether the ids are mapped at the end, and whether the kernel refused the group's before setgroups was given up.
fn the_maps(stage: &Stage, inside: &Actor<Question, Answer>) -> Result<(bool, bool)> {
    stage.scene(&text!("uid_map, setgroups, gid_map", "uid_map、setgroups、gid_map"));
    stage.say(&text!(
        "Each line of a map is: id inside, id outside, how many. An ordinary user may map one id, their own, once. For groups the kernel \
         first wants setgroups(2) given up: a file with mode 0604 is closed to its group, and who could drop out of that \
         group would read it (CVE-2014-8989).",
        "映射的每一行是：里面的 id、外面的 id、个数。普通用户只能映射自己的 id，而且只能写一次。对于组，内核要求先放弃 \
         setgroups(2)：权限为 0604 的文件不让它的组读，谁能退出这个组，谁就读得到它（CVE-2014-8989）。"
    ));
    stage.command("echo deny > /proc/$PID/setgroups; echo \"0 $(id -g) 1\" > /proc/$PID/gid_map");
    let (uid, gid) = person::own();
    let mut lines = Vec::new();
    let mut write = |name: &'static str, text: String| -> Result<Answer> {
        let answer = inside.ask(Question::Write(name.to_owned(), text.clone()))?;
        lines.push(vec![name.into(), text.into(), verdict(&answer.kernel)]);
        Ok(answer)
    };
    let users = write("uid_map", format!("0 {uid} 1"))?;
    let allowed = users.setgroups.as_deref() == Some("allow");
    let early = write("gid_map", format!("0 {gid} 1"))?;
    let given_up = write("setgroups", "deny".to_owned())?;
    let late = write("gid_map", format!("0 {gid} 1"))?;
    stage.table(&[&text!("written", "写入"), "", &text!("the kernel", "内核")], &lines);
    stage.table(&HEADS, &rows(&[(text!("inside", "里面"), &late)]));
    let mapped = users.kernel == "0" && late.uid.as_deref() == Some("0");
    // Where it was given up before, the first try succeeds, and a map can be written only once.
    let refused = !allowed || (early.kernel == "EPERM" && given_up.kernel == "0" && late.kernel == "0");
    let outside = observe::status(Who::Pid(inside.pid()), "Uid");
    stage.fact(
        &text!("Uid of the same process, read outside", "外面读到的同一个进程的 Uid"),
        &outside.clone().unwrap_or_default(),
    );
    Ok((mapped && first(outside) == Some(uid.to_string()), refused && late.gid_map.is_some()))
}

fn verdict(kernel: &str) -> Entry {
    Entry::of(if kernel == "0" { Ink::Granted } else { Ink::Refused }, kernel)
}

fn a_file(stage: &Stage, inside: &Actor<Question, Answer>) -> Result<bool> {
    stage.scene(&text!("Whose is a file made inside?", "里面新建的文件是谁的？"));
    stage.say(&text!(
        "On disk there are only ids of the first user namespace; the map is applied when somebody looks.",
        "磁盘上只有最初那个用户 Namespace 的 id；有人来看的时候才套用映射。"
    ));
    stage.command("ls -ln /proc/$PID/root/tmp/made-inside");
    let made = inside.ask(Question::Make)?;
    let path = PathBuf::from(format!("/proc/{}/root{}/{MADE}", inside.pid(), host::SCRATCH));
    let seen = file::status(&path).map(|status| status.uid);
    stage.fact(&text!("made by uid", "创建者的 uid"), made.uid.as_deref().unwrap_or_default());
    let owner = seen.as_ref().map_or_else(|_| said(&seen), u32::to_string);
    stage.fact(&text!("owner, seen outside", "外面看到的属主"), &owner);
    Ok(made.kernel == "0" && made.uid.as_deref() == Some("0") && seen.ok() == Some(person::own().0))
}

fn the_capabilities(stage: &Stage, inside: &Actor<Question, Answer>) -> Result<bool> {
    stage.scene(&text!("Full inside, none outside", "里面全有，外面全无"));
    stage.say(&text!(
        "A capability holds over what belongs to its user namespace, or to one made inside that. The UTS namespace that the process is \
         still in belongs to the outside; a new one belongs to the inside.",
        "capability 只对属于同一个用户 Namespace（及其后代）的东西有效。进程当前所在的 UTS Namespace 属于外面；\
         新建一个，就属于里面。"
    ));
    stage.command("unshare --user --map-root-user hostname mine");
    stage.command("unshare --user --map-root-user --uts hostname mine");
    let name = || Question::Name("mine".to_owned());
    let before = observe::read(&Subject::Hostname);
    let foreign = inside.ask(name())?;
    let moved = inside.ask(Question::Unshare(CLONE_NEWUTS))?;
    let own = inside.ask(name())?;
    stage.table(
        &[&text!("sethostname(2)", "sethostname(2)"), &text!("the kernel", "内核")],
        &[
            vec![
                text!("in the outside's UTS namespace", "在外面的 UTS Namespace 里").into(),
                verdict(&foreign.kernel),
            ],
            vec![text!("in one of its own", "在自己的 UTS Namespace 里").into(), verdict(&own.kernel)],
        ],
    );
    let unchanged = before == observe::read(&Subject::Hostname);
    Ok(foreign.kernel == "EPERM" && moved.kernel == "0" && own.kernel == "0" && unchanged)
}
