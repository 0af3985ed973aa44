//! cgroup: two views of one place in the hierarchy. cgroup_namespaces(7).
//!
//! It is played on the machine's own cgroups, since the throw-away host hides them. Who may make groups sees the walk in
//! groups made for it; everybody else sees it in the group that they are in.

use super::sides;
use crate::cgroup::hierarchy::Version;
use crate::demo::actor::Actor;
use crate::demo::cgroup::house::{House, Room};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, stage::Entry, text};
use crate::observe::{self, Who};
use crate::security::capabilities;
use crate::sys::errno::{EACCES, EINVAL, ENOSPC, EPERM};
use crate::sys::flags::{CLONE_NEWCGROUP, CLONE_NEWUSER, clone};
use crate::sys::{file, namespace};
use serde::{Deserialize, Serialize};

/// `ns-demo cgroup`.
pub const WALK: Walk = Walk {
    name: "cgroup",
    title: Text {
        en: "Two views of one place among the cgroups", zh: "Cgroup 里的同一个位置，两种看法"
    },
    place: Place::Attended,
    show,
};

/// What the process inside is asked.
#[derive(Serialize, Deserialize)]
enum Order {
    /// Move to a new cgroup namespace, and to the user namespace that an ordinary user needs for that.
    Enter,
    /// What do you see of yourself and of this process, in this hierarchy?
    Look(i32, String),
}

/// What a process sees in one hierarchy.
#[derive(Serialize, Deserialize, Default, Clone)]
struct View {
    namespace: Option<String>,
    /// Its own place, and that of the other process.
    own: Option<String>,
    other: Option<String>,
    /// Which directory is mounted.
    mounted: Option<String>,
}

/// The path of a process in one hierarchy.
fn place_of(who: Who, hierarchy: &str) -> Option<String> {
    let found = observe::cgroup_paths(who).into_iter();
    found
        .filter(|(names, _)| names.split(',').any(|name| name == hierarchy) || names == hierarchy)
        .map(|(_, path)| path)
        .next()
}

fn obey(order: Order) -> Result<View> {
    match order {
        Order::Enter => {
            namespace::unshare(clone(CLONE_NEWUSER | CLONE_NEWCGROUP))?;
            Ok(View::default())
        }
        Order::Look(other, hierarchy) => Ok(View {
            namespace: sides::own("cgroup"),
            own: place_of(Who::Myself, &hierarchy),
            other: place_of(Who::Pid(other), &hierarchy),
            mounted: observe::cgroup_root(&hierarchy),
        }),
    }
}

/// Who plays: the process that moves, and another that stays elsewhere in the hierarchy.
struct Cast {
    /// The hierarchy: a controller of v1, a name, or nothing for v2.
    hierarchy: String,
    inside: Actor<Order, View>,
    /// The other process: one of the walk's own, or pid 1.
    other: i32,
    /// The groups made for the walk, the one in which the other is, and the other.
    made: Option<(House, Room, Actor<(), ()>)>,
}

impl Cast {
    fn view(&self) -> Result<View> {
        self.inside.ask(Order::Look(self.other, self.hierarchy.clone()))
    }

    /// The place of the process inside, as this process sees it.
    fn seen_outside(&self) -> Option<String> {
        place_of(Who::Pid(self.inside.pid()), &self.hierarchy)
    }
}

/// In groups of their own. `None` for whoever may make none.
fn cast_in_a_house() -> Result<Option<Cast>> {
    if !capabilities::is_privileged() {
        return Ok(None);
    }
    // Root of a container may have no right to them either; the walk can do without.
    let Ok(house) = House::make(&["freezer"]) else { return Ok(None) };
    let (room, elsewhere) = (house.room("inside")?, house.room("elsewhere")?);
    let (_, version) = room.directory_of("freezer")?;
    let hierarchy = if version == Version::V1 { "freezer" } else { "" }.to_owned();
    let inside = house.helper(&room, obey)?;
    let neighbour = house.helper(&elsewhere, |()| Ok(()))?;
    let other = neighbour.pid();
    Ok(Some(Cast { hierarchy, inside, other, made: Some((house, elsewhere, neighbour)) }))
}

/// Where this process stands. `None` if that is at the top of every hierarchy that is mounted.
fn cast_where_we_stand() -> Result<Option<Cast>> {
    let mut places = observe::cgroup_paths(Who::Myself).into_iter();
    let below = places.find(|(names, path)| path != "/" && observe::cgroup_root(names).is_some());
    let Some((hierarchy, _)) = below else { return Ok(None) };
    let inside = Actor::start("inside", 0, obey)?;
    Ok(Some(Cast { hierarchy, inside, other: 1, made: None }))
}

