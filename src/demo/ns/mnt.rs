//! mnt: what is mounted in one mount namespace, and who else hears of it; and how a host loses its /proc.
//! mount_namespaces(7).

use crate::demo::actor::Actor;
use crate::demo::{Place, Walk, host};
use crate::error::Result;
use crate::namespace;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Stage, text};
use crate::observe::{self, Subject, Who};
use crate::rootfs::virtualfs;
use crate::sys::flags::{
    CLONE_NEWNS, CLONE_NEWPID, MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_SHARED, MS_SLAVE, clone,
};
use crate::sys::namespace::unshare;
use crate::sys::{file, mount};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// `ns-demo mnt`.
pub const WALK: Walk = Walk {
    name: "mnt",
    title: Text { en: "Mounts, and how they travel", zh: "挂载，以及它如何传播" },
    place: Place::ThrowAway,
    show,
};

/// The three mount points, each named after its propagation.
const TYPES: [&str; 3] = ["private", "shared", "slave"];

/// What the process inside is asked.
#[derive(Serialize, Deserialize)]
enum Question {
    /// Move to a new mount namespace; there, make the slave a slave.
    Enter,
    /// Mount a file system here.
    Mount(PathBuf),
    /// What is mounted at these paths?
    Look(Vec<PathBuf>),
    /// Mount a /proc for your pid namespace: in a mount namespace of your own, made private or left as it came.
    MountProc { private: bool },
}

type Mounts = Vec<Option<String>>;

fn answer(question: Question) -> Result<Mounts> {
    match question {
        Question::Enter => {
            unshare(clone(CLONE_NEWNS))?;
            mount::change_propagation(&place("slave"), MS_SLAVE)?;
        }
        Question::Mount(path) => mount_small(&path)?,
        Question::Look(paths) => return Ok(look(&paths)),
        Question::MountProc { private: true } => {
            namespace::mount::enter()?;
            virtualfs::mount_proc()?;
        }
        Question::MountProc { private: false } => {
            unshare(clone(CLONE_NEWNS))?;
            virtualfs::mount_proc()?;
        }
    }
    Ok(Vec::new())
}

fn look(paths: &[PathBuf]) -> Mounts {
    paths.iter().map(|path| observe::read(&Subject::Mount(path.clone()))).collect()
}

fn place(name: &str) -> PathBuf {
    Path::new(host::SCRATCH).join(name)
}

fn mount_small(path: &Path) -> Result<()> {
    mount::mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, Some("mode=755,size=64k"))
}

fn show(stage: &Stage) -> Result<Ending> {
    let inside = Actor::start("inside", 0, answer)?;
    prepare(stage, &inside)?;
    let travelled = travel(stage, &inside)?;
    inside.end()?;
    let lost = accident(stage)?;
    let kept = right_way(stage)?;
    Ok(Ending::default()
        .saw(travelled, text!(
            "A mount travelled both ways through the shared one, only inwards to the slave, and not at all through the private one.",
            "挂载事件在 shared 下双向传播，在 slave 下只传进来，在 private 下完全不传。"
        ))
        .saw(lost, text!(
            "With a shared `/`, a /proc mounted in the new mount namespace became the host's: /proc/self was gone there.",
            "`/` 是 shared 时，在新的 Mount Namespace 里挂载的 /proc 也成了宿主机的：那里的 /proc/self 不见了。"
        ))
        .saw(kept, text!(
            "With MS_PRIVATE first, the host kept its own.",
            "先设为 MS_PRIVATE，宿主机的 /proc 就安然无恙。"
        ))
        .next("ns-demo mnt --explain")
        .next("minidocker run --rm --explain base true"))
}

/// Three mount points, and a copy of them in a new mount namespace.
fn prepare(stage: &Stage, inside: &Actor<Question, Mounts>) -> Result<()> {
    stage.scene(&text!("A copy of the mount table, with strings attached", "挂载表的副本，但还连着线"));
    stage.say(&text!(
        "unshare(CLONE_NEWNS) copies the table of mounts. The copy of a shared mount is its peer (same number after \
         `shared:`); a slave has a master; a private one has neither. The fields stand in mountinfo.",
        "unshare(CLONE_NEWNS) 复制挂载表。shared 挂载的副本与原件同属一个 peer group（`shared:` 后编号相同）；\
         slave 有 master；private 两者都没有。这些字段都在 mountinfo 里。"
    ));
    stage.command("sudo unshare --mount --propagation unchanged grep /tmp/ /proc/self/mountinfo");
    for (name, propagation) in TYPES.into_iter().zip([MS_PRIVATE, MS_SHARED, MS_SHARED]) {
        file::mkdir(&place(name), 0o755)?;
        mount_small(&place(name))?;
        mount::change_propagation(&place(name), propagation)?;
        for from in ["outside", "inside"] {
            file::mkdir(&place(name).join(from), 0o755)?;
        }
    }
    inside.ask(Question::Enter)?;
    let paths: Vec<PathBuf> = TYPES.into_iter().map(place).collect();
    let (here, there) = (look(&paths), inside.ask(Question::Look(paths.clone()))?);
    let rows: Vec<_> = (0..paths.len())
        .map(|index| {
            vec![paths[index].display().to_string().into(), fields(&here[index]), fields(&there[index])]
        })
        .collect();
    stage.table(&["", &text!("outside", "外面"), &text!("inside", "里面")], &rows);
    Ok(())
}

/// The optional fields of a mount, or `-`.
fn fields(mount: &Option<String>) -> crate::narrate::stage::Entry {
    let field = mount.as_deref().and_then(|mount| mount.rsplit_once(", ")).map_or("-", |(_, field)| field);
    field.into()
}

