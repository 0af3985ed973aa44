//! What the kernel must say of the parts of lab `uts`.

use crate::error::Result;
use crate::lab::bench::Bench;
use crate::lab::lesson::{Act, Check, Lesson, Mistake, Part};
use crate::lab::need::Need;
use crate::lab::verdict::{Diagnosis, Outcome, Said, ensure};
use crate::lab::witness;
use crate::narrate::words::Text;
use crate::said;
use crate::sys::{file, ipc};
use serde_json::{Value, json};
use std::path::Path;

/// The lesson.
pub const LESSON: Lesson = Lesson {
    name: "uts",
    title: Text {
        en: "a host name and queues of one's own: clone, unshare, setns",
        zh: "自己的主机名和消息队列：clone、unshare、setns",
    },
    parts: &[
        Part { function: "enter", field: "uts", ours: &[("src/namespace/uts.rs", "enter")] },
        Part { function: "ipc", field: "ipc", ours: &[("src/namespace/ipc.rs", "enter")] },
        Part { function: "join", field: "enter", ours: &[("src/namespace/join.rs", "enter")] },
    ],
    needs: &[Need::UserNamespaces],
    checks: &[
        Check {
            name: "own-uts-namespace",
            title: Text {
                en: "the command is in a UTS namespace of its own",
                zh: "命令在自己的 UTS namespace 里",
            },
            points: 2,
            about: &["enter"],
            needs: &[],
            look: "readlink /proc/self/ns/uts; minidocker run --rm lab ls -l /proc/self/ns/uts",
            run: own_uts_namespace,
        },
        Check {
            name: "named-inside",
            title: Text {
                en: "inside, the host name is the one asked for",
                zh: "容器里的主机名就是要的那个",
            },
            points: 1,
            about: &["enter"],
            needs: &[],
            look: "minidocker run --rm --hostname moon lab cat /proc/sys/kernel/hostname",
            run: named_inside,
        },
        Check {
            name: "host-keeps-its-name",
            title: Text { en: "the host keeps its name", zh: "主机的名字不变" },
            points: 2,
            about: &["enter"],
            needs: &[],
            look: "uname -n; minidocker run --rm --hostname moon lab ls /; uname -n",
            run: host_keeps_its_name,
        },
        Check {
            name: "own-queues",
            title: Text {
                en: "a queue made on the host is not seen inside, nor one made inside on the host",
                zh: "主机上建的消息队列容器里看不到，反过来也一样",
            },
            points: 2,
            about: &["ipc"],
            needs: &[],
            look: "ipcmk -Q; minidocker run --rm lab cat /proc/sysvipc/msg",
            run: own_queues,
        },
        Check {
            name: "exec-joins",
            title: Text {
                en: "`exec` brings a process into the same namespaces",
                zh: "`exec` 把进程带进同样的 namespace",
            },
            points: 3,
            about: &["join"],
            needs: &[],
            look: "minidocker run -d --name moon lab sh -c 'cat /dev/zero >/dev/null'; minidocker exec moon ls -l /proc/self/ns",
            run: exec_joins,
        },
    ],
    mistakes: &[
        Mistake {
            name: "name-before-unshare",
            why: Text {
                en: "sethostname came before unshare: it named the namespace that the process was in then, the host's. \
                     The new one is a copy made afterwards, so the name looks right inside too.",
                zh: "sethostname 先于 unshare：它改的是当时所在的 namespace，也就是主机的。新的 namespace 是之后才复制出来的，所以里面看起来也是对的。",
            },
        },
        Mistake {
            name: "no-unshare",
            why: Text {
                en: "nothing was unshared: the name was given to the host's own UTS namespace.",
                zh: "没有 unshare：改的就是主机自己的 UTS namespace。",
            },
        },
        Mistake {
            name: "not-named",
            why: Text {
                en: "the new UTS namespace is a copy, name and all, and nobody has named it.",
                zh: "新的 UTS namespace 是复制来的，连名字一起；之后没有人给它改名。",
            },
        },
        Mistake {
            name: "queues-shared",
            why: Text {
                en: "System V queues belong to the IPC namespace, and this process is still in the host's: CLONE_NEWIPC is missing.",
                zh: "System V 消息队列属于 IPC namespace，而这个进程还在主机的里面：少了 CLONE_NEWIPC。",
            },
        },
        Mistake {
            name: "joined-nothing",
            why: Text {
                en: "a new process was started, but setns(2) did not move it through every door: it is where `minidocker exec` is, and sees another root.",
                zh: "新进程启动了，但没有用 setns(2) 走过每一扇门：它还在 `minidocker exec` 所在的地方，看到的是另一个根。",
            },
        },
        Mistake {
            name: "unshared-not-joined",
            why: Text {
                en: "unshare(2) makes new namespaces. To be in those that are there already takes setns(2), with the open file that stands for each.",
                zh: "unshare(2) 造的是新的 namespace。要进入已有的，得用 setns(2)，参数是代表它的那个打开的文件。",
            },
        },
    ],
    hints: &[
        Text {
            en: "Two calls for the name, in an order that matters: which namespace does sethostname(2) write to?",
            zh: "改名要两个调用，先后有讲究：sethostname(2) 写的是哪个 namespace？",
        },
        Text {
            en: "unshare(clone(CLONE_NEWUTS))? moves this process into a copy of the UTS namespace; only then name it.",
            zh: "unshare(clone(CLONE_NEWUTS))? 把进程搬进 UTS namespace 的一份拷贝；之后再改名。",
        },
        Text {
            en: "For `join`: for each door, setns(door.descriptor, door.path, door.kind)?, in the order in which they come.",
            zh: "`join`：按顺序对每扇门调用 setns(door.descriptor, door.path, door.kind)?。",
        },
    ],
    acts: &[
        Act { name: "make-queue", act: make_queue },
        Act { name: "sees-queue", act: sees_queue },
        Act { name: "hostname", act: hostname },
    ],
    page: "namespaces/uts",
};

