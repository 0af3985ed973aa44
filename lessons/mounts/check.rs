//! What the kernel must say of the parts of lesson `mounts`.
//!
//! The student's program starts in a mount namespace of its own, a copy of the grader's: *the host* below. A part that forgets
//! to leave it pulls the root from under that program's feet, and not from under the grader's.

use crate::error::Result;
use crate::lab::bench::{Bench, Subject};
use crate::lab::lesson::{Act, Check, Lesson, Part};
use crate::lab::need::Need;
use crate::lab::verdict::{Diagnosis, Outcome, Said, ensure};
use crate::lab::witness;
use crate::narrate::words::Text;
use crate::rootfs::devices::NODES;
use crate::said;
use crate::sys::chroot::chroot;
use crate::sys::file::{self, Kind, Status};
use crate::sys::flags::{MS_PRIVATE, MS_SHARED};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[path = "host.rs"]
mod host;
#[path = "words.rs"]
mod words;

use host::{field, run, short};

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "mounts",
    title: Text {
        en: "mounts that stay inside, and a root nobody leaves: propagation, pivot_root, /dev",
        zh: "不外传的挂载，走不出去的根：传播、pivot_root、/dev",
    },
    parts: &[
        Part { function: "enter", field: "mount", ours: &[("src/namespace/mount.rs", "enter")] },
        Part { function: "exchange", field: "root", ours: &[("src/rootfs/pivot.rs", "enter")] },
        Part { function: "leave", field: "leave", ours: &[("src/rootfs/pivot.rs", "detach_old")] },
        Part { function: "devices", field: "devices", ours: &[("src/rootfs/devices.rs", "mount_dev")] },
    ],
    needs: &[Need::UserNamespaces],
    checks: &[
        Check {
            name: "own-table",
            title: Text {
                en: "the container has a table of mounts of its own", zh: "容器有自己的挂载表"
            },
            points: 1,
            about: &["enter"],
            needs: &[],
            look: "readlink /proc/self/ns/mnt; minidocker run --rm lab ls -l /proc/self/ns/mnt",
            run: own_table,
        },
        Check {
            name: "nothing-travels-out",
            title: Text {
                en: "where / is shared, as systemd makes it, the host's table of mounts stays as it was",
                zh: "即使 / 是 shared（systemd 就是这样设的），主机的挂载表也不变",
            },
            points: 2,
            about: &["enter"],
            needs: &[],
            look: "grep -c . /proc/self/mountinfo; minidocker run --rm lab ls /; grep -c . /proc/self/mountinfo",
            run: nothing_travels_out,
        },
        Check {
            name: "nothing-travels-in",
            title: Text {
                en: "what the host mounts later is not seen inside",
                zh: "主机后来挂载的东西在容器里看不到",
            },
            points: 1,
            about: &["enter"],
            needs: &[],
            look: "minidocker run --rm lab cat /proc/self/mountinfo | grep -E 'shared:|master:'",
            run: nothing_travels_in,
        },
        Check {
            name: "no-way-back",
            title: Text {
                en: "the classic escape (mkdir, chroot, chdir .., chroot .) does not reach the host's root",
                zh: "经典的逃逸（mkdir、chroot、chdir ..、chroot .）到不了主机的根",
            },
            points: 2,
            about: &["exchange", "leave"],
            needs: &[],
            look: "cargo run -q --bin ns-demo -- break-it chroot",
            run: no_way_back,
        },
        Check {
            name: "old-root-is-gone",
            title: Text {
                en: "the container's root is the top of its mount namespace, and nothing of the host's root is mounted there",
                zh: "容器的根就是其 Mount Namespace 的顶端，主机的根没有挂在里面的任何地方",
            },
            points: 1,
            about: &["exchange", "leave"],
            needs: &[],
            look: "minidocker run --rm lab cat /proc/self/mountinfo",
            run: old_root_is_gone,
        },
        Check {
            name: "devices",
            title: Text {
                en: "/dev/null, /dev/zero and the others are the devices that their names promise",
                zh: "/dev/null、/dev/zero 等就是名字所说的那些设备",
            },
            points: 1,
            about: &["devices"],
            needs: &[],
            look: "minidocker run --rm lab ls -l /dev",
            run: devices,
        },
        Check {
            name: "dev-holds-no-more",
            title: Text {
                en: "/dev is a file system of its own, and holds what it should and no more",
                zh: "/dev 是单独的文件系统，该有的都有，多的没有",
            },
            points: 1,
            about: &["devices"],
            needs: &[],
            look: "minidocker run --rm lab ls /dev",
            run: dev_holds_no_more,
        },
        Check {
            name: "terminals-and-memory",
            title: Text {
                en: "/dev/pts has terminals of its own, and /dev/shm holds so many bytes as --shm-size says",
                zh: "/dev/pts 里是自己的终端；/dev/shm 的大小由 --shm-size 决定",
            },
            points: 1,
            about: &["devices"],
            needs: &[],
            look: "minidocker run --rm --shm-size 3m lab cat /proc/self/mountinfo | grep /dev/",
            run: terminals_and_memory,
        },
    ],
    mistakes: words::MISTAKES,
    hints: words::HINTS,
    acts: &[Act { name: "escape", act: escape }],
    page: "namespaces/mount",
};

