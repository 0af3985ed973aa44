//! enter: join the namespaces of another process and run a command there, as nsenter(1) does.

use crate::demo::actor::{Actor, apart};
use crate::demo::ns::sides;
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::namespace::join::Doors;
use crate::namespace::{self, pid};
use crate::narrate::stage::Entry;
use crate::narrate::words::Text;
use crate::narrate::{self, Ending, Ink, Stage, text};
use crate::observe::{self, KINDS, Subject, Who};
use crate::process::command;
use crate::process::supervise::{Signals, die_with_parent};
use crate::step::{Role, become_role};
use crate::sys::flags::{CLONE_NEWIPC, CLONE_NEWUTS};
use crate::sys::process::{self, Forked};
use serde::{Deserialize, Serialize};

/// `ns-demo enter`.
pub const WALK: Walk = Walk {
    name: "enter",
    title: Text { en: "Into somebody else's namespaces", zh: "进入别人的 Namespace" },
    place: Place::ThrowAway,
    show,
};

/// What `ns-demo enter -t PID` was asked for.
#[derive(Debug)]
pub struct Visit {
    /// Whose namespaces.
    pub pid: i32,
    /// Of which kinds, by their names in `/proc/PID/ns`; none means all.
    pub kinds: Vec<&'static str>,
    /// The command and its arguments; without one, a shell.
    pub command: Vec<String>,
}

/// Join the namespaces and run the command there, as a child, since a pid and a time namespace are only for children.
/// Its exit status.
///
/// On entry this process has one thread.
pub fn visit(stage: &Stage, visit: Visit) -> Result<u8> {
    let Visit { pid, kinds, command } = visit;
    let environment: Vec<String> = std::env::vars_os()
        .filter_map(|(name, value)| {
            Some(format!("{}={}", name.into_string().ok()?, value.into_string().ok()?))
        })
        .collect();
    let shell = || vec![std::env::var("SHELL").unwrap_or_else(|_| "sh".to_owned())];
    let argv = if command.is_empty() { shell() } else { command };
    stage.command(&classic(&pid.to_string(), &kinds, &argv));
    let doors = Doors::open(pid, |kind| kinds.is_empty() || kinds.contains(&kind))?;
    let signals = Signals::hold()?;
    doors.enter()?;
    match pid::birth(0, None)? {
        Forked::Parent(child) => Ok(signals.forward_until_end(&child)?.status()),
        Forked::Child => {
            become_role(Role::Actor("visitor"));
            let became = die_with_parent()
                .and_then(|()| signals.release())
                .and_then(|()| command::find(&argv, &environment))
                .and_then(|command| command.execute());
            let status = became.err().map_or(0, |error| {
                narrate::report(&error);
                error.exit_status()
            });
            process::exit_now(status.into())
        }
    }
}

/// The same, as nsenter(1) takes it.
fn classic(pid: &str, kinds: &[&str], argv: &[String]) -> String {
    const LETTERS: [(&str, &str); 8] = [
        ("mnt", "-m"),
        ("uts", "-u"),
        ("ipc", "-i"),
        ("net", "-n"),
        ("pid", "-p"),
        ("user", "-U"),
        ("cgroup", "-C"),
        ("time", "-T"),
    ];
    let letters = LETTERS.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, letter)| *letter);
    let letters: Vec<&str> = if kinds.is_empty() { vec!["-a"] } else { letters.collect() };
    let words: Vec<String> = argv.iter().map(|one| narrate::word(one)).collect();
    format!("nsenter -t {pid} {} {}", letters.join(" "), words.join(" "))
}

/// What a process sees: its namespaces in the order of [`KINDS`], where its children will be, and the host name.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct View {
    namespaces: sides::Namespaces,
    children: Option<String>,
    hostname: Option<String>,
}

fn look() -> View {
    View {
        namespaces: sides::namespaces(Who::Myself),
        children: sides::own("pid_for_children"),
        hostname: observe::read(&Subject::Hostname),
    }
}

const PID: usize = 4;

fn show(stage: &Stage) -> Result<Ending> {
    stage.scene(&text!("A resident, and a visitor", "一个住户，一个访客"));
    stage.say(&text!(
        "The resident was born in namespaces of its own and has named its host. The visitor opens the files that stand \
         for them, /proc/PID/ns/uts and the others, and asks setns(2) to be moved there.",
        "住户出生在自己的 Namespace 里，并给主机起了名字。访客打开代表它们的文件（/proc/PID/ns/uts 等），\
         然后用 setns(2) 请求进入。"
    ));
    let kinds = CLONE_NEWUTS | CLONE_NEWIPC | namespace::NET | namespace::PID;
    let resident = Actor::start("resident", kinds, |()| {
        crate::sys::namespace::sethostname("web")?;
        Ok(look())
    })?;
    let theirs = resident.ask(())?;
    let target = resident.pid();
    stage.command(&format!(
        "sudo {}",
        classic("$RESIDENT", &["uts", "ipc", "net", "pid"], &["hostname".to_owned()])
    ));
    let (before, after) = apart(Role::Actor("visitor"), 0, || {
        let before = look();
        Doors::open(target, |kind| ["uts", "ipc", "net", "pid"].contains(&kind))?.enter()?;
        Ok((before, look()))
    })?;
    resident.end()?;
    views(stage, &before, &theirs, &after);

    let joined = |place: usize| after.namespaces[place] == theirs.namespaces[place];
    let moved = [1, 3, 7]
        .into_iter()
        .all(|place| joined(place) && before.namespaces[place] != after.namespaces[place]);
    let named = after.hostname.as_deref() == Some("web") && before.hostname != after.hostname;
    let stayed = after.namespaces[PID] == before.namespaces[PID] && after.children == theirs.namespaces[PID];
    Ok(Ending::default()
        .saw(
            moved && named,
            text!(
                "setns(2) moved the visitor itself: the same numbers as the resident's, and the resident's host name.",
                "setns(2) 移动的是访客自己：编号与住户的相同，看到的主机名也是住户的。"
            ),
        )
        .saw(
            stayed,
            text!(
                "Not so the pid namespace: a process keeps its pid, so only its next child is born there. That is why \
                 nsenter forks.",
                "pid Namespace 不同：进程的 pid 不能变，所以只有它的下一个子进程才出生在那里。nsenter 因此要 fork。"
            ),
        )
        .next("ns-demo enter -t $$ --all -- sh")
        .next("ns-demo setns"))
}

fn views(stage: &Stage, before: &View, theirs: &View, after: &View) {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let row = |name: &str, of: &dyn Fn(&View) -> Option<String>| -> Vec<Entry> {
        let (before, theirs, after) = (of(before), of(theirs), of(after));
        let ink = if after == before { Ink::Plain } else { Ink::Fact };
        vec![name.into(), text(&before).into(), text(&theirs).into(), Entry::of(ink, text(&after))]
    };
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    for (place, kind) in
        KINDS.iter().enumerate().filter(|(_, kind)| ["ipc", "net", "pid", "uts"].contains(kind))
    {
        rows.push(row(kind, &|view| view.namespaces[place].clone()));
    }
    rows.push(row("pid_for_children", &|view| view.children.clone()));
    rows.push(row("hostname", &|view| view.hostname.clone()));
    let heads = [
        "",
        &text!("visitor before", "访客，之前"),
        &text!("resident", "住户"),
        &text!("visitor after", "访客，之后"),
    ];
    stage.table(&heads, &rows);
}