fn show(stage: &Stage) -> Result<Ending> {
    let cast = match cast_in_a_house()? {
        Some(cast) => Some(cast),
        None => cast_where_we_stand()?,
    };
    let end = || Ending::default().next("minidocker run --rm base cat /proc/self/cgroup");
    let Some(cast) = cast else {
        stage.lacks(&text!(
            "this process is at the top of every cgroup hierarchy, and may make no group: both views would be `/`. Run \
             it as root.",
            "本进程在每个 Cgroup 层级里都位于顶端，又无权建立新的 Cgroup：两种看法都会是 `/`。请以 root 运行。"
        ));
        return Ok(end());
    };
    let Some((before, after, two_views)) = views(stage, &cast)? else {
        return Ok(end());
    };
    let relative = elsewhere(stage, &cast, &before, &after);
    let moved = carried(stage, &cast, &after)?;
    cast.inside.end()?;
    if let Some((house, _, neighbour)) = cast.made {
        neighbour.end()?;
        house.remove()?;
    }
    let mut ending = Ending::default().saw(
        two_views,
        text!(
            "Inside a new cgroup namespace the process sees itself at `/`; outside, it is where it was.",
            "在新的 cgroup Namespace 里，进程看到自己位于 `/`；从外面看，它还在原来的地方。"
        ),
    );
    if let Some(relative) = relative {
        ending = ending.saw(
            relative,
            text!(
                "What lies above or beside that place is shown from there, with `..`: hidden it is not.",
                "位于上方或旁边的东西，都从那个位置出发、用 `..` 表示：并没有隐藏。"
            ),
        );
    }
    if let Some(moved) = moved {
        ending = ending.saw(moved, text!(
            "Carried to another group, the process reads `/../elsewhere`: the root of its namespace stayed where it was.",
            "被移到别的 Cgroup 后，进程读到 `/../elsewhere`：它的 Namespace 的根还在原处。"
        ));
    }
    Ok(ending
        .next("unshare --user --cgroup cat /proc/self/cgroup")
        .next("minidocker run --rm base cat /proc/self/cgroup"))
}

/// unshare, inside: what was seen there before and after, and whether only the view has changed. `None` where the
/// system forbids it.
fn views(stage: &Stage, cast: &Cast) -> Result<Option<(View, View, bool)>> {
    stage.scene(&text!("One process, seen from two sides", "一个进程，从两边看"));
    stage.say(&text!(
        "The process `inside` is in a cgroup, and moves to a new cgroup namespace. That does not move it among the \
         cgroups, nor lift a limit: it changes where paths begin.",
        "进程 inside 在某个 Cgroup 里，然后搬进一个新的 cgroup Namespace。它在 Cgroup 里的位置不变，限额也不变：\
         变的是路径从哪里算起。"
    ));
    stage.command("unshare --user --cgroup cat /proc/self/cgroup");
    let (before, outside_before) = (cast.view()?, cast.seen_outside());
    match cast.inside.ask(Order::Enter) {
        Err(error) if [EPERM, EACCES, ENOSPC, EINVAL].iter().any(|errno| error.is(*errno)) => {
            let refused = sides::answer::<()>(&Err(error));
            stage.lacks(&text!(
                "this system forbids new user or cgroup namespaces ({refused}). Run it as root.",
                "这个系统不允许新的 user 或 cgroup Namespace（{refused}）。请以 root 运行。"
            ));
            return Ok(None);
        }
        answer => answer?,
    };
    let (after, outside_after) = (cast.view()?, cast.seen_outside());
    let row = |when: String, file: &str, path: &Option<String>| {
        vec![when.into(), file.into(), Entry::of(Ink::Fact, path.clone().unwrap_or_default())]
    };
    let (then, now) = (text!("before", "之前"), text!("after", "之后"));
    stage.table(
        &["", "", &text!("path of `inside`", "inside 的路径")],
        &[
            row(then.clone(), &text!("inside, /proc/self/cgroup", "里面，/proc/self/cgroup"), &before.own),
            row(then, &text!("outside, /proc/PID/cgroup", "外面，/proc/PID/cgroup"), &outside_before),
            row(now.clone(), &text!("inside, /proc/self/cgroup", "里面，/proc/self/cgroup"), &after.own),
            row(now, &text!("outside, /proc/PID/cgroup", "外面，/proc/PID/cgroup"), &outside_after),
        ],
    );
    stage.change("/proc/self/ns/cgroup", before.namespace.as_deref(), after.namespace.as_deref());
    let same = before.own == outside_before && outside_before == outside_after;
    let root = after.own.as_deref() == Some("/") && before.own.as_deref().is_some_and(|path| path != "/");
    let apart = before.namespace != after.namespace && sides::own("cgroup") == before.namespace;
    Ok(Some((before, after, same && root && apart)))
}