fn own_table(bench: &Bench) -> Outcome {
    let (_subject, host) = run(bench, MS_PRIVATE, &[])?;
    host.unchanged()
}

fn nothing_travels_out(bench: &Bench) -> Outcome {
    let (_subject, host) = run(bench, MS_SHARED, &[])?;
    host.unchanged()
}

fn nothing_travels_in(bench: &Bench) -> Outcome {
    let shared = PathBuf::from("/tmp/lab").join(bench.another_nonce("volume"));
    let later = shared.join("later");
    file::mkdir_all(&later, 0o755)?;
    let (subject, host) = run(bench, MS_SHARED, &["-v", &format!("{}:/volume", shared.display())])?;
    let before = witness::mounts(subject.probe.pid())?;
    host.mount(&later)?;
    let after = witness::mounts(subject.probe.pid())?;
    let came = after.iter().find(|line| !before.contains(line)).map(|line| short(line)).unwrap_or_default();
    ensure(
        came.is_empty(),
        said!(
            "the host mounted something, and inside appeared: {came}",
            "主机挂载了一样东西，容器里随之出现：{came}"
        ),
        said!("the same table of mounts inside", "容器里的挂载表不变"),
    )
    .known_as("slave")
}

fn no_way_back(bench: &Bench) -> Outcome {
    let (subject, _host) = run(bench, MS_PRIVATE, &[])?;
    let mistake = how_the_root_was_left(&subject)?;
    let host = file::status(Path::new("/"))?.identity;
    let reached: (u64, u64) = subject.probe.ask("escape", json!(bench.nonce()))??;
    let place = named(reached);
    ensure(
        reached != host,
        said!("after the escape its / is {place}: the host's root", "逃逸之后它的 / 是 {place}：主机的根"),
        said!("nothing above the container's own root", "容器自己的根之上什么也没有"),
    )
    .known_as(mistake)
}

fn old_root_is_gone(bench: &Bench) -> Outcome {
    let (subject, _host) = run(bench, MS_PRIVATE, &[])?;
    let mistake = how_the_root_was_left(&subject)?;
    let pid = subject.probe.pid();
    let own = root_of(&subject)?.identity;
    let top = witness::in_namespace(pid, "mnt", || Ok(file::status(Path::new("/"))?.identity))?;
    let (seen, want) = (named(top), named(own));
    ensure(
        top == own,
        said!("the top of its mount namespace is {seen}", "它的 Mount Namespace 的顶端是 {seen}"),
        said!("{want}, which is its root", "{want}，也就是它的根"),
    )
    .known_as(mistake)?;
    let old = the_old_root(pid)?;
    let line = old.as_deref().map(short).unwrap_or_default();
    ensure(
        old.is_none(),
        said!("its mountinfo has the host's root: {line}", "它的 mountinfo 里有主机的根：{line}"),
        said!("no such line", "没有这一行"),
    )
    .known_as(mistake)
}

/// Which mistake it would be if the host's root can be reached: that is still to be seen, or it was never left.
fn how_the_root_was_left(subject: &Subject) -> Outcome<&'static str> {
    Ok(if the_old_root(subject.probe.pid())?.is_some() { "never-unmounted" } else { "chroot" })
}

/// The line in the mountinfo of process `pid` that shows what is the grader's root: the same directory of the same device.
fn the_old_root(pid: i32) -> Outcome<Option<String>> {
    let what = |line: &str| (field(line, 2).to_owned(), field(line, 3).to_owned());
    let root = witness::mounts(1)?.iter().find(|line| field(line, 4) == "/").map(|line| what(line));
    Ok(witness::mounts(pid)?.into_iter().find(|line| Some(what(line)) == root))
}

fn devices(bench: &Bench) -> Outcome {
    let (subject, _host) = run(bench, MS_PRIVATE, &[])?;
    for (name, major, minor) in NODES {
        let want =
            said!("/dev/{name}: character device {major}:{minor}", "/dev/{name}：字符设备 {major}:{minor}");
        let found = look(&subject, &format!("dev/{name}"))?;
        let saw = match &found {
            None => said!("no /dev/{name}", "没有 /dev/{name}"),
            Some(Status { kind: Kind::Character, device: (major, minor), .. }) => {
                said!(
                    "/dev/{name}: character device {major}:{minor}",
                    "/dev/{name}：字符设备 {major}:{minor}"
                )
            }
            Some(_) => said!("/dev/{name} is no device", "/dev/{name} 不是设备"),
        };
        let is_it =
            found.is_some_and(|found| found.kind == Kind::Character && found.device == (major, minor));
        let is_a_file = matches!(found, Some(Status { kind: Kind::File, .. }));
        ensure(is_it, saw, want).known_as(if is_a_file { "files-for-devices" } else { "null-for-all" })?;
    }
    Ok(())
}

