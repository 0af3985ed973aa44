//! structs: task_struct → nsproxy → namespaces, as the running kernel defines them. include/linux/nsproxy.h.

use crate::demo::structs::{Change, Kernel, Listing, show};
use crate::demo::{Place, Walk};
use crate::error::Result;
use crate::narrate::words::Text;
use crate::narrate::{Ending, Ink, Stage, text};
use crate::observe::{self, Subject, Who};

/// `ns-demo structs`.
pub const WALK: Walk = Walk {
    name: "structs",
    title: Text {
        en: "The kernel's own structures: task_struct, nsproxy, namespaces",
        zh: "内核自己的数据结构：task_struct、nsproxy 与各种 Namespace",
    },
    place: Place::Here,
    show: tell,
};

/// The pointers of nsproxy, and the name in `/proc/PID/ns` of the namespace that each leads to.
pub const POINTERS: [(&str, &str); 8] = [
    ("uts_ns", "uts"),
    ("ipc_ns", "ipc"),
    ("mnt_ns", "mnt"),
    ("pid_ns_for_children", "pid_for_children"),
    ("net_ns", "net"),
    ("time_ns", "time"),
    ("time_ns_for_children", "time_for_children"),
    ("cgroup_ns", "cgroup"),
];

fn tell(stage: &Stage) -> Result<Ending> {
    let kernel = Kernel::look();
    show::say_origin(stage, &kernel);
    let structure = |name: &str| kernel.listing(name, false).unwrap_or_default();

    stage.scene(&text!("A process: struct task_struct", "进程：struct task_struct"));
    stage.say(&text!(
        "The kernel keeps one for each thread. Of its members these concern containers; one of them points to nsproxy.",
        "内核为每个线程保存一个。其中与容器有关的成员如下；有一个指向 nsproxy。"
    ));
    show::show(stage, &kernel, &structure("task_struct"), &["nsproxy"]);

    stage.scene(&text!("Its namespaces: struct nsproxy", "它的各个 Namespace：struct nsproxy"));
    stage.say(&text!(
        "One pointer for each kind. fork shares the parent's nsproxy; a new one is made when a process changes a \
         namespace. count says how many hold it.",
        "每一种一个指针。fork 之后父子共用一个 nsproxy；谁改换 Namespace，内核就给谁新建一个。count 记录有多少个持有者。"
    ));
    let nsproxy = structure("nsproxy");
    let changes = show::show(stage, &kernel, &nsproxy, &[]);

    stage.scene(&text!(
        "A namespace: struct uts_namespace, struct ns_common",
        "Namespace 本身：struct uts_namespace 与 struct ns_common"
    ));
    stage.say(&text!(
        "Each kind has a structure of its own, and in each stands a struct ns_common. Its inum is the number that \
         /proc/PID/ns shows.",
        "每一种 Namespace 有自己的结构，其中都有一个 struct ns_common，它的 inum 就是 /proc/PID/ns 显示的数字。"
    ));
    show::show(stage, &kernel, &structure("uts_namespace"), &[]);
    stage.blank();
    show::show(stage, &kernel, &structure("ns_common"), &[]);

    stage.scene(&text!("All on one page, and what is not in nsproxy", "画在一起，以及不在 nsproxy 里的"));
    stage.say(&text!(
        "The user namespace hangs on the credentials, since it says what they are worth. The pid namespace that a process \
         is in hangs on its pid; nsproxy has only the one of its children.",
        "User Namespace 挂在凭证 cred 上，因为它决定这些凭证在哪里有效。进程所在的 PID Namespace 挂在它的 pid 上；\
         nsproxy 里只有子进程将要进入的那个。"
    ));
    stage.command("ls -la /proc/self/ns");
    draw(stage, &kernel);
    Ok(ending(&kernel, &nsproxy, &changes))
}