/// One mount made on each side, below each of the three: who sees it?
fn travel(stage: &Stage, inside: &Actor<Question, Mounts>) -> Result<bool> {
    stage.scene(&text!("One mount on each side", "两边各挂载一次"));
    stage.say(&text!(
        "Below each of the three a tmpfs is mounted, once by the process outside and once by the one inside.",
        "在三个挂载点下面，外面的进程和里面的进程各挂载一个 tmpfs。"
    ));
    stage.command("sudo mount -t tmpfs tmpfs /tmp/shared/outside");
    let below = |from: &str| TYPES.map(|name| place(name).join(from)).to_vec();
    for path in below("outside") {
        mount_small(&path)?;
    }
    for path in below("inside") {
        inside.ask(Question::Mount(path))?;
    }
    let inwards: Vec<bool> =
        inside.ask(Question::Look(below("outside")))?.iter().map(Option::is_some).collect();
    let outwards: Vec<bool> = look(&below("inside")).iter().map(Option::is_some).collect();
    let word = |seen: bool| {
        if seen { text!("✓ seen", "✓ 看得到") } else { text!("- not seen", "- 看不到") }
    };
    let rows: Vec<_> = (0..TYPES.len())
        .map(|index| vec![TYPES[index].into(), word(inwards[index]).into(), word(outwards[index]).into()])
        .collect();
    let heads = [
        text!("mounted outside: inside?", "外面挂载，里面可见？"),
        text!("mounted inside: outside?", "里面挂载，外面可见？"),
    ];
    stage.table(&["", &heads[0], &heads[1]], &rows);
    Ok(inwards == [false, true, true] && outwards == [false, true, false])
}

/// Whether `/proc/self` leads anywhere for this process: it does only in a /proc of its own pid namespace.
fn has_self() -> bool {
    observe::host_pid().is_some()
}

/// What the mounted /proc says: whether this process is in it, and which pid namespace its process 1 is in.
fn proc() -> (bool, Option<String>) {
    (has_self(), observe::read(&Subject::Namespace(Who::Pid(1), "pid")))
}

fn accident(stage: &Stage) -> Result<bool> {
    stage.scene(&text!("The accident: `/` is shared", "事故：`/` 是 shared"));
    stage.say(&text!(
        "systemd makes `/` shared, and so is the throw-away host's now. A process in new mount and pid namespaces mounts \
         its own /proc, as every container does, and forgets to cut the strings first.",
        "systemd 会把 `/` 设为 shared；现在用完即弃的主机也如此。一个进程进入新的 Mount 和 pid Namespace，\
         像每个容器那样挂载自己的 /proc，却忘了先把线剪断。"
    ));
    stage.command("sudo unshare --mount sh -c 'mount --make-rshared /; unshare --mount --propagation unchanged --pid --fork mount -t proc proc /proc; ls -l /proc/self'");
    mount::change_propagation(Path::new("/"), MS_SHARED)?;
    let before = proc();
    let careless = Actor::start("careless", CLONE_NEWPID, answer)?;
    careless.ask(Question::MountProc { private: false })?;
    let after = proc();
    outcome(stage, &before, &after);
    stage.say(&text!(
        "Now the host's /proc lists the container's processes and none of the host's: `ps` and all else that reads it fails. \
         Whoever knows why can take the mount away again: umount /proc.",
        "现在宿主机的 /proc 列出的是容器的进程，宿主机自己的一个也没有：`ps` 等一切读它的程序都失灵了。\
         知道原因的人可以把这个挂载撤掉：umount /proc。"
    ));
    mount::detach(Path::new("/proc"))?;
    careless.end()?;
    let repaired = has_self();
    mount::change_propagation(Path::new("/"), MS_PRIVATE)?;
    Ok(before.0 && !after.0 && after.1.is_some() && after.1 != before.1 && repaired)
}

fn right_way(stage: &Stage) -> Result<bool> {
    stage.scene(&text!("The right way: cut the strings first", "正确的做法：先剪断"));
    stage.say(&text!(
        "The same once more, but between unshare(2) and the first mount stands MS_REC|MS_PRIVATE. unshare(1) does that \
         by itself; whoever makes the calls must do it.",
        "再来一次，但在 unshare(2) 和第一次挂载之间加上 MS_REC|MS_PRIVATE。unshare(1) 会自动这样做；\
         自己调用系统调用的人必须记得。"
    ));
    stage.command(
        "sudo unshare --mount --pid --fork sh -c 'mount --make-rprivate / && mount -t proc proc /proc'",
    );
    mount::change_propagation(Path::new("/"), MS_SHARED)?;
    let before = proc();
    let careful = Actor::start("careful", CLONE_NEWPID, answer)?;
    careful.ask(Question::MountProc { private: true })?;
    let after = proc();
    outcome(stage, &before, &after);
    careful.end()?;
    mount::change_propagation(Path::new("/"), MS_PRIVATE)?;
    Ok(before.0 && after == before)
}

/// What became of the host's /proc.
fn outcome(stage: &Stage, before: &(bool, Option<String>), after: &(bool, Option<String>)) {
    let word = |leads: bool| if leads { text!("this process", "本进程") } else { text!("nothing", "无") };
    stage.change(
        &text!("outside, /proc/self is", "外面的 /proc/self 指向"),
        Some(&word(before.0)),
        Some(&word(after.0)),
    );
    stage.change("/proc/1/ns/pid", before.1.as_deref(), after.1.as_deref());
}