/// What is not below: whether its paths are now counted from where `inside` is. `None` where nothing was to be seen.
fn elsewhere(stage: &Stage, cast: &Cast, before: &View, after: &View) -> Option<bool> {
    stage.scene(&text!("What lies elsewhere", "别处的东西"));
    stage.say(&text!(
        "The mount of the hierarchy and other processes are where they were. `inside` sees both from its new root: one \
         `..` for each step up.",
        "层级的挂载点和别的进程都没动。inside 从自己新的根看它们：每往上一层，多一个 `..`。"
    ));
    stage.command("grep cgroup /proc/self/mountinfo | cut -d' ' -f4,5");
    let shown = |path: &Option<String>| path.clone().unwrap_or_default();
    let mount = text!("root of the mount", "挂载的根");
    let other = format!("/proc/{}/cgroup", if cast.made.is_some() { "$NEIGHBOUR" } else { "1" });
    let row = |what: String, when: String, path: &Option<String>| {
        vec![what.into(), when.into(), shown(path).into()]
    };
    let (then, now) = (text!("before", "之前"), text!("after", "之后"));
    let mut rows =
        vec![row(mount.clone(), then.clone(), &before.mounted), row(mount, now.clone(), &after.mounted)];
    // Pid 1 may be hidden, or be in the same group or in one below.
    let visible = after.other.as_deref().is_some_and(|path| path.starts_with("/.."));
    if visible {
        rows.extend([row(other.clone(), then, &before.other), row(other, now, &after.other)]);
    }
    stage.table(&["", "", &text!("seen by `inside`", "inside 看到的")], &rows);
    let own = before.own.as_deref().unwrap_or_default();
    let as_expected = |before: &Option<String>, after: &Option<String>| {
        before.as_deref().map(|path| relative(own, path)).as_ref() == after.as_ref()
    };
    let above = |path: &Option<String>| path.as_deref().is_some_and(|path| path.starts_with("/.."));
    let from_outside = place_of(Who::Pid(cast.other), &cast.hierarchy) == before.other;
    let right = as_expected(&before.mounted, &after.mounted) && as_expected(&before.other, &after.other);
    (above(&after.mounted) || visible).then_some(right && from_outside)
}

/// `path` as seen from the group `own`, as the kernel says it: one `..` for each step up to what both have in common.
fn relative(own: &str, path: &str) -> String {
    let parts = |path: &'_ str| {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (own, path) = (parts(own), parts(path));
    let common = own.iter().zip(&path).take_while(|(own, path)| own == path).count();
    let steps = vec!["..".to_owned(); own.len() - common];
    format!("/{}", [&steps, &path[common..]].concat().join("/"))
}

/// Carry the process inside to its neighbour's group: whether its view begins where it began. `None` without the right.
fn carried(stage: &Stage, cast: &Cast, before: &View) -> Result<Option<bool>> {
    stage.scene(&text!("Carried to another group", "被移到另一个 Cgroup"));
    let Some((_, elsewhere, _)) = &cast.made else {
        stage.lacks(&text!(
            "to move a process among cgroups needs the right to write to them. Run it as root.",
            "在 Cgroup 之间移动进程，需要对它们有写权限。请以 root 运行。"
        ));
        return Ok(None);
    };
    stage.say(&text!(
        "Root moves `inside` to the group of its neighbour. The namespace stays, and so does its root: the group in which it was made.",
        "root 把 inside 移到邻居的 Cgroup。Namespace 没变，它的根也没变：仍是创建时所在的那个 Cgroup。"
    ));
    let (directory, version) = elsewhere.directory_of("freezer")?;
    let members = if version == Version::V1 { "tasks" } else { "cgroup.procs" };
    stage.command(&format!("echo $INSIDE | sudo tee elsewhere/{members}"));
    file::write(&directory.join(members), &cast.inside.pid().to_string())?;
    let after = cast.view()?;
    stage.change("/proc/self/ns/cgroup", before.namespace.as_deref(), after.namespace.as_deref());
    stage.change("/proc/self/cgroup", before.own.as_deref(), after.own.as_deref());
    let outside = cast.seen_outside().unwrap_or_default();
    stage.fact("/proc/PID/cgroup", &outside);
    let there = Some(outside) == place_of(Who::Pid(cast.other), &cast.hierarchy);
    let view = after.own.as_deref() == Some("/../elsewhere") && after.own == after.other;
    Ok(Some(there && view && before.namespace == after.namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_counted_from_the_own_group() {
        assert_eq!(relative("/a/b", "/"), "/../..");
        assert_eq!(relative("/a/b", "/a/c/d"), "/../c/d");
        assert_eq!(relative("/a/b", "/a/b"), "/");
        assert_eq!(relative("/a/b", "/a/b/c"), "/c");
        assert_eq!(relative("/", "/a"), "/a");
    }
}