/// What was seen, from what the kernel said.
fn ending(kernel: &Kernel, nsproxy: &Listing, changes: &[(String, Change)]) -> Ending {
    let cred = kernel.listing("cred", false).unwrap_or_default();
    let count = |wanted: Change| changes.iter().filter(|(_, change)| *change == wanted).count();
    let (same, changed, came, gone) =
        (count(Change::Same), count(Change::Changed), count(Change::Came), count(Change::Gone));
    let pointers: Vec<&str> =
        nsproxy.rows.iter().filter_map(|row| row.name()).filter(|name| *name != "count").collect();
    let shown = |name: &&&str| {
        let link = POINTERS.iter().find(|(pointer, _)| *pointer == **name).map(|(_, link)| link);
        link.is_some_and(|link| observe::read(&Subject::Namespace(Who::Myself, link)).is_some())
    };
    let linked = pointers.iter().filter(shown).count();
    let all = pointers.len();
    let user = |listing: &Listing| {
        listing.rows.iter().any(|row| row.kind().is_some_and(|kind| kind.contains("user_namespace")))
    };
    let mut ending = Ending::default().saw(
        gone == 0 && same > 0,
        text!(
            "Of the lecture's nsproxy {same} members are as they were; changed: {changed}, new: {came}.",
            "讲义中的 nsproxy 有 {same} 个成员没变；变了类型的 {changed} 个，新增 {came} 个。"
        ),
    );
    // Of the kernel that a copy was recorded from, this one may lack a namespace.
    if kernel.lacking().is_none() || linked == all {
        ending = ending.saw(
            all > 0 && linked == all,
            text!(
                "Each of its {all} pointers leads to what a link in /proc/self/ns shows.",
                "它的 {all} 个指针，每一个都对应 /proc/self/ns 里的一个链接。"
            ),
        );
    }
    ending
        .saw(
            !user(nsproxy) && user(&cred),
            text!(
                "The user namespace is in no nsproxy: struct cred points to it.",
                "User Namespace 不在 nsproxy 里：指向它的是 struct cred。"
            ),
        )
        .next("ns-demo structs pid_namespace")
        .next("sudo ns-demo structs --live")
        .next("sudo ns-demo structs --live $$")
}

/// The pointers from a task to its namespaces, each with its offset and the link that shows the same.
fn draw(stage: &Stage, kernel: &Kernel) {
    let offset = |structure: &str, member: &str| {
        let listing = kernel.listing(structure, true)?;
        listing.row(member)?.place.map(|place| place.offset)
    };
    let at = |offset: Option<u64>| offset.map_or_else(String::new, |offset| format!("+{offset}"));
    let branch = |mark: &str, structure: &str, member: &str, to: &str| {
        let place = at(offset(structure, member));
        stage.line(&[
            (Ink::Faint, mark),
            (Ink::Faint, &format!("{place:<6}")),
            (Ink::Title, member),
            (Ink::Faint, " → "),
            (Ink::Object, to),
        ]);
    };
    let leaf = |mark: &str, structure: &str, member: &str, (to, link): (&str, &'static str)| {
        let place = at(offset(structure, member));
        let number = observe::read(&Subject::Namespace(Who::Myself, link)).unwrap_or_default();
        let pad = " ".repeat(38usize.saturating_sub(member.len() + to.len()));
        stage.line(&[
            (Ink::Faint, mark),
            (Ink::Faint, &format!("{place:<6}")),
            (Ink::Title, member),
            (Ink::Faint, " → "),
            (Ink::Object, to),
            (Ink::Plain, &pad),
            (Ink::Fact, &number),
        ]);
    };
    stage.line(&[(Ink::Object, "task_struct")]);
    branch("├─ ", "task_struct", "nsproxy", "nsproxy");
    let there: Vec<_> = POINTERS.iter().filter(|(pointer, _)| offset("nsproxy", pointer).is_some()).collect();
    for (index, (pointer, link)) in there.iter().enumerate() {
        let mark = if index + 1 == there.len() { "│  └─ " } else { "│  ├─ " };
        leaf(mark, "nsproxy", pointer, (structure_of(pointer), link));
    }
    branch("├─ ", "task_struct", "cred", "cred");
    leaf("│  └─ ", "cred", "user_ns", ("user_namespace", "user"));
    branch("└─ ", "task_struct", "thread_pid", "pid");
    leaf("   └─ ", "pid", "numbers", ("pid_namespace", "pid"));
}

/// The structure that a pointer of nsproxy leads to.
fn structure_of(pointer: &str) -> &'static str {
    match pointer {
        "uts_ns" => "uts_namespace",
        "ipc_ns" => "ipc_namespace",
        "mnt_ns" => "mnt_namespace",
        "pid_ns_for_children" => "pid_namespace",
        "net_ns" => "net",
        "cgroup_ns" => "cgroup_namespace",
        _ => "time_namespace",
    }
}
