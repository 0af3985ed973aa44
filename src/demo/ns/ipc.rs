//! ipc: message queues, the System V kind and the POSIX kind, each visible on one side only. ipc_namespaces(7).

use super::sides;
use crate::demo::actor::Actor;
use crate::demo::{Place, Walk, host};
use crate::error::Result;
use crate::namespace;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, stage::Entry, text};
use crate::observe;
use crate::sys::errno::{ENOENT, ENOSYS};
use crate::sys::flags::{MS_NODEV, MS_NOEXEC, MS_NOSUID};
use crate::sys::{file, ipc, mount};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// `ns-demo ipc`.
pub const WALK: Walk = Walk {
    name: "ipc",
    title: Text { en: "Message queues of its own", zh: "自己的消息队列" },
    place: Place::ThrowAway,
    show,
};

/// The key of the System V queue: `md` and a number, as good as any.
const KEY: i32 = 0x6d64_0001;
/// The name of the POSIX queue.
const NAME: &str = "/minidocker";

/// What a process is told to do.
#[derive(Serialize, Deserialize)]
enum Order {
    /// Move to a new IPC namespace.
    Enter,
    /// Make a queue of each kind, with a message in the System V one.
    Make(String),
    /// Mount the file system `mqueue` here.
    Mount(PathBuf),
    /// Take the next message out of the System V queue.
    Receive,
    /// Say what is there, and in what is mounted here.
    Look(PathBuf),
}

/// What a process finds.
#[derive(Serialize, Deserialize, Default)]
struct View {
    namespace: Option<String>,
    /// What msgget(2) and mq_open(3) answer, without IPC_CREAT and O_CREAT.
    answers: [String; 2],
    /// Whether both were found; whether both were not there.
    found: bool,
    missing: bool,
    /// What the kernel's own lists hold.
    keys: Vec<i32>,
    names: Vec<String>,
    /// The message received.
    message: Option<String>,
}

fn look(mqueue: &Path) -> View {
    let (system_v, posix) = (ipc::msgget(KEY, false), ipc::mq_open(NAME, false));
    let gone = |error: Option<&crate::error::Error>| error.is_some_and(|error| error.is(ENOENT));
    View {
        namespace: sides::own("ipc"),
        answers: [sides::answer(&system_v), sides::answer(&posix)],
        found: system_v.is_ok() && posix.is_ok(),
        missing: gone(system_v.as_ref().err()) && gone(posix.as_ref().err()),
        keys: observe::system_v_keys().unwrap_or_default(),
        names: observe::posix_names(mqueue).unwrap_or_default(),
        message: None,
    }
}

