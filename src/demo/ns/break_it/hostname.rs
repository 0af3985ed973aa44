//! sethostname(2) before unshare(2): the name is set where everybody sees it. uts_namespaces(7).

use super::Claim;
use crate::demo::actor::{self, Actor};
use crate::error::Result;
use crate::namespace;
use crate::narrate::{Stage, text};
use crate::observe::{self, Subject};
use crate::step::Role;
use crate::sys::flags::{CLONE_NEWUTS, clone};
use crate::sys::namespace::{sethostname, unshare};
use std::path::PathBuf;

/// In one more UTS namespace: what is renamed by mistake is never the machine, `--on-host` or not.
pub(super) fn show(stage: &Stage) -> Result<Claim> {
    let holds = actor::apart(Role::Runtime, CLONE_NEWUTS, || tell(stage))?;
    Ok((
        holds,
        text!(
            "sethostname before unshare renamed the host; after it, the container alone.",
            "先 sethostname 后 unshare，改的是宿主机的名字；顺序对了，改的才只是容器的。"
        ),
    ))
}

/// The host name here. The file shows that of the reader, be it asked through whichever `/proc`.
fn name() -> Option<String> {
    observe::read(&Subject::Contents(PathBuf::from("/proc/sys/kernel/hostname")))
}

fn tell(stage: &Stage) -> Result<bool> {
    sethostname("host")?;
    stage.scene(&text!("The wrong order", "错误的顺序"));
    stage.say(&text!(
        "A container is to be called `web`. Its first process calls sethostname(2), and then unshare(CLONE_NEWUTS): the \
         new namespace starts as a copy, so inside all looks right.",
        "容器要叫 web。它的第一个进程先调用 sethostname(2)，再调用 unshare(CLONE_NEWUTS)：新的 Namespace 是一份副本，\
         所以从里面看一切正常。"
    ));
    stage.command("sudo unshare --uts sh -c 'sh -c \"hostname web; unshare --uts hostname\"; hostname'");
    let before = name();
    let wrong = Actor::start("container", 0, |()| {
        sethostname("web")?;
        unshare(clone(CLONE_NEWUTS))?;
        Ok(name())
    })?;
    let inside = wrong.ask(())?;
    let after = name();
    sides(stage, before.as_deref(), after.as_deref(), inside.as_deref());
    wrong.end()?;
    let broken = inside.as_deref() == Some("web") && after == inside && before != after;

    sethostname("host")?;
    stage.scene(&text!("The right order", "正确的顺序"));
    stage.command("sudo unshare --uts sh -c 'unshare --uts sh -c \"hostname web; hostname\"; hostname'");
    let before = name();
    let right = Actor::start("container", 0, |()| {
        namespace::uts::enter("web")?;
        Ok(name())
    })?;
    let inside = right.ask(())?;
    let after = name();
    sides(stage, before.as_deref(), after.as_deref(), inside.as_deref());
    right.end()?;
    Ok(broken && inside.as_deref() == Some("web") && after == before)
}

fn sides(stage: &Stage, before: Option<&str>, after: Option<&str>, inside: Option<&str>) {
    stage.change(&text!("outside", "外面"), before, after);
    stage.fact(&text!("inside", "里面"), inside.unwrap_or_default());
}
