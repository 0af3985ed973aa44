//! uts: a host name of one's own, seen from both sides. uts_namespaces(7).

use crate::demo::actor::Actor;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::namespace;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::observe::{self, Subject, Who};
use serde::{Deserialize, Serialize};

/// `ns-demo uts`.
pub const WALK: Walk = Walk {
    name: "uts",
    title: Text { en: "A host name of its own", zh: "自己的主机名" },
    place: Place::ThrowAway,
    show,
};

/// What the process inside is asked.
#[derive(Serialize, Deserialize)]
enum Question {
    /// Move to a new UTS namespace with this name.
    Enter(String),
    /// What do you see?
    Look,
}

/// What a process sees: its UTS namespace, and the host name in it.
type View = (Option<String>, Option<String>);

fn look() -> View {
    (observe::read(&Subject::Namespace(Who::Myself, "uts")), observe::read(&Subject::Hostname))
}

fn show(stage: &Stage) -> Result<Ending> {
    let inside = Actor::start("inside", 0, |question| {
        if let Question::Enter(name) = question {
            namespace::uts::enter(&name)?;
        }
        Ok(look())
    })?;
    stage.scene(&text!("Two processes, one namespace", "两个进程，同一个 Namespace"));
    stage.say(&text!(
        "The process `inside` is a child of this one. fork(2) copies no namespace: both point to the same.",
        "进程 inside 是本进程的子进程。fork(2) 不复制 Namespace：两者指向同一个。"
    ));
    let (outside_before, inside_before) = (look(), inside.ask(Question::Look)?);
    sides(stage, &outside_before, &inside_before);

    stage.scene(&text!("unshare, then sethostname, inside", "在 inside 中先 unshare，再 sethostname"));
    stage.command("sudo unshare --uts sh -c 'hostname inside; hostname'");
    let inside_after = inside.ask(Question::Enter("inside".to_owned()))?;
    let outside_after = look();
    sides(stage, &outside_after, &inside_after);
    inside.end()?;

    let separate = inside_after.0 != outside_after.0 && inside_before.0 == outside_before.0;
    let kept = outside_after == outside_before && inside_after.1.as_deref() == Some("inside");
    Ok(Ending::default()
        .saw(separate, text!(
            "After unshare(CLONE_NEWUTS) the two processes are in different UTS namespaces: the inodes differ.",
            "unshare(CLONE_NEWUTS) 之后，两个进程处于不同的 UTS Namespace：inode 不同。"
        ))
        .saw(kept, text!(
            "Inside, the host name is new; outside it is what it was, and no process there was told.",
            "里面的主机名变了；外面的还是原来的，外面的进程毫不知情。"
        ))
        .next("ns-demo uts --explain")
        .next("minidocker run --rm --hostname web base hostname"))
}

/// Both views, side by side.
fn sides(stage: &Stage, outside: &View, inside: &View) {
    let row = |who: String, view: &View| {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        vec![who.into(), text(&view.0).into(), text(&view.1).into()]
    };
    stage.table(
        &["", "/proc/self/ns/uts", "hostname"],
        &[row(text!("outside", "外面"), outside), row(text!("inside", "里面"), inside)],
    );
}