fn obey(order: Order) -> Result<View> {
    match order {
        Order::Enter => namespace::ipc::enter()?,
        Order::Make(message) => {
            ipc::msgsnd(ipc::msgget(KEY, true)?, &message)?;
            ipc::mq_open(NAME, true)?;
        }
        Order::Mount(place) => {
            file::mkdir_all(&place, 0o755)?;
            mount::mount("mqueue", &place, "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, None)?;
        }
        Order::Receive => {
            let message = Some(ipc::msgrcv(ipc::msgget(KEY, false)?)?);
            return Ok(View { message, ..View::default() });
        }
        Order::Look(mqueue) => return Ok(look(&mqueue)),
    }
    Ok(View::default())
}

fn place(side: &str) -> PathBuf {
    Path::new(host::SCRATCH).join(format!("mqueue-{side}"))
}

fn show(stage: &Stage) -> Result<Ending> {
    // A queue outlives its maker, so this walk moves to a namespace that does not outlive the walk.
    namespace::ipc::enter()?;
    if ipc::mq_open(NAME, true).is_err_and(|error| error.is(ENOSYS)) {
        stage.lacks(&text!(
            "this kernel has no POSIX message queues: it was built without CONFIG_POSIX_MQUEUE.",
            "这个内核没有 POSIX 消息队列：编译时没有打开 CONFIG_POSIX_MQUEUE。"
        ));
        return Ok(Ending::default().next("ns-demo list"));
    }
    let inside = Actor::start("inside", 0, obey)?;
    let ask = |order| inside.ask(order);
    let shared = shared(stage, &inside)?;

    stage.scene(&text!("unshare, inside: nothing is there", "在 inside 中 unshare：什么也没有了"));
    stage.say(&text!(
        "The new namespace is empty. The same key and the same name find nothing; a second `mqueue`, mounted in there, \
         is empty as well.",
        "新的 Namespace 是空的。同样的键、同样的名字都找不到东西；在里面再挂载一个 `mqueue`，也是空的。"
    ));
    stage.command("sudo unshare --ipc ipcs -q");
    ask(Order::Enter)?;
    ask(Order::Mount(place("inside")))?;
    let (out, new) = (look(&place("outside")), ask(Order::Look(place("inside")))?);
    table(stage, &out, &new);
    let hidden = out.found && new.missing && lists(&out) == (1, 1) && lists(&new) == (0, 0);

    let kept = own_message(stage, &inside)?;
    let by_mount = by_mount(stage, &inside)?;
    inside.end()?;
    Ok(Ending::default()
        .saw(shared && hidden && out.namespace != new.namespace, text!(
            "Both queues were found from both sides, and after unshare(CLONE_NEWIPC) from outside only.",
            "两个队列本来两边都能找到；unshare(CLONE_NEWIPC) 之后，只有外面能找到。"
        ))
        .saw(kept, text!(
            "Queues with the same key and name exist on both sides now. They are different queues: each side got its own message.",
            "现在两边各有键和名字都相同的队列。它们是不同的队列：每边收到的是自己的消息。"
        ))
        .saw(by_mount, text!(
            "A mounted `mqueue` shows the queues of the namespace in which it was mounted, whoever looks.",
            "挂载的 `mqueue` 显示的是挂载时所在 Namespace 的队列，不管谁来看。"
        ))
        .next("ns-demo ipc --explain")
        .next("minidocker run --rm base cat /proc/sysvipc/msg"))
}

/// How many queues the kernel lists, of each kind.
fn lists(view: &View) -> (usize, usize) {
    (
        view.keys.iter().filter(|key| **key == KEY).count(),
        view.names.iter().filter(|name| **name == NAME[1..]).count(),
    )
}

/// Two queues outside: whether the process inside, not yet gone, finds them too.
fn shared(stage: &Stage, inside: &Actor<Order, View>) -> Result<bool> {
    stage.scene(&text!("Two queues, seen by two processes", "两个队列，两个进程都看得到"));
    stage.say(&text!(
        "Such queues are no files: the System V one has a number for its key, the POSIX one a name. They outlive their \
         makers. The kernel keeps a list of each kind: `/proc/sysvipc/msg`, and the file system `mqueue`.",
        "这种队列不是文件：System V 的用数字作键，POSIX 的有名字。创建者结束后它们依然存在。内核为每一种都有一份清单：\
         `/proc/sysvipc/msg`，以及文件系统 `mqueue`。"
    ));
    stage.command("ipcmk --queue; ipcs --queues; cat /proc/sysvipc/msg");
    stage.command("sudo mount -t mqueue mqueue /tmp/mqueue-outside; ls /tmp/mqueue-outside");
    obey(Order::Make("from outside".to_owned()))?;
    obey(Order::Mount(place("outside")))?;
    let (out, new) = (look(&place("outside")), inside.ask(Order::Look(place("outside")))?);
    table(stage, &out, &new);
    Ok(out.found
        && new.found
        && lists(&out) == (1, 1)
        && lists(&new) == (1, 1)
        && out.namespace == new.namespace)
}

/// Both views, side by side.
fn table(stage: &Stage, out: &View, new: &View) {
    let row = |name: &str, of: &dyn Fn(&View) -> String| {
        vec![name.into(), Entry::of(Ink::Fact, of(out)), Entry::of(Ink::Fact, of(new))]
    };
    let nothing = |text: String| if text.is_empty() { text!("(empty)", "（空）") } else { text };
    let found = |answer: &str| match answer {
        "0" => text!("found", "找到"),
        refused => refused.split(' ').next().unwrap_or_default().to_owned(),
    };
    let keys =
        |view: &View| nothing(view.keys.iter().map(|key| format!("{key:#x}")).collect::<Vec<_>>().join(" "));
    let [outside, inside] = sides::sides();
    stage.table(
        &["", &outside, &inside],
        &[
            row("/proc/self/ns/ipc", &|view| view.namespace.clone().unwrap_or_default()),
            row(&format!("msgget({KEY:#x}, 0)"), &|view| found(&view.answers[0])),
            row("/proc/sysvipc/msg", &keys),
            row(&format!("mq_open({NAME:?}, O_RDWR)"), &|view| found(&view.answers[1])),
            row("ls mqueue", &|view| nothing(view.names.join(" "))),
        ],
    );
}

/// The same key and name on the other side: whether each side receives what it has sent.
fn own_message(stage: &Stage, inside: &Actor<Order, View>) -> Result<bool> {
    stage.scene(&text!("The same key, another queue", "同样的键，另一个队列"));
    stage.say(&text!(
        "Now `inside` makes queues with the very same key and name, and puts a message of its own in. Then each side \
         takes one out.",
        "现在 inside 用完全相同的键和名字建队列，放进自己的消息。然后两边各取一条。"
    ));
    inside.ask(Order::Make("from inside".to_owned()))?;
    let (out, new) = (obey(Order::Receive)?.message, inside.ask(Order::Receive)?.message);
    let [outside, within] = sides::sides();
    let row = |who: String, message: &Option<String>| vec![who.into(), sides::shown(message)];
    stage.table(&["", "msgrcv(2)"], &[row(outside, &out), row(within, &new)]);
    Ok(out.as_deref() == Some("from outside") && new.as_deref() == Some("from inside"))
}

/// The queue outside is unlinked: whether each mounted file system follows its own namespace, read from outside.
fn by_mount(stage: &Stage, inside: &Actor<Order, View>) -> Result<bool> {
    stage.scene(&text!("Looking into the other's list", "看对方的清单"));
    stage.say(&text!(
        "The name is removed outside, and remains inside. Both file systems are mounted where both processes can see them, \
         so the same `ls` is done by both.",
        "在外面删掉这个名字，里面的还在。两个文件系统都挂载在双方看得见的地方，所以双方做同样的 `ls`。"
    ));
    ipc::mq_unlink(NAME)?;
    let names = |side: &str| observe::posix_names(&place(side)).unwrap_or_default();
    let inside_sees = |side: &str| inside.ask(Order::Look(place(side))).map(|view| view.names);
    let here = [names("outside"), names("inside")];
    let there = [inside_sees("outside")?, inside_sees("inside")?];
    let text =
        |names: &[String]| if names.is_empty() { text!("(empty)", "（空）") } else { names.join(" ") };
    let row = |index: usize, side: &str| {
        vec![
            format!("ls {}", place(side).display()).into(),
            text(&here[index]).into(),
            text(&there[index]).into(),
        ]
    };
    let [outside, within] = sides::sides();
    stage.table(&["", &outside, &within], &[row(0, "outside"), row(1, "inside")]);
    Ok(here == there && here[0].is_empty() && here[1] == [&NAME[1..]])
}