fn own_uts_namespace(bench: &Bench) -> Outcome {
    let name = bench.nonce();
    let subject = bench.run(&["--hostname", &name])?;
    let (host, inside) = (witness::namespace(1, "uts")?, witness::namespace(subject.probe.pid(), "uts")?);
    ensure(
        host != inside,
        said!("uts:[{inside}] inside and on the host", "容器内外都是 uts:[{inside}]"),
        said!(
            "another uts namespace inside than the host's uts:[{host}]",
            "容器里的 uts namespace 不同于主机的 uts:[{host}]"
        ),
    )
    .known_as("no-unshare")
}

fn named_inside(bench: &Bench) -> Outcome {
    let name = bench.nonce();
    let subject = bench.run(&["--hostname", &name])?;
    let found: String = subject.probe.ask("hostname", Value::Null)??;
    ensure(
        found == name,
        said!("uname -n says {found:?} inside", "容器里 uname -n 显示 {found:?}"),
        Said::plain(format!("{name:?}")),
    )
    .known_as("not-named")
}

fn host_keeps_its_name(bench: &Bench) -> Outcome {
    let before = witness::hostname_of(1)?;
    let name = bench.nonce();
    let subject = bench.run(&["--hostname", &name])?;
    let after = witness::hostname_of(1)?;
    let separate = witness::namespace(1, "uts")? != witness::namespace(subject.probe.pid(), "uts")?;
    ensure(
        before == after,
        said!(
            "the host's name was {before:?} before, and is {after:?} now",
            "主机名之前是 {before:?}，现在是 {after:?}"
        ),
        said!("{before:?}, before and after", "前后都是 {before:?}"),
    )
    .known_as(if separate { "name-before-unshare" } else { "no-unshare" })
}

fn own_queues(bench: &Bench) -> Outcome {
    let key = key_of(&bench.nonce());
    let ours = ipc::msgget(key, true)?;
    let subject = bench.run(&["--hostname", &bench.nonce()])?;
    let seen: bool = subject.probe.ask("sees-queue", json!(key))??;
    let theirs = key ^ 1;
    let _: Value = subject.probe.ask("make-queue", json!(theirs))??;
    let leaked = exists(theirs)?;
    ensure(
        !seen && !leaked,
        if seen {
            said!(
                "the host's queue {ours} (key {key:#x}) is seen inside",
                "主机的队列 {ours}（键 {key:#x}）在容器里看得到"
            )
        } else {
            said!(
                "the container's queue (key {theirs:#x}) is seen on the host",
                "容器的队列（键 {theirs:#x}）在主机上看得到"
            )
        },
        said!("neither is seen on the other side", "彼此都看不到"),
    )
    .known_as("queues-shared")
}

fn exec_joins(bench: &Bench) -> Outcome {
    let first = bench.run(&["--hostname", &bench.nonce()])?;
    let second = bench.exec(&[]).known_as("joined-nothing")?;
    for kind in ["uts", "ipc", "net", "mnt", "cgroup"] {
        let [one, other] = [&first, &second].map(|subject| witness::namespace(subject.probe.pid(), kind));
        let (one, other) = (one?, other?);
        ensure(
            one == other,
            said!("the command of exec is in {kind}:[{other}]", "exec 的命令在 {kind}:[{other}]"),
            said!("in {kind}:[{one}], where the container is", "在容器所在的 {kind}:[{one}]"),
        )
        .known_as("unshared-not-joined")?;
    }
    Ok(())
}

/// A key that nobody else on this host uses: an even number made of the nonce.
fn key_of(nonce: &str) -> i32 {
    let digits = nonce.rsplit('-').next().and_then(|digits| u64::from_str_radix(digits, 16).ok());
    (digits.unwrap_or(0x1ab) as i32 & 0x7fff_fffe) | 2
}

/// Inside: the host name that the kernel tells.
fn hostname(_: Value) -> Result<Value> {
    let name = file::read_text(Path::new("/proc/sys/kernel/hostname"))?;
    Ok(json!(name.trim()))
}

/// Inside: make a System V queue with this key.
fn make_queue(key: Value) -> Result<Value> {
    ipc::msgget(key.as_i64().unwrap_or_default() as i32, true).map(|id| json!(id))
}

/// Inside: whether there is a queue with this key.
fn sees_queue(key: Value) -> Result<Value> {
    exists(key.as_i64().unwrap_or_default() as i32).map(|seen| json!(seen))
}

/// Whether there is a System V queue with this key where this process is.
fn exists(key: i32) -> Result<bool> {
    Ok(file::if_there(ipc::msgget(key, false))?.is_some())
}