/// What /dev may hold: the nodes, the links, and three directories.
const BESIDES_THE_NODES: [&str; 8] = ["fd", "stdin", "stdout", "stderr", "ptmx", "pts", "shm", "mqueue"];

fn dev_holds_no_more(bench: &Bench) -> Outcome {
    let (subject, _host) = run(bench, MS_PRIVATE, &[])?;
    let pid = subject.probe.pid();
    let place = witness::mounts(pid)?.into_iter().rfind(|line| field(line, 4) == "/dev");
    let line = place.as_deref().map(short);
    ensure(
        place.is_some_and(|line| {
            line.contains(" - tmpfs ") && field(&line, 5).split(',').any(|option| option == "nosuid")
        }),
        line.map_or(said!("nothing is mounted on /dev", "/dev 上没有挂载"), Said::plain),
        said!("a tmpfs of its own on /dev, with nosuid", "/dev 上有单独的 tmpfs，带 nosuid"),
    )
    .known_as("in-the-layer")?;
    let mut want: Vec<&str> = NODES.iter().map(|(name, ..)| *name).chain(BESIDES_THE_NODES).collect();
    want.sort_unstable();
    let listed = file::list(Path::new(&format!("/proc/{pid}/root/dev")))?;
    let mut found: Vec<String> =
        listed.into_iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    found.sort_unstable();
    ensure(found == want, Said::plain(format!("ls /dev: {}", found.join(" "))), Said::plain(want.join(" ")))
        .known_as("covered")
}

fn terminals_and_memory(bench: &Bench) -> Outcome {
    const SIZE: u64 = 3 << 20;
    let (subject, _host) = run(bench, MS_PRIVATE, &["--shm-size", &SIZE.to_string()])?;
    let table = witness::mounts(subject.probe.pid())?;
    for (place, fstype) in [("/dev/pts", "devpts"), ("/dev/shm", "tmpfs")] {
        let line = table.iter().rfind(|line| field(line, 4) == place);
        let visible = look(&subject, place.trim_start_matches('/'))?.is_some();
        ensure(
            visible && line.is_some_and(|line| line.contains(&format!(" - {fstype} "))),
            line.map_or(said!("nothing is mounted on {place}", "{place} 上没有挂载"), |line| {
                let line = short(line);
                said!("not to be seen at {place}: {line}", "在 {place} 看不到：{line}")
            }),
            said!("a {fstype} at {place}", "{place} 上有 {fstype}"),
        )
        .known_as("covered")?;
    }
    let mode = look(&subject, "dev/pts/ptmx")?.map(|status| status.mode & 0o777);
    let shown = mode.map_or_else(|| "-".to_owned(), |mode| format!("{mode:o}"));
    ensure(
        mode == Some(0o666),
        said!("/dev/pts/ptmx has mode {shown}", "/dev/pts/ptmx 的权限是 {shown}"),
        said!("mode 666: anybody may ask for a terminal", "666：谁都可以要一个终端"),
    )
    .known_as("ptmx-closed")?;
    let line =
        table.iter().rfind(|line| field(line, 4) == "/dev/shm").map(String::as_str).unwrap_or_default();
    let want = format!("size={}k", SIZE >> 10);
    ensure(
        line.rsplit(' ').next().is_some_and(|options| options.split(',').any(|option| option == want)),
        Said::plain(short(line)),
        Said::plain(want.clone()),
    )
    .known_as("without-measure")
}

/// What stands at `path` in the container, without following it.
fn look(subject: &Subject, path: &str) -> Outcome<Option<Status>> {
    let path = PathBuf::from(format!("/proc/{}/root", subject.probe.pid())).join(path);
    Ok(file::if_there(file::link_status(&path))?)
}

fn root_of(subject: &Subject) -> Outcome<Status> {
    Ok(file::status(Path::new(&format!("/proc/{}/root", subject.probe.pid())))?)
}

/// A directory, as `stat` names it.
fn named((device, inode): (u64, u64)) -> String {
    format!("device {device:#x} inode {inode}")
}

/// Inside: out of a chroot, as everybody knows. Returns which directory `/` is then.
///
/// The second chroot leaves the working directory where it is, outside of the new root: there `..` never meets a root, and
/// leads as high as there is anything mounted.
fn escape(nonce: Value) -> Result<Value> {
    const UP: usize = 16;
    let inner = PathBuf::from("/").join(nonce.as_str().unwrap_or("inner"));
    file::chdir(Path::new("/"))?;
    file::mkdir(&inner, 0o755)?;
    chroot(&inner)?;
    for _ in 0..UP {
        file::chdir(Path::new(".."))?;
    }
    chroot(Path::new("."))?;
    Ok(json!(file::status(Path::new("/"))?.identity))
}
